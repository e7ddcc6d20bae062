import HeklaArrays
import HeklaDevices

/// A loop as a GLSL compute shader, and the grid to run it on.
struct GLSLLoop {
  /// The shader.
  let source: GLSLSource
  /// The number of workgroups.
  let groupCount: GroupCount

  /// How a reduction is spread over invocations.
  private enum Strategy {
    /// One invocation per point, folding one element after the other.
    case serial
    /// One workgroup per point, folding in shared memory.
    case shared
  }

  /// Renders `loop` for a device with `capabilities`.
  /// - Throws: `DeviceError.unsupported` when it needs a type the device lacks, or has too many elements.
  init(_ loop: Loop, name: String, capabilities: Capabilities) throws(DeviceError) {
    let count = loop.extents.reduce(1, *)
    let largest = max(count, loop.reductionExtents.reduce(1, *))
    guard largest <= Int(Int32.max) else {
      throw .limitExceeded(
        device: capabilities.deviceName, limit: "number of elements in one generated kernel",
        requested: largest,
        allowed: Int(Int32.max), remedy: "Split the tensor into smaller ones.")
    }
    let strategy = Self.strategy(for: loop, count: count, capabilities)
    let width = Self.workgroupWidth(for: loop, count: count, strategy, capabilities)
    let folded = loop.reductionExtents.reduce(1, *)
    guard strategy == .serial || folded / width < capabilities.loopIterationLimit else {
      throw .limitExceeded(
        device: capabilities.deviceName, limit: "number of elements folded into one",
        requested: folded, allowed: width * capabilities.loopIterationLimit,
        remedy: "Fold parts of them first.")
    }
    let groups = strategy == .shared ? count : (count + width - 1) / width
    let maxGroups = min(capabilities.maxGroupCount[0], 65_535)
    let columns = max(min(groups, maxGroups), 1)
    groupCount = GroupCount(columns, (groups + columns - 1) / columns)
    var text = GLSLLoopText(loop, width: width, count: count)
    let lines = try strategy == .shared ? text.sharedReduction() : text.perInvocation()
    let needed = text.types.subtracting([.float32, .int32, .uint32, .bool])
    if let missing = needed.subtracting(capabilities.arithmeticTypes).sorted(by: { $0.rawValue < $1.rawValue }
    ).first {
      throw .unsupported(
        device: capabilities.deviceName, feature: "arithmetic on \(missing)",
        remedy: "Convert to another type with converted(to:), or run on the cpu device.")
    }
    let stored = Set(loop.reads.map(\.elementType) + loop.writes.map(\.elementType))
    if let missing = stored.subtracting(capabilities.storageTypes).sorted(by: { $0.rawValue < $1.rawValue })
      .first
    {
      throw .unsupported(
        device: capabilities.deviceName, feature: "arrays of \(missing)",
        remedy: "Use float32 or int32, or run on the cpu device.")
    }
    source = GLSLSource(name: name, text: lines.joined(separator: "\n") + "\n")
  }

  private static func strategy(for loop: Loop, count: Int, _ capabilities: Capabilities) -> Strategy {
    guard !loop.accumulators.isEmpty else { return .serial }
    let folded = loop.reductionExtents.reduce(1, *)
    // A processor prefers long serial loops; a GPU needs thousands of invocations.
    let enough = capabilities.kind.isGPU ? 16_384 : 64
    let isTooLong = serialIterations(loop) > capabilities.loopIterationLimit
    return folded >= 64 && (count < enough || isTooLong) ? .shared : .serial
  }

  /// How many iterations of loops an invocation comes to that folds all elements of a point.
  private static func serialIterations(_ loop: Loop) -> Int {
    var (iterations, outer) = (0, 1)
    for extent in loop.reductionExtents {
      outer *= extent
      iterations += outer
    }
    return iterations
  }

  private static func workgroupWidth(
    for loop: Loop, count: Int, _ strategy: Strategy, _ capabilities: Capabilities
  ) -> Int {
    let most = min(capabilities.maxWorkgroupInvocations, capabilities.maxWorkgroupSize[0])
    // Software drivers pay for each workgroup, so they get few large ones.
    let wanted = strategy == .shared ? 256 : capabilities.kind == .software ? 1024 : 256
    let useful = strategy == .shared ? loop.reductionExtents.reduce(1, *) : count
    var width = 32
    while width < min(wanted, useful) && width * 2 <= most { width *= 2 }
    return width
  }
}
