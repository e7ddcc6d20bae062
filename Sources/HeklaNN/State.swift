import HeklaTensors

/// A parameter of a module that no optimizer changes: running statistics, pruning masks, counters.
///
/// It is saved and loaded with the module's other parameters, and is missing from `trainableParameters`.
public struct State: Sendable {
  /// Where the values live.
  public let parameter: Parameter

  /// A state that starts as `initial`, which depends on no input or other parameter.
  public init(_ initial: Tensor) { parameter = Parameter(initial) }

  /// The current values, inside a computation.
  public var tensor: Tensor { parameter.tensor }

  /// The request that the state hold `value` after the step.
  public func assigning(_ value: Tensor) -> Assignment { parameter.assigning(value) }
}
