import HeklaArrays
import HeklaTensors

/// Gradient descent on batches, with momentum.
///
/// g = gradient + decay w; v <- momentum v + g; w <- w - rate v, or w - rate (g + momentum v) with Nesterov's
/// momentum. Source: Sutskever et al. 2013, "On the importance of initialization and momentum in deep
/// learning", section 2, with the rate taken out of the velocity, so that a change of rate acts at once.
public struct SGD: Optimizer {
  /// How far a step goes.
  public var learningRate: any LearningRate
  /// How much of the velocity stays from step to step; 0 for none.
  public let momentum: Double
  /// Whether the gradient is taken as if the velocity had already been followed.
  public let isNesterov: Bool
  /// How much of the weight is added to its gradient.
  public let weightDecay: Double
  private let state: OptimizerState

  /// Descent for `parameters`.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, momentum: Double = 0,
    isNesterov: Bool = false,
    weightDecay: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      (0..<1).contains(momentum) && (momentum > 0 || !isNesterov),
      "SGD: the momentum is \(momentum); it must be in 0..<1, and not 0 with Nesterov's", file: file,
      line: line)
    self.learningRate = learningRate
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.weightDecay = weightDecay
    state = OptimizerState(for: parameters, count: momentum > 0 ? 1 : 0, file: file, line: line)
  }

  /// The parameters that are trained.
  public var parameters: [Parameter] { state.parameters }

  /// The count of steps, then, with momentum, the velocity of each parameter.
  public var stateParameters: [Parameter] { state.all }

  /// The next values of `parameters`, and of the optimizer's own state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    let rate = state.rate(learningRate)
    let (momentum, decay) = (Scalar(self.momentum), Scalar(weightDecay))
    return [state.counting]
      + state.updates(for: parameters, gradients, masks).flatMap { update -> [Assignment] in
        func decayed(_ gradient: Scalar, _ weight: Scalar) -> Scalar {
          weightDecay == 0 ? gradient : gradient + decay * weight
        }
        guard let velocity = update.kept.first else {
          let weight = update.map([update.gradient, rate]) { x in x[0] - x[2] * decayed(x[1], x[0]) }
          return [update.assigning(weight)]
        }
        let newVelocity = update.map([update.gradient, velocity.tensor]) { x in
          momentum * x[2] + decayed(x[1], x[0])
        }
        let weight = update.map([update.gradient, newVelocity, rate]) { x in
          x[0] - x[3] * (isNesterov ? decayed(x[1], x[0]) + momentum * x[2] : x[2])
        }
        return [velocity.assigning(newVelocity), update.assigning(weight)]
      }
  }
}
