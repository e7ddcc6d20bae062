import Foundation

/// A new, empty folder that is deleted, with what it holds, when the value goes.
public final class TemporaryFolder {
  /// Where the folder is.
  public let path = NSTemporaryDirectory() + "hekla-\(UInt64.random(in: 0...UInt64.max))"

  /// Makes the folder.
  public init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The names in the folder, hidden ones included, sorted.
  public var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  /// The text of the file `name`.
  public func text(of name: String) throws -> String {
    try String(contentsOfFile: path + "/" + name, encoding: .utf8)
  }
}
