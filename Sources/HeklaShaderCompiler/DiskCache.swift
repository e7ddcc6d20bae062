import Glibc

/// Files in one folder, by digest, that survive the process and may be shared with others.
///
/// An entry is a checksum line and the bytes; one that does not fit its checksum is as good as absent. Entries
/// are written aside and renamed into place, so a reader sees all or nothing. A folder that cannot be read
/// or written is an empty cache, never an error: compiling again is always right.
package struct DiskCache: Sendable {
  /// Where the entries lie.
  package let directory: String

  /// The cache in `directory`, which need not be there yet.
  package init(directory: String) { self.directory = directory }

  /// The entry `name`, or nil when there is none or it is damaged.
  package func read(_ name: String) -> [UInt8]? {
    guard let file = fopen("\(directory)/\(name)", "rbe") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    guard ferror(file) == 0, let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let payload = Array(bytes[(end + 1)...])
    return Array(bytes[..<end]) == Array(Self.header(of: payload).utf8) ? payload : nil
  }

  /// Writes the entry `name`, replacing what was there; does nothing where that is not possible.
  ///
  /// - Returns: Whether it is written.
  @discardableResult
  package func write(_ payload: [UInt8], as name: String) -> Bool {
    makeDirectory()
    var path = Array("\(directory)/\(name).XXXXXX".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { return false }
    guard let file = fdopen(descriptor, "wb") else {
      close(descriptor)
      unlink(path)
      return false
    }
    let bytes = Array(Self.header(of: payload).utf8) + [UInt8(ascii: "\n")] + payload
    let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
    // mkstemp makes files private to the user; a shared cache is read by others.
    fchmod(descriptor, 0o644)
    let isClosed = fclose(file) == 0
    let isPlaced = isWritten && isClosed && rename(path, "\(directory)/\(name)") == 0
    if !isPlaced { unlink(path) }
    return isPlaced
  }

  /// Replaces the entry `name` by what `change` makes of it, nil where there is none, while no other process does so:
  /// for entries that grow.
  ///
  /// - Returns: Whether it is written.
  package func update(_ name: String, _ change: ([UInt8]?) -> [UInt8]) -> Bool {
    makeDirectory()
    // A file of its own, because the entry itself is another file after each rename.
    let lock = open("\(directory)/\(name).lock", O_RDONLY | O_CREAT | O_CLOEXEC, 0o644)
    defer { if lock >= 0 { close(lock) } }
    while lock >= 0, flock(lock, LOCK_EX) != 0, errno == EINTR {}
    return write(change(read(name)), as: name)
  }

  /// Deletes the entry `name`.
  ///
  /// - Returns: Whether there was one.
  package func remove(_ name: String) -> Bool { unlink("\(directory)/\(name)") == 0 }

  private static func header(of payload: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(payload)
    return "hekla 1 \(hash.hexadecimal)"
  }

  private func makeDirectory() {
    var path = directory.hasPrefix("/") ? "/" : ""
    for component in directory.split(separator: "/") {
      path += "\(component)"
      mkdir(path, 0o755)
      path += "/"
    }
  }
}
