/// What goes wrong around an experiment: each case says what, and how to mend it.
public enum ExperimentError: Error, Sendable, Hashable {
  /// No recipe has this name.
  case unknownRecipe(String, known: [String])
  /// An experiment or recipe has no setting of this name.
  case unknownSetting(String, owner: String, known: [String])
  /// What was given is not of the form `name=value`.
  case malformedAssignment(String, known: [String])
  /// A setting was given a value of another kind.
  case wrongSettingType(String, owner: String, expected: String, given: String)
  /// A setting's value has the right kind, but the experiment cannot use it.
  case settingRejected(String, owner: String, given: String?, reason: String)
  /// An experiment's settings cannot be listed.
  case settingsUnreadable(owner: String, reason: String)
  /// The folder with the data sets is not there.
  case noDataFolder(path: String)
  /// The experiment reads a data set, and no folder was given.
  case dataFolderNeeded(owner: String, contents: String)
  /// The output folder holds something already.
  case outputNotEmpty(path: String)
  /// A file or folder cannot be written.
  case cannotWrite(path: String, reason: String)
  /// A file cannot be read.
  case cannotRead(path: String, reason: String)
  /// Training cannot go on; what was reached is kept.
  case stopped(owner: String, reason: String)

  /// Whether what was asked for is at fault, not what happened while it ran.
  public var isBadInput: Bool {
    switch self {
    case .stopped, .settingsUnreadable: false
    default: true
    }
  }
}

extension ExperimentError: CustomStringConvertible {
  /// One paragraph: what went wrong, then the remedy.
  public var description: String {
    switch self {
    case .unknownRecipe(let name, let known):
      "There is no recipe '\(name)'.\(NearestNames(to: name, among: known).question) "
        + (known.isEmpty ? "This build has no recipes." : "'hekla list' prints all that there are.")
    case .unknownSetting(let name, let owner, let known):
      "\(owner) has no setting '\(name)'.\(NearestNames(to: name, among: known).question) "
        + Self.inventory(known)
    case .malformedAssignment(let text, let known):
      "'\(text)' is not of the form name=value, such as --set \(known.first ?? "name")=value. "
        + Self.inventory(known)
    case .wrongSettingType(let name, let owner, let expected, let given):
      "Setting '\(name)' of \(owner) is \(expected); '\(given)' was given."
    case .settingRejected(let name, let owner, let given, let reason):
      (name.isEmpty ? "The settings of \(owner) are" : "Setting '\(name)' of \(owner) is")
        + " not usable" + (given.map { ", '\($0)' was given" } ?? "") + ": \(Self.sentence(reason)) "
        + "'hekla show \(owner)' prints the settings and their defaults."
    case .settingsUnreadable(let owner, let reason):
      "The settings of \(owner) cannot be listed: \(Self.sentence(reason)) "
        + "An experiment is a Codable struct whose stored properties are its settings."
    case .noDataFolder(let path):
      "There is no data folder '\(path)'. Give the folder that holds the data sets with --data or in HEKLA_DATA."
    case .dataFolderNeeded(let owner, let contents):
      "\(owner) reads \(contents) from a data folder, and none was given. "
        + "Give the folder with --data DIR or in HEKLA_DATA."
    case .outputNotEmpty(let path):
      "The output folder '\(path)' is not empty. Give another with --out, or --overwrite to replace the run in it."
    case .cannotWrite(let path, let reason):
      "Cannot write '\(path)': \(Self.sentence(reason)) Give a place that exists and that you may write to."
    case .cannotRead(let path, let reason):
      "Cannot read '\(path)': \(Self.sentence(reason)) Check the path and that you may read it."
    case .stopped(let owner, let reason):
      "\(owner) stopped: \(Self.sentence(reason)) What was reached until then is kept."
    }
  }

  private static func inventory(_ names: [String]) -> String {
    names.isEmpty ? "It has none." : "It has " + names.joined(separator: ", ") + "."
  }

  private static func sentence(_ text: String) -> String {
    text.hasSuffix(".") || text.hasSuffix("!") || text.hasSuffix("?") ? text : text + "."
  }
}
