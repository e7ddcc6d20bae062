import COpenCL
import HeklaDevices

/// Checks commands one by one and makes the objects they need.
struct OpenCLRecordingBuilder {
  private let context: OpenCLContext
  private(set) var steps: [OpenCLRecording.Step] = []
  private(set) var sizes: [Int] = []
  private(set) var notes: [OpenCLRecording.Note] = []
  private(set) var objects: [any AnyObject & Sendable] = []
  private var regions: [Region: cl_mem] = [:]

  /// A slice that is bound to kernels as an object of its own.
  private struct Region: Hashable {
    var buffer: ObjectIdentifier
    var offset: Int
    var byteCount: Int
  }

  /// A builder with nothing recorded.
  init(_ context: OpenCLContext) { self.context = context }

  /// Appends `command`, or throws why the device cannot run it.
  mutating func append(_ command: Command) throws(DeviceError) {
    switch command {
    case .dispatch(let dispatch): try append(dispatch)
    case .copy(let source, let target): try appendCopy(from: source, to: target)
    case .fill(let slice, let word): try appendFill(slice, word: word)
    case .barrier: break
    }
  }

  private mutating func append(_ dispatch: Dispatch) throws(DeviceError) {
    guard let kernel = dispatch.kernel as? OpenCLKernel, kernel.context === context else {
      throw invalid(
        "dispatch '\(dispatch.label)': kernel '\(dispatch.kernel.source.name)' is another device's.")
    }
    try checkGroupCount(of: dispatch)
    try checkArguments(of: dispatch, kernel: kernel)
    let instance = try kernel.makeInstance()
    objects.append(instance)
    var index = cl_uint(0)
    for binding in kernel.program.bindings {
      var memory: cl_mem? = try bind(dispatch.bindings[binding], binding: binding, label: dispatch.label)
      let status = context.api.clSetKernelArg(instance.handle, index, MemoryLayout<cl_mem>.size, &memory)
      try context.check(status, "clSetKernelArg", for: "dispatch '\(dispatch.label)'")
      index += 1
    }
    if !dispatch.pushConstants.isEmpty {
      let status = dispatch.pushConstants.withUnsafeBytes {
        context.api.clSetKernelArg(instance.handle, index, $0.count, $0.baseAddress)
      }
      try context.check(status, "clSetKernelArg", for: "dispatch '\(dispatch.label)'")
    }
    let (groups, local) = (dispatch.groupCount, kernel.program.workgroupSize)
    steps.append(.dispatch(instance.handle, sizes: sizes.count))
    sizes += [groups.x * local.x, groups.y * local.y, groups.z * local.z, local.x, local.y, local.z]
    let byteCount = dispatch.bindings.reduce(0) { $0 + $1.byteCount }
    notes.append(.init(label: dispatch.label, byteCount: byteCount))
  }

  private mutating func appendCopy(from source: BufferSlice, to target: BufferSlice) throws(DeviceError) {
    let from = try buffer(of: source, role: "the source of a copy")
    let to = try buffer(of: target, role: "the target of a copy")
    guard source.byteCount == target.byteCount else {
      throw invalid("a copy from \(source.byteCount) bytes to \(target.byteCount) bytes; both must be equal.")
    }
    if from === to, abs(source.offset - target.offset) < source.byteCount {
      throw invalid(
        "a copy within one buffer from byte \(source.offset) to byte \(target.offset) of \(source.byteCount) bytes "
          + "overlaps itself; copy by way of another buffer.")
    }
    objects += [from, to]
    steps.append(
      .copy(
        from: from.handle, offset: source.offset, to: to.handle, targetOffset: target.offset,
        byteCount: source.byteCount))
    notes.append(.init(label: "copy", byteCount: source.byteCount))
  }

  private mutating func appendFill(_ slice: BufferSlice, word: UInt32) throws(DeviceError) {
    let target = try buffer(of: slice, role: "the target of a fill")
    guard slice.byteCount % 4 == 0 else {
      throw invalid("a fill of \(slice.byteCount) bytes; fills set whole words of 4 bytes.")
    }
    objects.append(target)
    steps.append(.fill(target.handle, offset: slice.offset, byteCount: slice.byteCount, word: word))
    notes.append(.init(label: "fill", byteCount: slice.byteCount))
  }

  /// The memory object for a bound slice: the buffer itself, or an object for the slice, made once.
  private mutating func bind(_ slice: BufferSlice, binding: Int, label: String) throws(DeviceError) -> cl_mem
  {
    let role = "binding \(binding) of dispatch '\(label)'"
    let buffer = try buffer(of: slice, role: role)
    let alignment = context.capabilities.bufferAlignment
    guard slice.offset % alignment == 0 else {
      throw invalid("\(role) starts at byte \(slice.offset), which is not a multiple of \(alignment).")
    }
    if slice.offset == 0 {
      objects.append(buffer)
      return buffer.handle
    }
    let region = Region(buffer: ObjectIdentifier(buffer), offset: slice.offset, byteCount: slice.byteCount)
    if let handle = regions[region] { return handle }
    let reference = try buffer.region(offset: slice.offset, byteCount: slice.byteCount)
    objects.append(reference)
    regions[region] = reference.handle
    return reference.handle
  }

  /// The buffer of `slice`, once it is known that it is this device's and holds the slice.
  private func buffer(of slice: BufferSlice, role: String) throws(DeviceError) -> OpenCLBuffer {
    try context.buffer(of: slice, call: "record", role: role)
  }

  private func checkGroupCount(of dispatch: Dispatch) throws(DeviceError) {
    let counts = [dispatch.groupCount.x, dispatch.groupCount.y, dispatch.groupCount.z]
    for (axis, (count, allowed)) in zip(counts, context.capabilities.maxGroupCount).enumerated() {
      let axisName = ["x", "y", "z"][axis]
      guard count >= 1 else {
        throw invalid(
          "dispatch '\(dispatch.label)' has \(count) workgroups along \(axisName); at least 1 is needed.")
      }
      guard count <= allowed else {
        throw .limitExceeded(
          device: context.name, limit: "number of workgroups along \(axisName)", requested: count,
          allowed: allowed,
          remedy: "Dispatch '\(dispatch.label)' must be split.")
      }
    }
  }

  private func checkArguments(of dispatch: Dispatch, kernel: OpenCLKernel) throws(DeviceError) {
    let needed = (kernel.program.bindings.last ?? -1) + 1
    guard dispatch.bindings.count >= needed else {
      throw invalid(
        "dispatch '\(dispatch.label)' binds \(dispatch.bindings.count) buffers, "
          + "kernel '\(kernel.source.name)' uses \(needed).")
    }
    let byteCount = 4 * dispatch.pushConstants.count
    guard byteCount == kernel.program.pushConstantByteCount else {
      throw invalid(
        "dispatch '\(dispatch.label)' gives \(byteCount) bytes of push constants, "
          + "kernel '\(kernel.source.name)' takes \(kernel.program.pushConstantByteCount).")
    }
  }

  private func invalid(_ reason: String) -> DeviceError { .invalidArgument(call: "record", reason: reason) }
}
