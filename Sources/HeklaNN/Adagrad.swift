import HeklaTensors

/// Steps divided by the root of the sum of all squared gradients so far.
///
/// s <- s + g^2; w <- w - rate g / (sqrt(s) + epsilon). Source: Duchi et al. 2011, "Adaptive subgradient methods
/// for online learning and stochastic optimization", section 1.1.
public struct Adagrad: Optimizer {
  /// How far the first step goes in each weight.
  public var learningRate: any LearningRate
  /// What is added to the divisor.
  public let epsilon: Double
  private let state: OptimizerState

  /// Adagrad for `parameters`.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, epsilon: Double = 1e-10,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self.learningRate = learningRate
    self.epsilon = epsilon
    state = OptimizerState(for: parameters, count: 1, file: file, line: line)
  }

  /// The parameters that are trained.
  public var parameters: [Parameter] { state.parameters }

  /// The count of steps, then the sum of squares of each parameter.
  public var stateParameters: [Parameter] { state.all }

  /// The next values of `parameters`, and of the optimizer's own state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    let rate = state.rate(learningRate)
    let epsilon = Scalar(self.epsilon)
    return [state.counting]
      + state.updates(for: parameters, gradients, masks).flatMap { update -> [Assignment] in
        let sum = update.map([update.gradient, update.kept[0].tensor]) { x in x[2] + x[1] * x[1] }
        let weight = update.map([update.gradient, sum, rate]) { x in
          x[0] - x[3] * x[1] / (.sqrt(x[2]) + epsilon)
        }
        return [update.kept[0].assigning(sum), update.assigning(weight)]
      }
  }
}
