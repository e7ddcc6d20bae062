import CZlib

/// Bytes in the gzip format (RFC 1952), packed and unpacked by zlib.
///
/// Files whose names end in `.gz` are unpacked by the readers of this module; this is for bytes that come
/// from elsewhere.
public enum Gzip {
  /// The contents of `bytes`: one gzip member or several in a row, whose contents are joined.
  ///
  /// Checksums and lengths are verified, and bytes after the last member are an error. Deflate can shrink a
  /// run of zeros a thousandfold, so a small file could fill the memory of any machine: contents beyond
  /// `limit(afterReading:)` are refused.
  /// - Parameters:
  ///   - bytes: The packed bytes.
  ///   - name: What errors call the bytes.
  ///   - maximumByteCount: The most bytes to unpack, instead of the usual limit.
  public static func decompressed(
    _ bytes: [UInt8], named name: String = "gzip bytes", maximumByteCount: Int? = nil
  ) throws(DataError) -> [UInt8] {
    let inflater = try Inflater(file: name, maximumByteCount: maximumByteCount)
    var contents: [UInt8] = []
    try bytes.withUnsafeBufferPointer { packed throws(DataError) in
      try inflater.unpack(UnsafeRawBufferPointer(packed), onto: &contents)
    }
    try inflater.finish()
    return contents
  }

  /// `bytes` as one gzip member without time or name, so that equal bytes give equal results.
  /// - Parameters:
  ///   - bytes: What to pack.
  ///   - name: What errors call the bytes.
  public static func compressed(_ bytes: [UInt8], named name: String = "gzip bytes") throws(DataError)
    -> [UInt8]
  {
    let stream = ZlibStream()
    // 15: the largest window; 16: a gzip wrapper instead of zlib's own; 8: zlib's default memory level.
    guard
      deflateInit2_(
        stream.pointer, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        ZlibStream.byteCount) == Z_OK
    else { throw .unwritable(file: name, reason: "zlib could not start, which means that memory ran out") }
    defer { deflateEnd(stream.pointer) }
    var packed: [UInt8] = []
    bytes.withUnsafeBytes { contents in
      var rest = contents[...]
      repeat {
        // zlib counts in 32 bits.
        let piece = rest.prefix(1 << 30)
        rest = rest.dropFirst(piece.count)
        stream.setInput(UnsafeRawBufferPointer(rebasing: piece))
        repeat {
          stream.produce(onto: &packed) { deflate($0, rest.isEmpty ? Z_FINISH : Z_NO_FLUSH) }
        } while stream.filledItsOutput
      } while !rest.isEmpty
    }
    return packed
  }

  /// The most bytes that are unpacked after reading `byteCount` compressed ones: 256 MiB, or 64 for each.
  ///
  /// Data files shrink by a factor of 2 to 20; only runs of one byte come near deflate's bound of 1,032.
  public static func limit(afterReading byteCount: Int) -> Int {
    let product = byteCount.multipliedReportingOverflow(by: 64)
    return max(256 << 20, product.overflow ? .max : product.partialValue)
  }
}

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
      } while stream.inputByteCount > 0 || (isInsideMember && stream.filledItsOutput)
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

/// zlib's record of one stream, at a fixed address because zlib remembers it, with room for output.
private final class ZlibStream {
  static let byteCount = Int32(MemoryLayout<z_stream>.size)
  private static let outputByteCount = 1 << 18

  let pointer = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: outputByteCount)

  init() { pointer.initialize(to: z_stream()) }

  deinit {
    output.deallocate()
    pointer.deallocate()
  }

  /// Bytes of the input that zlib has not taken yet.
  var inputByteCount: Int { Int(pointer.pointee.avail_in) }

  /// Whether the latest call used all the room there was, so that more may be waiting.
  var filledItsOutput: Bool { pointer.pointee.avail_out == 0 }

  /// What zlib says about the latest failure.
  var message: String {
    pointer.pointee.msg.map { String(cString: $0) } ?? "the compressed bytes make no sense"
  }

  /// Lets zlib read `bytes`, which have to stay where they are until it has.
  func setInput(_ bytes: UnsafeRawBufferPointer) {
    // zlib's headers omit const here; it does not write to its input.
    pointer.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    pointer.pointee.avail_in = UInt32(bytes.count)
  }

  /// Calls `step` with fresh room for output and appends what it wrote.
  @discardableResult
  func produce(onto bytes: inout [UInt8], _ step: (UnsafeMutablePointer<z_stream>) -> Int32) -> Int32 {
    pointer.pointee.next_out = output.baseAddress
    pointer.pointee.avail_out = UInt32(output.count)
    let status = step(pointer)
    bytes.append(contentsOf: output.prefix(output.count - Int(pointer.pointee.avail_out)))
    return status
  }
}
