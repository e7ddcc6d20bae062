import Foundation
import HeklaData
import Testing

/// A new empty folder that lasts for one test.
struct TemporaryFolder: ~Copyable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("hekla-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes `bytes` to the file `name`, folders included, and returns its path.
  @discardableResult
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Foundation.Data(bytes).write(to: url)
    return url.path
  }

  /// Writes `text` to the file `name` and returns its path.
  @discardableResult
  func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }
}

/// The error that `body` throws; none is a failure of the test.
func dataError<Value>(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) throws -> DataError {
  let error = #expect(throws: DataError.self, sourceLocation: sourceLocation) { try body() }
  return try #require(error, sourceLocation: sourceLocation)
}

/// The user's data folder. Tests of real files are skipped without it, also where CI is set: the files are
/// the user's own and never part of the project.
let realDataFolder = ProcessInfo.processInfo.environment["HEKLA_DATA"].flatMap { $0.isEmpty ? nil : $0 }

/// Whether the user's data folder has the file at `name`.
func hasRealFile(_ name: String) -> Bool {
  realDataFolder.map { FileManager.default.fileExists(atPath: "\($0)/\(name)") } ?? false
}
