import HeklaTensors

/// A learning rate that may change from step to step, computed on the device from the count of steps.
///
/// ```swift
/// Adam(for: parameters, learningRate: 1e-3)
/// AdamW(for: parameters, learningRate: .cosine(from: 3e-4, to: 3e-5, over: 10_000).warmedUp(over: 500))
/// ```
public struct Schedule: Sendable {
  private let body: @Sendable (Tensor) -> Tensor

  /// The schedule that `body` computes.
  /// - Parameter body: Gives the rate, `float32` of rank 0, from the number of steps already made, `int32` of rank 0.
  public init(_ body: @escaping @Sendable (Tensor) -> Tensor) { self.body = body }

  /// The rate of the step that follows `count` others, `float32` of rank 0.
  /// - Parameter count: `int32` of rank 0; 0 in the first step.
  public func rate(afterSteps count: Tensor) -> Tensor {
    let rate = body(count)
    require(
      rate.signature == Signature([], .float32),
      "schedule: the rate is \(rate.signature), not float32 of rank 0")
    return rate
  }

  /// A schedule of single numbers.
  private static func expression(_ body: @escaping @Sendable (_ count: Scalar) -> Scalar) -> Schedule {
    Schedule { count in count.map(body) }
  }

  /// Always `rate`.
  public static func constant(_ rate: Double) -> Schedule { Schedule { _ in .full([], rate) } }

  /// `rate`, `float32` of rank 0: an input of the step, or anything computed in it.
  public static func tensor(_ rate: Tensor) -> Schedule { Schedule { _ in rate } }

  /// What `parameter`, `float32` of rank 0, holds: the program changes it between steps.
  public static func parameter(_ parameter: Parameter) -> Schedule { Schedule { _ in parameter.tensor } }

  /// From `start` in the first step evenly to `end` after `steps`, and `end` from there on.
  public static func linear(from start: Double, to end: Double, over steps: Int) -> Schedule {
    expression { count in Scalar(start) + Scalar(end - start) * share(count, of: steps) }
  }

  /// From `start` in the first step along half a cosine to `end` after `steps`, and `end` from there on.
  ///
  /// Source: Loshchilov & Hutter 2017, "SGDR", equation 5, without restarts.
  public static func cosine(from start: Double, to end: Double = 0, over steps: Int) -> Schedule {
    expression { count in
      Scalar(end) + Scalar((start - end) / 2) * (1 + .cos(Scalar(Double.pi) * share(count, of: steps)))
    }
  }

  /// `start`, multiplied by `factor` after each `interval` steps.
  public static func stepped(from start: Double, by factor: Double, every interval: Int) -> Schedule {
    // Divided as integers: a device's floating quotient of 6 and 3 may lie just below 2.
    expression { count in
      let power = (count / .constant(Double(max(interval, 1)), .int32)).converted(to: .float32)
      return Scalar(start) * .power(Scalar(factor), power)
    }
  }

  /// `start`, multiplied by `factor` once each of `milestones` steps are made.
  public static func stepped(from start: Double, by factor: Double, at milestones: [Int]) -> Schedule {
    expression { count in
      milestones.reduce(Scalar(start)) { rate, milestone in
        rate * .select(count .>= .constant(Double(milestone), .int32), Scalar(factor), 1)
      }
    }
  }

  /// This schedule after `steps` in which the rate grows evenly to its first value.
  ///
  /// Source: Goyal et al. 2017, "Accurate, large minibatch SGD", section 2.2.
  public func warmedUp(over steps: Int) -> Schedule {
    guard steps > 0 else { return self }
    return Schedule { count in
      let later = rate(
        afterSteps: count.map { .maximum($0 - .constant(Double(steps), .int32), .constant(0, .int32)) })
      return .map(later, count) { rate, count in
        rate * .minimum(1, (count.converted(to: .float32) + 1) / Scalar(Double(steps)))
      }
    }
  }

  /// How much of `steps` is over after `count`, at most 1.
  private static func share(_ count: Scalar, of steps: Int) -> Scalar {
    .minimum(1, count.converted(to: .float32) / Scalar(Double(max(steps, 1))))
  }
}

extension Schedule: ExpressibleByFloatLiteral {
  /// Always `value`.
  public init(floatLiteral value: Double) { self = .constant(value) }
}
