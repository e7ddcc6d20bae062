import HeklaArrays
import HeklaTensors

/// Several optimizers as one, each for parameters of its own: groups that differ in rate, decay or rule.
///
/// ```swift
/// let optimizer = ParameterGroups([
///   Adam(for: encoder.trainableParameters, learningRate: 4.3e-3),
///   Adam(for: predictor.trainableParameters, learningRate: 2.4e-3),
/// ])
/// ```
public struct ParameterGroups: Optimizer {
  /// The optimizers, in the order in which they were given.
  public let groups: [any Optimizer]

  /// The optimizers `groups` as one.
  /// - Precondition: No parameter belongs to two of them.
  public init(_ groups: [any Optimizer], file: StaticString = #fileID, line: UInt = #line) {
    self.groups = groups
    let all = groups.flatMap(\.parameters)
    require(
      Set(all).count == all.count, "parameter groups: a parameter belongs to two groups", file: file,
      line: line)
  }

  /// The parameters of all groups.
  public var parameters: [Parameter] { groups.flatMap(\.parameters) }

  /// For each group the count of its steps, then what is remembered of each of its parameters.
  public var stateParameters: [Parameter] { groups.flatMap(\.stateParameters) }

  /// The next values of `parameters`, and of their groups' own state; see `Optimizer`.
  ///
  /// A group none of whose parameters is given makes no step.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    let known = Set(self.parameters)
    require(
      parameters.count == gradients.count && parameters.allSatisfy(known.contains)
        && masks.keys.allSatisfy(Set(parameters).contains),
      "parameter groups: \(gradients.count) gradients for \(parameters.count) parameters, \(masks.count) of them "
        + "masked; each parameter needs a gradient and has to belong to a group, as has each mask")
    return groups.flatMap { group -> [Assignment] in
      let own = Set(group.parameters)
      let chosen = zip(parameters, gradients).filter { own.contains($0.0) }
      guard !chosen.isEmpty else { return [] }
      return group.assignments(
        for: chosen.map(\.0), gradients: chosen.map(\.1), masks: masks.filter { own.contains($0.key) })
    }
  }
}
