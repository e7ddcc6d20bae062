import Foundation
import HeklaArrays
import HeklaTensors

/// Adam whose step for each parameter is scaled to the parameter's own norm, for large batches.
///
/// r = m' / (sqrt(v') + epsilon) + decay w with Adam's corrected means m' and v'; w <- w - rate |w| / |r| r, the
/// ratio 1 where a norm is 0. Source: You et al. 2020, "Large batch optimization for deep learning", algorithm 2.
public struct LAMB: Optimizer {
  /// How far a step goes, as a share of each parameter's norm.
  public var learningRate: any LearningRate
  /// How much of the mean of the gradient stays from step to step.
  public let beta1: Double
  /// How much of the mean of the squared gradient stays from step to step.
  public let beta2: Double
  /// What is added to the divisor.
  public let epsilon: Double
  /// How much of the weight is added to its step.
  public let weightDecay: Double
  private let state: OptimizerState

  /// LAMB for `parameters`.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-6, weightDecay: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      (0..<1).contains(beta1) && (0..<1).contains(beta2),
      "LAMB: beta1 is \(beta1) and beta2 is \(beta2); both must be in 0..<1", file: file, line: line)
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    state = OptimizerState(for: parameters, count: 2, file: file, line: line)
  }

  /// The parameters that are trained.
  public var parameters: [Parameter] { state.parameters }

  /// The count of steps, then both means of each parameter.
  public var stateParameters: [Parameter] { state.all }

  /// The next values of `parameters`, and of the optimizer's own state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    let rate = state.rate(learningRate)
    let step = state.stepCount.tensor.converted(to: .float32) + 1
    func correction(_ beta: Double) -> Tensor {
      beta == 0 ? .ones([]) : step.map { -1 / .expm1($0 * Scalar(log(beta))) }
    }
    let (first, second) = (correction(beta1), correction(beta2))
    let (beta1, beta2, epsilon) = (Scalar(self.beta1), Scalar(self.beta2), Scalar(self.epsilon))
    let (rest1, rest2, decay) = (Scalar(1 - self.beta1), Scalar(1 - self.beta2), Scalar(weightDecay))
    return [state.counting]
      + state.updates(for: parameters, gradients, masks).flatMap { update -> [Assignment] in
        let mean = update.map([update.gradient, update.kept[0].tensor]) { x in beta1 * x[2] + rest1 * x[1] }
        let square = update.map([update.gradient, update.kept[1].tensor]) { x in
          beta2 * x[2] + rest2 * x[1] * x[1]
        }
        let direction = update.map([mean, square, first, second]) { x in
          x[1] * x[3] / (.sqrt(x[2] * x[4]) + epsilon) + decay * x[0]
        }
        let ratio = Tensor.map(update.parameter.tensor.converted(to: update.type).norm(), direction.norm()) {
          .select(($0 .> 0) .& ($1 .> 0), $0 / .select($1 .> 0, $1, 1), 1)
        }
        let weight = update.map([direction, ratio, rate]) { x in x[0] - x[3] * x[2] * x[1] }
        return [update.kept[0].assigning(mean), update.kept[1].assigning(square), update.assigning(weight)]
      }
  }
}
