/// The folder that holds the user's data sets, each in a folder of its own or all in one.
public enum DataFolder {
  /// The environment variable that names the folder.
  public static let environmentVariable = "HEKLA_DATA"

  /// The folder that the user means: `explicit`, what `--data` says, else what `HEKLA_DATA` says.
  ///
  /// An empty `HEKLA_DATA` counts as none, as shells have it. A folder that does not exist is an error, even
  /// where the other of the two does.
  public static func resolve(explicit: String?, environment: [String: String]) throws(DataError) -> String {
    let fallback = environment[environmentVariable].flatMap { $0.isEmpty ? nil : $0 }
    guard let path = explicit ?? fallback else { throw .folderNotGiven }
    try check(path)
    return path
  }

  /// Throws unless `path` is a folder.
  static func check(_ path: String) throws(DataError) {
    guard FileContents.isFolder(path) else { throw .missingFolder(path: path) }
  }

  /// The path of `name` in `folder`.
  static func path(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// `folder` itself, where most users point to the set, and its folders named `names`.
  static func candidates(in folder: String, named names: [String]) -> [String] {
    [folder] + names.map { path(folder, $0) }
  }
}
