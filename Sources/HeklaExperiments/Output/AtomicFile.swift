import Foundation

/// Files that appear whole or not at all: written beside their place under another name, then renamed.
public enum AtomicFile {
  /// Writes `text` to `path`, replacing what is there.
  ///
  /// - Throws: `ExperimentError.cannotWrite`; the file is then as it was.
  public static func write(_ text: String, to path: String) throws(ExperimentError) {
    let temporary = temporaryPath(beside: path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemMessage()) }
    var isWritten = writeAll(Array(text.utf8), to: descriptor)
    // The data has to be on disk before the name is, or a crash could leave an empty file behind it.
    isWritten = isWritten && fsync(descriptor) == 0
    let message = systemMessage()
    guard close(descriptor) == 0, isWritten else {
      unlink(temporary)
      throw .cannotWrite(path: path, reason: message)
    }
    guard rename(temporary, path) == 0 else {
      let message = systemMessage()
      unlink(temporary)
      throw .cannotWrite(path: path, reason: message)
    }
  }

  /// Checks that `write` to `path` can succeed, so that hours of work do not end in an error; leaves nothing behind.
  ///
  /// - Throws: `ExperimentError.cannotWrite`, as `write` would.
  public static func requireWritable(_ path: String) throws(ExperimentError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw .cannotWrite(path: path, reason: "It is a folder.")
    }
    let temporary = temporaryPath(beside: path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: systemMessage()) }
    close(descriptor)
    unlink(temporary)
  }

  /// Writes all of `bytes`; false where the system refused, with `errno` set.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var offset = 0
      while offset < bytes.count {
        let count = Foundation.write(
          descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
        if count < 0 {
          if errno == EINTR { continue }
          return false
        }
        offset += count
      }
      return true
    }
  }

  /// What the last system call said, as a sentence.
  static func systemMessage() -> String { String(cString: strerror(errno)) + "." }

  private static func temporaryPath(beside path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let name = ".\(url.lastPathComponent).\(UInt32.random(in: 0...UInt32.max)).partial"
    return url.deletingLastPathComponent().appendingPathComponent(name).path
  }
}
