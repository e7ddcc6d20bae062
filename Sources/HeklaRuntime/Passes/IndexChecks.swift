import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Finds indices out of range on devices whose kernels leave them out: two launches ahead of the kernel that takes
/// them, one that finds the first and one that records it.
///
/// The host's kernels check their indices themselves, so that nothing is added there.
struct IndexChecks {
  fileprivate struct Key: Hashable {
    let indices: Node
    let bound: Int
  }

  private let isOn: Bool
  private let localSize: Int
  private var known: Set<Key> = []
  /// Whose indices each check looks at, by the number that it records.
  private(set) var operations: [String] = []

  init(_ capabilities: Capabilities, _ options: CompilerOptions) {
    isOn = options.checksIndices && capabilities.interface != .host
    localSize = min(256, capabilities.maxWorkgroupInvocations)
  }

  /// The checks that `kernel` needs; the same indices are checked once for each bound.
  mutating func calls(before kernel: FormedKernel) throws(DeviceError) -> [LoweredCall] {
    guard isOn, case .primitive(let node) = kernel.body else { return [] }
    var calls: [LoweredCall] = []
    for operand in node.primitive.indexOperands(of: node.inputs.map(\.signature)) {
      let indices = node.inputs[operand.input].base
      guard known.insert(Key(indices: indices, bound: operand.bound)).inserted else { continue }
      let pushConstants = [indices.shape.count, operand.bound, operations.count].map(UInt32.init)
      operations.append(node.primitive.name)
      for records in [false, true] {
        let groups = records ? 1 : (indices.shape.count + localSize - 1) / localSize
        calls.append(
          LoweredCall(
            label: "check-indices", variant: records ? "record" : "find",
            source: try source(
              of: .shader("check_indices", constants: [0: UInt32(localSize), 1: records ? 1 : 0])),
            operands: [.node(indices), .indexStatus], writtenCount: 1,
            groupCount: GroupCount(folding: groups),
            pushConstants: pushConstants))
      }
    }
    return calls
  }

  /// What was checked before a repetition, whose body is given other indices in each iteration.
  struct Scope {
    fileprivate let known: Set<Key>
  }

  /// The kernels from here on are those of a repetition's body.
  mutating func beginRepetition() -> Scope {
    defer { known = [] }
    return Scope(known: known)
  }

  /// The kernels from here on are those around the repetition that `scope` was left for.
  mutating func endRepetition(returningTo scope: Scope) { known = scope.known }
}
