import HeklaArrays
import HeklaTensors

/// Steps divided by the root of a running mean of the squared gradient.
///
/// v <- decay v + (1 - decay) g^2; u <- momentum u + g / (sqrt(v) + epsilon); w <- w - rate u.
/// Source: Tieleman & Hinton 2012, "Lecture 6.5: RMSprop".
public struct RMSProp: Optimizer {
  /// How far a step goes, about, in each weight.
  public var learningRate: any LearningRate
  /// How much of the mean of the squared gradient stays from step to step.
  public let decay: Double
  /// How much of the velocity stays from step to step; 0 for none.
  public let momentum: Double
  /// What is added to the divisor.
  public let epsilon: Double
  private let state: OptimizerState

  /// RMSprop for `parameters`.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, decay: Double = 0.99, momentum: Double = 0,
    epsilon: Double = 1e-8, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      (0..<1).contains(decay) && (0..<1).contains(momentum),
      "RMSprop: the decay is \(decay) and the momentum \(momentum); both must be in 0..<1", file: file,
      line: line)
    self.learningRate = learningRate
    self.decay = decay
    self.momentum = momentum
    self.epsilon = epsilon
    state = OptimizerState(for: parameters, count: momentum > 0 ? 2 : 1, file: file, line: line)
  }

  /// The parameters that are trained.
  public var parameters: [Parameter] { state.parameters }

  /// The count of steps, then the mean square and, with momentum, the velocity of each parameter.
  public var stateParameters: [Parameter] { state.all }

  /// The next values of `parameters`, and of the optimizer's own state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    let rate = state.rate(learningRate)
    let (decay, rest) = (Scalar(self.decay), Scalar(1 - self.decay))
    let (momentum, epsilon) = (Scalar(self.momentum), Scalar(self.epsilon))
    return [state.counting]
      + state.updates(for: parameters, gradients, masks).flatMap { update -> [Assignment] in
        let square = update.map([update.gradient, update.kept[0].tensor]) { x in
          decay * x[2] + rest * x[1] * x[1]
        }
        guard update.kept.count > 1 else {
          let weight = update.map([update.gradient, square, rate]) { x in
            x[0] - x[3] * x[1] / (.sqrt(x[2]) + epsilon)
          }
          return [update.kept[0].assigning(square), update.assigning(weight)]
        }
        let velocity = update.map([update.gradient, square, update.kept[1].tensor]) { x in
          momentum * x[3] + x[1] / (.sqrt(x[2]) + epsilon)
        }
        let weight = update.map([velocity, rate]) { x in x[0] - x[2] * x[1] }
        return [
          update.kept[0].assigning(square), update.kept[1].assigning(velocity), update.assigning(weight),
        ]
      }
  }
}
