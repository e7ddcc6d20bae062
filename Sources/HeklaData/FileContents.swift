import Glibc

/// Whole files as bytes; a name that ends in `.gz` stands for the unpacked contents.
enum FileContents {
  /// Size of the pieces in which files are read.
  private static let chunkByteCount = 1 << 18

  /// The contents of the file at `path`, unpacked where its name ends in `.gz`.
  ///
  /// The name decides, and the first bytes have to agree with it: no format here begins like gzip.
  static func read(_ path: String) throws(DataError) -> [UInt8] {
    let reader = try FileReader(opening: path)
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkByteCount, alignment: 16)
    defer { chunk.deallocate() }
    let isCompressed = path.hasSuffix(".gz")
    let inflater = isCompressed ? try Inflater(file: path) : nil
    var contents: [UInt8] = []
    var isEmpty = true
    while true {
      let count = try reader.read(into: chunk)
      if count > 0 { isEmpty = false }
      let piece = UnsafeRawBufferPointer(rebasing: chunk[..<count])
      if let inflater {
        try inflater.unpack(piece, onto: &contents)
      } else {
        if contents.isEmpty, count >= 2, piece[0] == 0x1f, piece[1] == 0x8b {
          throw .unmarkedGzip(file: path)
        }
        contents.append(contentsOf: piece)
      }
      if count < chunk.count { break }
    }
    if !isEmpty { try inflater?.finish() }
    if contents.isEmpty { throw .emptyFile(file: path) }
    return contents
  }

  /// Writes `bytes` to `path`, packed where its name ends in `.gz`, in place of what was there.
  static func write(_ bytes: [UInt8], to path: String) throws(DataError) {
    let packed = path.hasSuffix(".gz") ? try Gzip.compressed(bytes, named: path) : bytes
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(file: path, reason: systemMessage(for: errno)) }
    var written = 0
    while written < packed.count {
      let count = packed.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if count >= 0 {
        written += count
      } else if errno != EINTR {
        let code = errno
        close(descriptor)
        throw .unwritable(file: path, reason: systemMessage(for: code))
      }
    }
    // A full disk may first show here.
    guard close(descriptor) == 0 else { throw .unwritable(file: path, reason: systemMessage(for: errno)) }
  }

  /// Whether `path` leads to a folder.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether `path` leads to anything that is not a folder.
  static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
  }

  /// The names in the folder at `path`, in bytewise order so that it is the same everywhere.
  static func names(in path: String) throws(DataError) -> [String] {
    guard let folder = opendir(path) else { throw .unreadable(file: path, reason: systemMessage(for: errno)) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
