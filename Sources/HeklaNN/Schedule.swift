import HeklaTensors

/// A learning rate that changes from step to step, computed on the device from the count of steps.
///
/// ```swift
/// AdamW(for: parameters, learningRate: .cosine(from: 3e-4, to: 3e-5, over: 10_000).warmedUp(over: 500))
/// ```
public struct Schedule: LearningRate {
  private let body: @Sendable (Tensor) -> Tensor

  /// The schedule that `body` computes.
  /// - Parameter body: Gives the rate, `float32` of rank 0, from the number of steps already made, `int32` of
  ///   rank 0.
  public init(_ body: @escaping @Sendable (Tensor) -> Tensor) { self.body = body }

  /// What the schedule computes from `count`.
  public func rate(afterSteps count: Tensor) -> Tensor { body(count) }

  /// A schedule of single numbers.
  fileprivate static func expression(_ body: @escaping @Sendable (_ count: Scalar) -> Scalar) -> Schedule {
    Schedule { count in count.map(body) }
  }

  /// How much of `steps` is over after `count`, at most 1.
  fileprivate static func share(_ count: Scalar, of steps: Int) -> Scalar {
    .minimum(1, count.converted(to: .float32) / Scalar(Double(max(steps, 1))))
  }
}

extension LearningRate where Self == Schedule {
  /// From `start` in the first step evenly to `end` after `steps`, and `end` from there on.
  public static func linear(from start: Double, to end: Double, over steps: Int) -> Schedule {
    Schedule.expression { count in Scalar(start) + Scalar(end - start) * Schedule.share(count, of: steps) }
  }

  /// From `start` in the first step along half a cosine to `end` after `steps`, and `end` from there on.
  ///
  /// Source: Loshchilov & Hutter 2017, "SGDR", equation 5, without restarts.
  public static func cosine(from start: Double, to end: Double = 0, over steps: Int) -> Schedule {
    Schedule.expression { count in
      Scalar(end) + Scalar((start - end) / 2)
        * (1 + .cos(Scalar(Double.pi) * Schedule.share(count, of: steps)))
    }
  }

  /// `start`, multiplied by `factor` after each `interval` steps.
  public static func stepped(from start: Double, by factor: Double, every interval: Int) -> Schedule {
    // Divided as integers: a device's floating quotient of 6 and 3 may lie just below 2.
    Schedule.expression { count in
      let power = (count / .constant(Double(max(interval, 1)), .int32)).converted(to: .float32)
      return Scalar(start) * .power(Scalar(factor), power)
    }
  }

  /// `start`, multiplied by `factor` over each `interval` steps, evenly, and never less than `floor`.
  public static func exponential(
    from start: Double, by factor: Double, every interval: Int, floor: Double = 0
  ) -> Schedule {
    Schedule.expression { count in
      let power = count.converted(to: .float32) / Scalar(Double(max(interval, 1)))
      return .maximum(Scalar(start) * .power(Scalar(factor), power), Scalar(floor))
    }
  }

  /// Evenly up to `peak` in `warmup` steps, then down with the inverse square root of the number of steps.
  ///
  /// Source: Vaswani et al. 2017, "Attention is all you need", equation 3.
  public static func inverseSquareRoot(peak: Double, warmup: Int) -> Schedule {
    Schedule.expression { count in
      let step = (count.converted(to: .float32) + 1) / Scalar(Double(max(warmup, 1)))
      return Scalar(peak) * .minimum(step, .reciprocalSquareRoot(step))
    }
  }

  /// `start`, multiplied by `factor` once each of `milestones` steps are made.
  public static func stepped(from start: Double, by factor: Double, at milestones: [Int]) -> Schedule {
    Schedule.expression { count in
      milestones.reduce(Scalar(start)) { rate, milestone in
        rate * .select(count .>= .constant(Double(milestone), .int32), Scalar(factor), 1)
      }
    }
  }
}
