import HeklaArrays
import HeklaTensors

/// Adam with weights that decay beside the gradient, not through it: each step also takes rate decay w off w.
///
/// Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2, with the decay
/// multiplied by the learning rate as well as by the schedule.
public struct AdamW: Optimizer {
  private var adam: Adam

  /// AdamW for `parameters`.
  /// - Parameters:
  ///   - parameters: What is trained.
  ///   - learningRate: How far a step goes, about, in each weight.
  ///   - beta1: How much of the mean of the gradient stays from step to step; in 0..<1.
  ///   - beta2: How much of the mean of the squared gradient stays from step to step; in 0..<1.
  ///   - epsilon: What is added to the divisor.
  ///   - weightDecay: The share of a weight that a step takes off, divided by the learning rate.
  ///   - exempt: Parameters that do not decay; often biases and the scales of normalizations.
  ///   - anchors: For some parameters what they decay to in the place of 0, such as the copies of a
  ///     `ParameterSnapshot` of weights that are fine-tuned.
  ///   - isAMSGrad: Whether the divisor takes the largest mean square so far; see `Adam`.
  public init(
    for parameters: [Parameter], learningRate: some LearningRate, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0.01, exempt: Set<Parameter> = [],
    anchors: [Parameter: Tensor] = [:], isAMSGrad: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      anchors.allSatisfy { $0.signature == $1.signature },
      "AdamW: an anchor is not of its parameter's shape and type", file: file, line: line)
    adam = Adam(
      for: parameters, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      decay: .decoupled(weightDecay, exempt: exempt, anchors: anchors), isAMSGrad: isAMSGrad, file: file,
      line: line)
  }

  /// How far a step goes, about, in each weight.
  public var learningRate: any LearningRate {
    get { adam.learningRate }
    set { adam.learningRate = newValue }
  }

  /// The parameters that are trained.
  public var parameters: [Parameter] { adam.parameters }

  /// The count of steps, then what `Adam` keeps of each parameter.
  public var stateParameters: [Parameter] { adam.stateParameters }

  /// The next values of `parameters`, and of the optimizer's own state; see `Optimizer`.
  public func assignments(
    for parameters: [Parameter], gradients: [Tensor], masks: [Parameter: Tensor]
  ) -> [Assignment] {
    adam.assignments(for: parameters, gradients: gradients, masks: masks)
  }
}
