import CZlib

/// Unpacks gzip members that arrive in pieces.
final class Inflater {
  private let stream = ZlibStream()
  private let file: String
  private let maximumByteCount: Int?
  private var consumedByteCount = 0
  private var isInsideMember = true
  private var hasMember = false
  private var firstBytes: [UInt8] = []

  /// An unpacker at the start of the file that errors call `file`.
  init(file: String, maximumByteCount: Int? = nil) throws(DataError) {
    self.file = file
    self.maximumByteCount = maximumByteCount
    // 15: the largest window; 16: a gzip wrapper is required.
    guard inflateInit2_(stream.pointer, 15 + 16, ZLIB_VERSION, ZlibStream.byteCount) == Z_OK else {
      throw .unreadable(file: file, reason: "zlib could not start, which means that memory ran out")
    }
  }

  deinit { inflateEnd(stream.pointer) }

  /// Unpacks the next piece of the file, at most 1 GiB at a time, onto the end of `contents`.
  func unpack(_ packed: UnsafeRawBufferPointer, onto contents: inout [UInt8]) throws(DataError) {
    if firstBytes.count < 2 { firstBytes += packed.prefix(2 - firstBytes.count) }
    var rest = packed[...]
    while !rest.isEmpty {
      let piece = rest.prefix(1 << 30)
      rest = rest.dropFirst(piece.count)
      stream.setInput(UnsafeRawBufferPointer(rebasing: piece))
      repeat {
        if !isInsideMember {
          inflateReset(stream.pointer)
          isInsideMember = true
        }
        let available = stream.inputByteCount
        let status = stream.produce(onto: &contents) { inflate($0, Z_NO_FLUSH) }
        consumedByteCount += available - stream.inputByteCount
        try check(status)
        let limit = maximumByteCount ?? Gzip.limit(afterReading: consumedByteCount)
        if contents.count > limit {
          throw .expansionRefused(file: file, compressedByteCount: consumedByteCount, limit: limit)
        }
        // Output that still waits when the input is used up comes with the next piece: a member's checksum is
        // read after all of its contents.
      } while stream.inputByteCount > 0
    }
  }

  /// Checks that the file did not end inside of a member.
  func finish() throws(DataError) {
    if isInsideMember {
      throw .corruptGzip(
        file: file, byteOffset: consumedByteCount, reason: "it ends before its compressed contents do")
    }
  }

  private func check(_ status: Int32) throws(DataError) {
    switch status {
    case Z_STREAM_END:
      isInsideMember = false
      hasMember = true
    case Z_OK, Z_BUF_ERROR:
      break  // zlib wants more input or more room; the loop gives both.
    case Z_MEM_ERROR:
      throw .unreadable(file: file, reason: "zlib ran out of memory")
    default:
      if !hasMember, firstBytes != [0x1f, 0x8b] { throw .notGzip(file: file, firstBytes: firstBytes) }
      throw .corruptGzip(file: file, byteOffset: consumedByteCount, reason: stream.message)
    }
  }
}
