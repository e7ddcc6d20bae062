import HeklaArrays
import Synchronization

/// Values that outlive a step and change from step to step: weights, optimizer moments, counters.
///
/// A reference: copies of a model share its parameters. The values live on the device that runs the steps; a
/// step reads them through `tensor` and replaces them by returning an `Assignment`.
public final class Parameter: Sendable {
  /// Shape and type; they never change.
  public let signature: Signature
  /// The values before the first step; built from a key, so equal on every device.
  public let initial: Tensor
  /// Where a runtime keeps the current values; nil before the first use. Only runtimes touch it.
  public let storage = Mutex<(any AnyObject & Sendable)?>(nil)

  /// Weak, since the vertex holds on to the parameter: a graph keeps its parameters, not the other way round.
  private let leaf = Mutex(WeakNode())

  private struct WeakNode {
    weak var node: Node?
  }

  /// A parameter that starts as `initial`, which depends on no input or other parameter.
  public init(_ initial: Tensor) {
    self.initial = initial
    signature = initial.signature
  }

  /// The current values, inside a computation.
  public var tensor: Tensor {
    leaf.withLock { leaf in
      if let known = leaf.node { return Tensor(known) }
      let made = Node(Leaf.parameter(self), [])
      leaf.node = made
      return Tensor(made)
    }
  }

  /// The extents.
  public var shape: Shape { signature.shape }

  /// The request that the parameter hold `value` after the step.
  public func assigning(_ value: Tensor) -> Assignment { Assignment(self, value) }
}

extension Parameter: Hashable {
  /// Whether both are the same parameter.
  public static func == (left: Parameter, right: Parameter) -> Bool { left === right }

  /// Feeds the parameter's identity to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// A parameter's next values.
public struct Assignment: Sendable {
  /// What changes.
  public let parameter: Parameter
  /// What it holds after the step; the parameter's own shape and type.
  public let value: Tensor

  /// `parameter` holds `value` after the step.
  public init(_ parameter: Parameter, _ value: Tensor) {
    require(
      parameter.signature == value.signature,
      "assignment: a parameter of \(parameter.signature) cannot hold \(value.signature)")
    self.parameter = parameter
    self.value = value
  }
}
