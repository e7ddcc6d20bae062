import HeklaArrays
import HeklaTensors

/// Copies of parameters, on the device: to come back to the best weights, or to be held near the first.
///
/// ```swift
/// let best = ParameterSnapshot(of: model.trainableParameters)
/// // In the step that validates:
/// let isBetter = loss .< lowest.tensor
/// // ... assignments: best.capturing(where: isBetter) + [lowest.assigning(.minimum(loss, lowest.tensor))]
/// ```
public struct ParameterSnapshot: Sendable {
  private let sources: [Parameter]
  /// The copies, in the order of the parameters; at first the parameters' own first values.
  public let copies: [State]

  /// Copies of `parameters`.
  public init(of parameters: [Parameter]) {
    sources = parameters
    copies = parameters.map { State($0.initial) }
  }

  /// The copies, to save and load with the model.
  public var stateParameters: [Parameter] { copies.map(\.parameter) }

  /// The copy of each parameter, such as `AdamW` takes for anchors.
  public var anchors: [Parameter: Tensor] {
    Dictionary(uniqueKeysWithValues: zip(sources, copies.map(\.tensor)))
  }

  /// The requests that the copies hold what the parameters hold before the step.
  /// - Parameter condition: A `bool` of rank 0: where it is false, the copies stay; nil is true.
  public func capturing(where condition: Tensor? = nil) -> [Assignment] {
    zip(sources, copies).map { source, copy in
      copy.assigning(condition.map { .select($0, source.tensor, copy.tensor) } ?? source.tensor)
    }
  }

  /// The requests that the parameters hold what the copies hold before the step.
  public func restoring() -> [Assignment] { zip(sources, copies).map { $0.assigning($1.tensor) } }
}
