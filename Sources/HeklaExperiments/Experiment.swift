/// A study of one paper: its settings, its claims, and a run that measures what the claims speak of.
///
/// The stored properties are the settings, their initial values the defaults; the defaults are the reduced
/// setting that `hekla verify` runs. Write the training loop in `run`, in the open.
public protocol Experiment: Codable, Sendable {
  /// What people call it on the command line; the type's name in kebab case unless given.
  static var name: String { get }

  /// The paper it repeats.
  static var paper: Paper { get }

  /// What must hold after a run with the default settings.
  static var claims: [Claim] { get }

  /// A sentence about each setting, by name, for `hekla show`.
  static var settingNotes: [String: String] { get }

  /// The experiment with its default settings.
  init()

  /// Runs the experiment and says what came out.
  ///
  /// - Throws: What the data, the device or the experiment itself could not do, with the remedy.
  func run(_ context: RunContext) throws -> RunRecord
}

extension Experiment {
  /// The type's name in kebab case: `LotteryTicket` is `lottery-ticket`.
  public static var name: String { kebabCase(String(describing: Self.self)) }

  /// No notes.
  public static var settingNotes: [String: String] { [:] }

  /// The settings with their values.
  public func settings() throws(ExperimentError) -> Settings {
    try Settings(of: self, owner: Self.name, notes: Self.settingNotes)
  }

  /// The default settings changed by `assignments`, each written `name=value`.
  ///
  /// - Throws: `ExperimentError`, saying which settings there are and what they take.
  public init(applying assignments: [String]) throws(ExperimentError) {
    var settings = try Self().settings()
    for assignment in assignments { try settings.apply(assignment) }
    self = try settings.decoded(as: Self.self)
  }

  /// That the value `given` for `setting` has the right kind and is no use, because of `reason`.
  public static func rejected(_ setting: String, _ given: Any, _ reason: String) -> ExperimentError {
    .settingRejected(setting, owner: name, given: "\(given)", reason: reason)
  }

  /// Throws for the first of `settings` that is not greater than 0.
  public static func requirePositive<Number: Numeric & Comparable>(
    _ settings: KeyValuePairs<String, Number>
  ) throws(ExperimentError) {
    for (setting, value) in settings where !(value > 0) { throw rejected(setting, value, "it is positive") }
  }

  /// `loss`, which training cannot go on with unless it is finite.
  ///
  /// - Parameters:
  ///   - loss: Of a step.
  ///   - place: Whose loss at which step, for the message.
  public static func finite(_ loss: Double, of place: @autoclosure () -> String) throws(ExperimentError)
    -> Double
  {
    guard loss.isFinite else { throw .stopped(owner: name, reason: "the loss of \(place()) is \(loss)") }
    return loss
  }
}

/// `name` in lower case with hyphens between its words; a run of capitals is one word, digits stay with
/// the word before them.
func kebabCase(_ name: String) -> String {
  let letters = Array(name)
  var result = ""
  for (index, letter) in letters.enumerated() {
    if letter.isUppercase, index > 0 {
      let follows = index + 1 < letters.count ? letters[index + 1] : nil
      if !letters[index - 1].isUppercase || follows?.isLowercase == true { result += "-" }
    }
    result += letter.lowercased()
  }
  return result
}
