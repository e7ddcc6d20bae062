import HeklaArrays
import HeklaTensors

/// Each channel brought to mean 0 and variance 1 over a batch, then scaled and shifted as learned.
///
/// In training by the batch's own statistics, which also move the running ones; in evaluation by those.
/// Source: Ioffe & Szegedy 2015, "Batch normalization", algorithms 1 and 2.
///
/// ```swift
/// let (y, updates) = normalization.training(x)
/// // ... assignments: updates + optimizer.assignments(minimizing: loss)
/// ```
public struct BatchNormalization: Module {
  /// The learned factor, shape `[channels]`, at first 1.
  public let scale: Parameter
  /// The learned term, shape `[channels]`, at first 0.
  public let shift: Parameter
  /// The running mean, shape `[channels]`, at first 0.
  public let runningMean: State
  /// The running variance, with one degree of freedom taken off, shape `[channels]`, at first 1.
  public let runningVariance: State
  /// How far a batch moves the running statistics towards its own.
  public let momentum: Double
  /// What is added to the variance, so that a constant channel does not divide by 0.
  public let epsilon: Double

  /// A normalization of `channels` channels.
  public init(
    channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      (0...1).contains(momentum), "batch-normalization: the momentum is \(momentum); it must be in 0...1",
      file: file, line: line)
    scale = Parameter(.ones([channels]))
    shift = Parameter(.zeros([channels]))
    runningMean = State(.zeros([channels]))
    runningVariance = State(.ones([channels]))
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// `x` normalized by its own statistics, and the requests that the running ones follow.
  ///
  /// - Parameter x: Shape `[batch, channels, ...]`, with more than one element to a channel.
  public func training(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> (output: Tensor, updates: [Assignment]) {
    normalized(x, momentum: .full([], momentum), file: file, line: line)
  }

  /// `x` normalized by its own statistics, and the requests that the running ones become the means over batches.
  ///
  /// For weights that the running statistics do not belong to: after weights were averaged, or for a part of a
  /// network whose weights are shared. Source: Yu & Huang 2019, "Universally slimmable networks", section 3.3.
  /// - Parameters:
  ///   - x: Shape `[batch, channels, ...]`, with more than one element to a channel.
  ///   - count: The number of batches before, `int32` of rank 0: with 0 the running statistics start anew.
  public func calibrating(
    _ x: Tensor, afterBatches count: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> (output: Tensor, updates: [Assignment]) {
    normalized(x, momentum: 1 / (count.converted(to: .float32) + 1), file: file, line: line)
  }

  private func normalized(
    _ x: Tensor, momentum: Tensor, file: StaticString, line: UInt
  ) -> (output: Tensor, updates: [Assignment]) {
    let axes = checkedAxes(x, file: file, line: line)
    let count = axes.reduce(1) { $0 * x.shape.extents[$1] }
    require(
      count > 1, "batch-normalization: \(x.shape) has one element to a channel; its variance is unknown",
      file: file,
      line: line)
    let mean = x.mean(along: axes, keepingAxes: true)
    let centered = x - mean
    let variance = centered.squared().mean(along: axes, keepingAxes: true)
    func moved(_ state: State, _ value: Tensor) -> Assignment {
      let value = value.reshaped(to: scale.shape).stoppingGradient().converted(to: .float32)
      return state.assigning(
        .map(state.tensor, value, momentum) { old, new, share in
          .select(share .== 1, new, (1 - share) * old + share * new)
        })
    }
    let unbiased = variance * (Double(count) / Double(count - 1))
    return (
      scaled(centered, variance), [moved(runningMean, mean), moved(runningVariance, unbiased)]
    )
  }

  /// `x` normalized by the running statistics, as in evaluation.
  /// - Parameter x: Shape `[batch, channels, ...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    _ = checkedAxes(x, file: file, line: line)
    return scaled(x - aligned(runningMean.tensor, x), aligned(runningVariance.tensor, x))
  }

  /// The axes of a channel's elements.
  private func checkedAxes(_ x: Tensor, file: StaticString, line: UInt) -> [Int] {
    require(
      x.rank >= 2 && x.shape[1] == scale.shape[0],
      "batch-normalization: the input is \(x.shape); it must be [batch, \(scale.shape[0]), ...]", file: file,
      line: line)
    return (0..<x.rank).filter { $0 != 1 }
  }

  private func aligned(_ channels: Tensor, _ x: Tensor) -> Tensor {
    channels.converted(to: x.elementType)
      .reshaped(to: [channels.shape[0]] + [Int](repeating: 1, count: x.rank - 2))
  }

  private func scaled(_ centered: Tensor, _ variance: Tensor) -> Tensor {
    let operands = [centered, variance, aligned(scale.tensor, centered), aligned(shift.tensor, centered)]
    return .map(operands) { x in
      x[0] * .reciprocalSquareRoot(x[1] + Scalar(epsilon)) * x[2] + x[3]
    }
  }
}
