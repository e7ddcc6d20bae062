import HeklaDevices

extension OpenCLContext {
  /// The buffer of `slice`, once it is known that it is of this context and holds the slice.
  func buffer(of slice: BufferSlice, call: String, role: String) throws(DeviceError) -> OpenCLBuffer {
    guard let buffer = slice.buffer as? OpenCLBuffer, buffer.context === self else {
      throw .invalidArgument(call: call, reason: "the buffer of \(role) is another device's, not \(name)'s.")
    }
    guard slice.offset >= 0, slice.byteCount >= 1, slice.offset <= buffer.byteCount,
      slice.byteCount <= buffer.byteCount - slice.offset
    else {
      throw .invalidArgument(
        call: call,
        reason: "\(role) has \(slice.byteCount) bytes from byte \(slice.offset) on, "
          + "its buffer has \(buffer.byteCount) bytes.")
    }
    guard slice.offset % 4 == 0 else {
      throw .invalidArgument(
        call: call, reason: "\(role) starts at byte \(slice.offset), which is not a multiple of 4.")
    }
    return buffer
  }
}
