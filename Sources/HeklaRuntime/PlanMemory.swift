import HeklaDevices

/// The buffers that a plan's values lie in.
struct PlanMemory {
  private let plan: Plan
  var inputs: [any Buffer] = []
  var arenas: [any Buffer] = []
  var constants: [any Buffer] = []
  var parameters: [any Buffer] = []

  /// Memory for `plan`, whose buffers are still to be added.
  init(_ plan: Plan) { self.plan = plan }

  /// Where `value` lies while the repetitions around it are at `iterations`.
  func slice(of value: Int, at iterations: [Int] = []) -> BufferSlice {
    let byteCount = plan.values[value].signature.byteCount.wholeWords
    switch plan.values[value].storage {
    case .arena(let arena, let offset):
      return BufferSlice(arenas[arena], offset: offset, byteCount: byteCount)
    case .input(let index): return inside(inputs[index])
    case .constant(let index): return inside(constants[index])
    case .parameter(let index): return BufferSlice(parameters[index])
    case .moving(let index):
      let motion = plan.motions[index]
      let iteration = iterations[motion.repetition]
      if let exception = motion.exception, exception.iteration == iteration {
        return slice(of: exception.value, at: iterations)
      }
      let whole = slice(of: motion.value, at: iterations)
      return BufferSlice(
        whole.buffer, offset: whole.offset + motion.slice(in: iteration) * motion.byteStride,
        byteCount: byteCount)
    }
  }

  /// What a kernel binds for `value`: the guard behind it too, so that drivers which hold kernels inside bindings do
  /// not hide a write beyond the array. Behind a slice that moves comes the next one, which others use meanwhile.
  func binding(of value: Int, at iterations: [Int]) -> BufferSlice {
    var slice = slice(of: value, at: iterations)
    guard plan.guardByteCount > 0 else { return slice }
    if case .moving(let index) = plan.values[value].storage {
      let motion = plan.motions[index]
      let iteration = iterations[motion.repetition]
      if let exception = motion.exception, exception.iteration == iteration {
        return binding(of: exception.value, at: iterations)
      }
      if motion.slice(in: iteration) < motion.places - 1 { return slice }
    }
    if !parameters.contains(where: { $0 === slice.buffer }) { slice.byteCount += plan.guardByteCount }
    return slice
  }

  /// What lies between the guards of a buffer that holds one array.
  func inside(_ buffer: any Buffer) -> BufferSlice {
    let margin = plan.guardByteCount
    return BufferSlice(buffer, offset: margin, byteCount: buffer.byteCount - 2 * margin)
  }
}
