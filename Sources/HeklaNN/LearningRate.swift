import HeklaTensors

/// How far an optimizer goes in a step: a number, a `Schedule`, or what the program decides between steps.
///
/// A `Tensor` may be an input of the step; a `Parameter` holds until the program assigns another value.
public protocol LearningRate: Sendable {
  /// The rate of the step that follows `count` others, `float32` of rank 0.
  /// - Parameter count: `int32` of rank 0; 0 in the first step.
  func rate(afterSteps count: Tensor) -> Tensor
}

extension Double: LearningRate {
  /// The number, whatever the step.
  public func rate(afterSteps count: Tensor) -> Tensor { .full([], self) }
}

extension Tensor: LearningRate {
  /// The tensor itself.
  public func rate(afterSteps count: Tensor) -> Tensor { self }
}

extension Parameter: LearningRate {
  /// What the parameter holds.
  public func rate(afterSteps count: Tensor) -> Tensor { tensor }
}

extension LearningRate {
  /// This rate, after `steps` in which it grows evenly to its first value.
  ///
  /// Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2.
  /// - Precondition: `steps` is positive.
  public func warmedUp(over steps: Int) -> Schedule {
    Schedule { count in
      let later = rate(
        afterSteps: count.map { .maximum($0 - .constant(Double(steps), .int32), .constant(0, .int32)) })
      return .map(later, count) { rate, count in
        rate * .minimum(1, (count.converted(to: .float32) + 1) / Scalar(Double(steps)))
      }
    }
  }
}
