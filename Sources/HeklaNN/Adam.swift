import Foundation
import HeklaArrays
import HeklaTensors

/// Steps scaled by running means of the gradient and of its square.
///
/// m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
/// w <- w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
/// Source: Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1; with the largest v so far in
/// the divisor: Reddi et al. 2018, "On the convergence of Adam and beyond", algorithm 2.
public struct Adam: Optimizer {
  /// How far a step goes, about, in each weight.
  public var learningRate: any LearningRate
  /// How much of the mean of the gradient stays from step to step.
  public let beta1: Double
  /// How much of the mean of the squared gradient stays from step to step.
  public let beta2: Double
  /// What is added to the divisor.
  public let epsilon: Double
  /// Whether the divisor takes the largest mean square so far, so that steps never grow by it.
  public let isAMSGrad: Bool
  /// How weights decay.
  let decay: Decay
  private let state: OptimizerState

  /// How weights decay.
  enum Decay {
    /// A multiple of the weight is added to its gradient, and passes through the means.
    case throughGradient(Double)
    /// Each step takes a multiple of the learning rate off all weights but some, or off what they differ from an
    /// anchor.
    case decoupled(Double, exempt: Set<Parameter>, anchors: [Parameter: Tensor])
  }

  /// Adam for `parameters`.
  /// - Parameters:
  ///   - parameters: What is trained.
  ///   - learningRate: How far a step goes, about, in each weight.
  ///   - beta1: How much of the mean of the gradient stays from step to step; in 0..<1.
  ///   - beta2: How much of the mean of the squared gradient stays from step to step; in 0..<1.
  ///   - epsilon: What is added to the divisor.
  ///   - weightDecay: How much of the weight is added to its gradient; see `AdamW` for the other way.
  ///   - isAMSGrad: Whether the divisor takes the largest mean square so far.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0, isAMSGrad: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self.init(
      for: parameters, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      decay: .throughGradient(weightDecay), isAMSGrad: isAMSGrad, file: file, line: line)
  }

  init(
    for parameters: [Parameter], learningRate: some LearningRate, beta1: Double, beta2: Double,
    epsilon: Double,
    decay: Decay, isAMSGrad: Bool = false, file: StaticString, line: UInt
  ) {
    require(
      (0..<1).contains(beta1) && (0..<1).contains(beta2),
      "Adam: beta1 is \(beta1) and beta2 is \(beta2); both must be in 0..<1", file: file, line: line)
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.decay = decay
    self.isAMSGrad = isAMSGrad
    state = OptimizerState(for: parameters, count: isAMSGrad ? 3 : 2, file: file, line: line)
  }

  /// The parameters that are trained.
  public var parameters: [Parameter] { state.parameters }

  /// The count of steps, then both means of each parameter, and the largest mean square where it is kept.
  public var stateParameters: [Parameter] { state.all }

  /// The next values of `parameters`, and of the optimizer's own state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    // Computed once, for all parameters.
    let rate = state.rate(learningRate)
    let step = state.stepCount.tensor.converted(to: .float32) + 1
    let stepSize = rate * correction(beta1, step)
    let secondCorrection = correction(beta2, step)
    let (beta1, beta2, epsilon) = (Scalar(self.beta1), Scalar(self.beta2), Scalar(self.epsilon))
    let (rest1, rest2) = (Scalar(1 - self.beta1), Scalar(1 - self.beta2))
    return [state.counting]
      + state.updates(for: parameters, gradients, masks).flatMap { update -> [Assignment] in
        // All three are maps over one shape that share what they read, so they become one kernel.
        let (mean, square) = (update.kept[0], update.kept[1])
        func decayed(_ gradient: Scalar, _ weight: Scalar) -> Scalar {
          if case .throughGradient(let decay) = decay, decay != 0 {
            gradient + Scalar(decay) * weight
          } else {
            gradient
          }
        }
        let newMean = update.map([update.gradient, mean.tensor]) { x in
          beta1 * x[2] + rest1 * decayed(x[1], x[0])
        }
        let newSquare = update.map([update.gradient, square.tensor]) { x in
          let gradient = decayed(x[1], x[0])
          return beta2 * x[2] + rest2 * gradient * gradient
        }
        let largest = isAMSGrad ? update.kept[2] : nil
        let divisor =
          largest.map { largest in update.map([newSquare, largest.tensor]) { .maximum($0[1], $0[2]) } }
          ?? newSquare
        var operands = [newMean, divisor, stepSize, secondCorrection, rate]
        let anchor: Tensor? =
          if case .decoupled(_, _, let anchors) = decay { anchors[update.parameter] } else { nil }
        operands += anchor.map { [$0] } ?? []
        let weight = update.map(operands) { x in
          let moved = x[3] * x[1] / (.sqrt(x[2] * x[4]) + epsilon)
          guard case .decoupled(let decay, let exempt, _) = decay, !exempt.contains(update.parameter) else {
            return x[0] - moved
          }
          return x[0] - moved - x[5] * Scalar(decay) * (anchor == nil ? x[0] : x[0] - x[6])
        }
        return [mean.assigning(newMean), square.assigning(newSquare)]
          + (largest.map { [$0.assigning(divisor)] } ?? []) + [update.assigning(weight)]
      }
  }

  /// 1 / (1 - beta^step).
  ///
  /// By `expm1`, since 1 - beta^step loses most of its digits while beta^step is close to 1.
  private func correction(_ beta: Double, _ step: Tensor) -> Tensor {
    beta == 0 ? .ones([]) : step.map { -1 / .expm1($0 * Scalar(log(beta))) }
  }
}
