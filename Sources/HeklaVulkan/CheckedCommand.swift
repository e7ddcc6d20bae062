import HeklaDevices

/// A command whose every argument was found to be valid on one device.
enum CheckedCommand: Sendable {
  case dispatch(CheckedDispatch)
  case copy(from: CheckedSlice, to: CheckedSlice)
  case fill(CheckedSlice, word: UInt32)
  case barrier

  /// The buffers that the command uses.
  var buffers: [VulkanBuffer] {
    switch self {
    case .dispatch(let dispatch): dispatch.bindings.map(\.buffer)
    case .copy(let source, let destination): [source.buffer, destination.buffer]
    case .fill(let slice, _): [slice.buffer]
    case .barrier: []
    }
  }
}

/// A dispatch whose every argument was found to be valid.
struct CheckedDispatch: Sendable {
  var kernel: VulkanKernel
  var bindings: [CheckedSlice]
  var groupCount: GroupCount
  var pushConstants: [UInt32]
  var label: String
}

/// A stretch that lies within a buffer of the device; two are equal where they are the same bytes.
struct CheckedSlice: Sendable, Hashable {
  var buffer: VulkanBuffer
  var offset: Int
  var byteCount: Int

  static func == (left: CheckedSlice, right: CheckedSlice) -> Bool {
    left.buffer === right.buffer && left.offset == right.offset && left.byteCount == right.byteCount
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(buffer))
    hasher.combine(offset)
    hasher.combine(byteCount)
  }
}

extension DeviceContext {
  /// Checks `command`, the one at `index` of those given to `record`.
  func check(_ command: Command, at index: Int) throws(DeviceError) -> CheckedCommand {
    switch command {
    case .dispatch(let dispatch):
      return .dispatch(try check(dispatch, call: "Dispatch '\(dispatch.label)' (command \(index))"))
    case .copy(let source, let destination):
      let call = "Copy (command \(index))"
      let from = try check(source, call: call)
      let to = try check(destination, call: call)
      guard from.byteCount == to.byteCount else {
        throw .invalidArgument(
          call: call, reason: "The source has \(from.byteCount) bytes, the destination \(to.byteCount).")
      }
      let overlaps = from.offset < to.offset + to.byteCount && to.offset < from.offset + from.byteCount
      guard from.buffer !== to.buffer || !overlaps else {
        throw .invalidArgument(
          call: call, reason: "Source and destination overlap; copy by way of a third buffer.")
      }
      return .copy(from: from, to: to)
    case .fill(let slice, let word):
      let call = "Fill (command \(index))"
      let checked = try check(slice, call: call)
      guard checked.byteCount.isMultiple(of: 4) else {
        throw .invalidArgument(
          call: call, reason: "\(checked.byteCount) bytes are no whole number of 4-byte words.")
      }
      return .fill(checked, word: word)
    case .barrier:
      return .barrier
    }
  }

  /// Checks that `slice` is of this device, within its buffer and not empty.
  func check(_ slice: BufferSlice, call: String) throws(DeviceError) -> CheckedSlice {
    guard let buffer = slice.buffer as? VulkanBuffer, buffer.context === self else {
      throw .invalidArgument(call: call, reason: "The buffer was not made by \(name).")
    }
    guard slice.byteCount >= 1, slice.offset >= 0, slice.byteCount <= buffer.byteCount,
      slice.offset <= buffer.byteCount - slice.byteCount
    else {
      throw .invalidArgument(
        call: call,
        reason: "A slice of \(slice.byteCount) bytes at \(slice.offset) does not lie within a buffer of "
          + "\(buffer.byteCount) bytes, or is empty.")
    }
    guard slice.offset.isMultiple(of: 4) else {
      throw .invalidArgument(call: call, reason: "The slice's offset \(slice.offset) is not a multiple of 4.")
    }
    return CheckedSlice(buffer: buffer, offset: slice.offset, byteCount: slice.byteCount)
  }

