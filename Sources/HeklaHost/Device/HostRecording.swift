import HeklaDevices

/// Commands with all their addresses resolved, so that running them allocates nothing.
///
/// `@unchecked Sendable`: immutable; the addresses point into `buffers`, which the recording keeps alive.
public final class HostRecording: Recording, @unchecked Sendable {
  /// One command.
  enum Step {
    case dispatch(body: @Sendable (HostArguments) throws(DeviceError) -> Void, HostArguments, label: String)
    case copy(from: UnsafeRawPointer, to: UnsafeMutableRawPointer, byteCount: Int)
    case fill(UnsafeMutableBufferPointer<UInt32>, word: UInt32)

    var label: String {
      switch self {
      case .dispatch(_, _, let label): label
      case .copy: "copy"
      case .fill: "fill"
      }
    }
  }

  let steps: [Step]
  private let buffers: [HostBuffer]
  private let kernels: [HostKernel]

  /// The number of dispatches, copies and fills.
  public var commandCount: Int { steps.count }

  /// Resolves `commands`.
  init(_ commands: [Command]) throws(DeviceError) {
    var steps: [Step] = []
    var buffers: [HostBuffer] = []
    var kernels: [HostKernel] = []
    for command in commands {
      switch command {
      case .barrier: continue  // Commands run one after another anyway.
      case .dispatch(let dispatch):
        let call = "dispatch of \(dispatch.label)"
        guard let kernel = dispatch.kernel as? HostKernel else {
          throw .invalidArgument(call: call, reason: "the kernel was not made by the cpu device.")
        }
        guard dispatch.groupCount.x >= 1, dispatch.groupCount.y >= 1, dispatch.groupCount.z >= 1 else {
          throw .invalidArgument(call: call, reason: "a group count is below 1.")
        }
        var bindings: [UnsafeMutableRawBufferPointer] = []
        for slice in dispatch.bindings {
          let resolved = try ResolvedSlice(slice, call: call)
          guard slice.offset % HostMemory.alignment == 0 else {
            throw .invalidArgument(
              call: call,
              reason:
                "binding \(bindings.count) starts at byte \(slice.offset), no multiple of \(HostMemory.alignment)."
            )
          }
          bindings.append(resolved.bytes)
          buffers.append(resolved.buffer)
        }
        kernels.append(kernel)
        steps.append(
          .dispatch(
            body: kernel.body, HostArguments(bindings: bindings, pushConstants: dispatch.pushConstants),
            label: dispatch.label))
      case .copy(let from, let to):
        let source = try ResolvedSlice(from, call: "copy")
        let target = try ResolvedSlice(to, call: "copy")
        guard from.byteCount == to.byteCount else {
          throw .invalidArgument(
            call: "copy", reason: "the slices have \(from.byteCount) and \(to.byteCount) bytes.")
        }
        if source.buffer === target.buffer, from.offset < to.offset + to.byteCount,
          to.offset < from.offset + from.byteCount, from.byteCount > 0
        {
          throw .invalidArgument(call: "copy", reason: "the slices overlap.")
        }
        buffers.append(source.buffer)
        buffers.append(target.buffer)
        guard let start = source.bytes.baseAddress, let end = target.bytes.baseAddress else { continue }
        steps.append(.copy(from: UnsafeRawPointer(start), to: end, byteCount: from.byteCount))
      case .fill(let slice, let word):
        let target = try ResolvedSlice(slice, call: "fill")
        guard slice.byteCount % 4 == 0, slice.offset % 4 == 0 else {
          throw .invalidArgument(
            call: "fill",
            reason: "\(slice.byteCount) bytes from byte \(slice.offset) on are not a number of 4-byte words.")
        }
        buffers.append(target.buffer)
        steps.append(.fill(target.bytes.bindMemory(to: UInt32.self), word: word))
      }
    }
    self.steps = steps
    self.buffers = buffers
    self.kernels = kernels
  }
}

/// A slice whose bounds have been checked, as an address.
struct ResolvedSlice {
  let buffer: HostBuffer
  let bytes: UnsafeMutableRawBufferPointer

  init(_ slice: BufferSlice, call: String) throws(DeviceError) {
    guard let buffer = slice.buffer as? HostBuffer else {
      throw .invalidArgument(call: call, reason: "a buffer was not made by the cpu device.")
    }
    guard slice.offset >= 0, slice.byteCount >= 0, slice.offset <= buffer.byteCount,
      slice.byteCount <= buffer.byteCount - slice.offset
    else {
      throw .invalidArgument(
        call: call,
        reason: "\(slice.byteCount) bytes from byte \(slice.offset) on do not lie in a buffer of "
          + "\(buffer.byteCount) bytes.")
    }
    self.buffer = buffer
    bytes = UnsafeMutableRawBufferPointer(start: buffer.address + slice.offset, count: slice.byteCount)
  }
}
