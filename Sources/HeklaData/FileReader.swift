import Glibc

/// An open file, read from front to back.
struct FileReader: ~Copyable {
  /// The path that was opened.
  let file: String
  private let descriptor: Int32

  /// Opens the file at `path`; a path that leads nowhere is `DataError.missingFile`.
  init(opening path: String) throws(DataError) {
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    if opened < 0 {
      let code = errno
      throw code == ENOENT
        ? .missingFile(lookedFor: [path])
        : .unreadable(file: path, reason: systemMessage(for: code))
    }
    file = path
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from its start and returns how many bytes that took; fewer than fit only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
      if count == 0 { break }
      if count > 0 {
        filled += count
      } else if errno != EINTR {
        throw .unreadable(file: file, reason: systemMessage(for: errno))
      }
    }
    return filled
  }
}

/// The operating system's words for an error code.
func systemMessage(for code: Int32) -> String { String(cString: strerror(code)) }
