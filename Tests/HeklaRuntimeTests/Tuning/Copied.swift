import HeklaArrays
import HeklaDevices
import HeklaTensors

@testable import HeklaRuntime

/// The first elements of the first of two inputs, which are one element longer, by variants of which most are wrong on
/// purpose.
struct Copied: Primitive {
  /// What a variant does.
  enum Manner: String {
    /// Right.
    case plain, alike
    /// Right, after hundreds of launches for nothing.
    case slow
    /// Takes the other input.
    case other
    /// Takes the other input where there are more than a hundred elements.
    case otherWhenLarge = "other-when-large"
    /// Writes one element too many, or leaves one out.
    case overrun, short
    /// Right, but not for a hundred elements or fewer.
    case forLarge = "for-large"
    /// Asks for a kernel that does not exist.
    case missing
  }

  let count: Int
  var manners: [Manner]

  var name: String { "copied" }
  func signature(of inputs: [Signature]) -> Signature { Signature([count]) }
  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    HostArray(Array(inputs[0].doubles().prefix(count)), shape: signature.shape)
  }
  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? { .exact }
  static var samples: [Sample] { [] }

  var lowering: Lowering {
    .kernels(
      manners.map { manner in
        KernelVariant(
          manner.rawValue, applies: { _, _, output in manner != .forLarge || output.shape.count > 100 }
        ) { [count] _, _, device in
          let input = manner == .other || (manner == .otherWhenLarge && count > 100) ? 1 : 0
          let done = manner == .overrun ? count + 1 : manner == .short ? count - 1 : count
          let call = KernelCall(
            Self.body(manner, done, device), bindings: [.input(input), .output],
            groupCount: GroupCount(folding: (done + 255) / 256), pushConstants: [UInt32(done)])
          return KernelProgram([KernelCall](repeating: call, count: manner == .slow ? 400 : 1))
        }
      })
  }

  private static func body(_ manner: Manner, _ done: Int, _ device: Capabilities) -> KernelCall.Body {
    if manner == .missing { return device.interface == .host ? .host("missing", []) : .shader("missing") }
    // On the host, running sums of one element each: float32, a sum, not reversed, the extents.
    return device.interface == .host ? .host("scan", [0, 0, 0, 1, 1, done]) : .shader("copy_words")
  }

  /// The operation on inputs that differ everywhere.
  static func node(_ count: Int, _ manners: [Manner]) -> Node {
    let inputs = [1, -1].map { sign in
      Tensor((0...count).map { Float(sign * ($0 + 1)) })
    }
    return Node(Copied(count: count, manners: manners), inputs.map(\.node))
  }

  /// The same as what a tuner is given.
  static func subject(_ count: Int, _ manners: [Manner]) throws -> TuningSubject {
    let node = node(count, manners)
    return TuningSubject(node, on: try TestInputs.values(of: node), tolerance: .exact)
  }
}

/// The values of nodes that are constants.
enum TestInputs {
  static func values(of node: Node) throws -> [HostArray] {
    try PlanExecutor(DeviceCatalog.shared.device(named: "cpu")).values(of: node.inputs.map { Tensor($0) })
  }
}
