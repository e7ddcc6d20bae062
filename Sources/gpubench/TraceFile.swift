import Foundation
import HeklaText

/// The file that `--trace` names; it appears whole or not at all.
struct TraceFile {
  private let path: String

  init(_ path: String) { self.path = path }

  /// Checks that `write` can succeed, so that no measurement ends in an error.
  func requireWritable() throws(BenchmarkError) {
    var isFolder: ObjCBool = false
    let files = FileManager.default
    if files.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw .cannotWrite(path: path, reason: "It is a folder.")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard files.isWritableFile(atPath: folder) else {
      throw .cannotWrite(path: path, reason: "Its folder is not there or not yours to write to.")
    }
  }

  /// Writes `document` on one line.
  func write(_ document: JSONValue) throws(BenchmarkError) {
    do {
      try Data((document.description + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw .cannotWrite(path: path, reason: "\(error.localizedDescription)")
    }
  }
}