  private func check(_ dispatch: Dispatch, call: String) throws(DeviceError) -> CheckedDispatch {
    guard let kernel = dispatch.kernel as? VulkanKernel, kernel.context === self else {
      throw .invalidArgument(call: call, reason: "The kernel was not made by \(name).")
    }
    let signature = kernel.layout.key
    let kernelName = kernel.source.name
    guard dispatch.bindings.count == signature.bindingCount else {
      throw .invalidArgument(
        call: call,
        reason:
          "Kernel '\(kernelName)' binds \(signature.bindingCount) buffers, \(dispatch.bindings.count) were given."
      )
    }
    let pushConstantByteCount = dispatch.pushConstants.count * MemoryLayout<UInt32>.stride
    guard pushConstantByteCount == signature.pushConstantByteCount else {
      throw .invalidArgument(
        call: call,
        reason: "Kernel '\(kernelName)' takes \(signature.pushConstantByteCount) bytes of push constants, "
          + "\(pushConstantByteCount) were given.")
    }
    try check(dispatch.groupCount, call: call)
    var bindings: [CheckedSlice] = []
    for (index, slice) in dispatch.bindings.enumerated() {
      let checked = try check(slice, boundAt: index, call: call)
      if signature.texelBindings.contains(index) {
        try checkTexels(checked, call: "\(call), binding \(index)")
      }
      bindings.append(checked)
    }
    return CheckedDispatch(
      kernel: kernel, bindings: bindings, groupCount: dispatch.groupCount,
      pushConstants: dispatch.pushConstants,
      label: dispatch.label)
  }

  private func check(_ groups: GroupCount, call: String) throws(DeviceError) {
    let axes = [("x", groups.x), ("y", groups.y), ("z", groups.z)]
    for ((axis, count), allowed) in zip(axes, capabilities.maxGroupCount) {
      guard count >= 1 else {
        throw .invalidArgument(
          call: call, reason: "\(count) workgroups along \(axis) were asked for; there is at least 1.")
      }
      guard count <= allowed else {
        throw .limitExceeded(
          device: name, limit: "number of workgroups along \(axis)", requested: count, allowed: allowed,
          remedy: "\(call): fold the grid into two axes, or give each workgroup more to do.")
      }
    }
  }

  /// Checks what is asked of a bound slice that the kernel reads by texels.
  private func checkTexels(_ slice: CheckedSlice, call: String) throws(DeviceError) {
    let (limits, size) = (physical.texelLimits, TexelView.texelByteCount)
    guard slice.byteCount.isMultiple(of: size), slice.offset.isMultiple(of: limits.alignment) else {
      throw .invalidArgument(
        call: call,
        reason:
          "\(slice.byteCount) bytes at \(slice.offset) are no whole texels of \(size) bytes, or do not begin at "
          + "a multiple of \(limits.alignment).")
    }
    guard slice.byteCount / size <= limits.maxCount else {
      throw .limitExceeded(
        device: name, limit: "texels in a bound slice", requested: slice.byteCount / size,
        allowed: limits.maxCount, remedy: "\(call): bind smaller slices.")
    }
  }

  private func check(_ slice: BufferSlice, boundAt index: Int, call: String) throws(DeviceError)
    -> CheckedSlice
  {
    let checked = try check(slice, call: "\(call), binding \(index)")
    guard checked.offset.isMultiple(of: capabilities.bufferAlignment) else {
      throw .invalidArgument(
        call: "\(call), binding \(index)",
        reason: "The slice's offset \(checked.offset) is not a multiple of \(capabilities.bufferAlignment), "
          + "which \(name) demands of bound slices.")
    }
    guard checked.byteCount <= capabilities.maxBindingByteCount else {
      throw .limitExceeded(
        device: name, limit: "bound slice in bytes", requested: checked.byteCount,
        allowed: capabilities.maxBindingByteCount, remedy: "\(call), binding \(index): bind smaller slices.")
    }
    return checked
  }
}
