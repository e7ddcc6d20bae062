import HeklaArrays
import HeklaDevices
import Synchronization

/// Data: what a computation starts from.
public enum Leaf: Primitive {
  /// Values known when the graph is built; the number tells constants apart.
  case constant(HostArray, number: Int)
  /// Values given at each run of a step, by position.
  case input(Int, Signature)
  /// The current values of a parameter.
  case parameter(Parameter)
  /// What the body of a `Fold` is given in each step, by position.
  case slot(Int, Signature)

  /// `constant`, `input`, `parameter` or `slot`.
  public var name: String {
    switch self {
    case .constant: "constant"
    case .input: "input"
    case .parameter: "parameter"
    case .slot: "slot"
    }
  }

  /// What tells this leaf from others of its kind.
  public var attributes: String {
    switch self {
    case .constant(_, let number): "\(number)"
    case .input(let position, _): "\(position)"
    case .parameter(let parameter): "\(ObjectIdentifier(parameter))"
    case .slot(let position, _): "\(position)"
    }
  }

  /// The leaf's own signature.
  public func signature(of inputs: [Signature]) -> Signature {
    switch self {
    case .constant(let array, _): Signature(array.shape, array.elementType)
    case .input(_, let signature), .slot(_, let signature): signature
    case .parameter(let parameter): parameter.signature
    }
  }

  /// A constant's own values; other leaves get theirs from whoever evaluates the graph.
  public func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    guard case .constant(let array, _) = self else {
      stop("\(name): has no values of its own; feed it to the evaluation", file: #fileID, line: #line)
    }
    return array
  }

  /// A leaf is not computed.
  public var lowering: Lowering { .leaf }

  /// A leaf has nothing to test.
  public static var samples: [Sample] { [] }

  private static let lastNumber = Atomic<Int>(0)

  /// The constant that holds `array`.
  static func constant(_ array: HostArray) -> Leaf {
    .constant(array, number: lastNumber.add(1, ordering: .relaxed).newValue)
  }
}
