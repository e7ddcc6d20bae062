import CZlib

/// zlib's record of one stream, at a fixed address because zlib remembers it, with room for output.
final class ZlibStream {
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
