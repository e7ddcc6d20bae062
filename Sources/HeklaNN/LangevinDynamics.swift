import HeklaArrays
import HeklaTensors

/// Gradient steps with noise, whose weights are samples of a posterior: Langevin dynamics, with or without friction.
///
/// For a loss U that estimates the negative logarithm of the posterior (not its mean over examples): without
/// momentum w <- w - rate / 2 g + N(0, rate T); with momentum 1 - a, v <- (1 - a) v - rate g + N(0, 2 a rate T),
/// w <- w + v. Source: Welling & Teh 2011, "Bayesian learning via stochastic gradient Langevin dynamics",
/// equation 4; Chen et al. 2014, "Stochastic gradient Hamiltonian Monte Carlo", equation 15.
public struct LangevinDynamics: Optimizer {
  /// The step size.
  public var learningRate: any LearningRate
  /// How much of the velocity stays from step to step, 1 less the friction; 0 for none.
  public let momentum: Double
  /// The temperature T; 1 samples the posterior, 0 makes no noise.
  public let temperature: Double
  private let key: RandomKey
  private let state: OptimizerState

  /// Sampling of `parameters`.
  /// - Parameters:
  ///   - parameters: What is sampled.
  ///   - learningRate: The size of a step.
  ///   - momentum: How much of the velocity stays, in `0..<1`.
  ///   - temperature: 1 samples the posterior, 0 makes no noise.
  ///   - key: What the noise is drawn from; each step and each parameter folds in its own number.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, momentum: Double = 0,
    temperature: Double = 1,
    key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      (0..<1).contains(momentum) && temperature >= 0,
      "Langevin dynamics: the momentum is \(momentum) and the temperature \(temperature); the former must be in "
        + "0..<1, the latter not negative", file: file, line: line)
    self.learningRate = learningRate
    self.momentum = momentum
    self.temperature = temperature
    self.key = key
    state = OptimizerState(for: parameters, count: momentum > 0 ? 1 : 0, file: file, line: line)
  }

  /// The parameters that are sampled.
  public var parameters: [Parameter] { state.parameters }

  /// The count of steps, then, with momentum, the velocity of each parameter.
  public var stateParameters: [Parameter] { state.all }

  /// The next values of `parameters`, and of the state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    let rate = state.rate(learningRate)
    let stepKey = Tensor(key).folded(in: state.stepCount.tensor)
    let (kept, temperature) = (Scalar(momentum), Scalar(self.temperature))
    let updates = state.updates(for: parameters, gradients, masks)
    return [state.counting]
      + updates.enumerated().flatMap { number, update -> [Assignment] in
        let position = state.parameters.firstIndex(of: update.parameter) ?? number
        let noise = Tensor.normal(update.parameter.shape, key: stepKey.folded(in: UInt64(position)))
        guard let velocity = update.kept.first else {
          let weight = update.map([update.gradient, noise, rate]) { x in
            x[0] - 0.5 * x[3] * x[1] + .sqrt(x[3] * temperature) * x[2]
          }
          return [update.assigning(weight)]
        }
        let friction = Scalar(1 - momentum)
        let moved = update.map([update.gradient, noise, rate, velocity.tensor]) { x in
          kept * x[4] - x[3] * x[1] + .sqrt(2 * friction * x[3] * temperature) * x[2]
        }
        let weight = update.map([moved]) { x in x[0] + x[1] }
        return [velocity.assigning(moved), update.assigning(weight)]
      }
  }
}
