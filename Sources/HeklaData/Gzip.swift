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
