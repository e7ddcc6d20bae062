import HeklaTensors

extension LearningRate where Self == Schedule {
  /// Up along half a cosine to `peak`, then down along another to almost nothing.
  ///
  /// Source: Smith & Topin 2018, "Super-convergence", with cosines in place of lines.
  /// - Parameters:
  ///   - peak: The largest rate.
  ///   - steps: The number of steps of the whole cycle; the last rate holds from there on.
  ///   - risingShare: Which share of them the rise takes.
  ///   - startDivisor: How much smaller than `peak` the first rate is.
  ///   - endDivisor: How much smaller than the first rate the last one is.
  public static func oneCycle(
    peak: Double, over steps: Int, risingShare: Double = 0.3, startDivisor: Double = 25,
    endDivisor: Double = 1e4
  ) -> Schedule {
    let (start, end) = (peak / startDivisor, peak / startDivisor / endDivisor)
    let rise = max(risingShare * Double(steps), 1)
    let fall = max(Double(steps) - rise, 1)
    return Schedule { count in
      count.map { count in
        let step = count.converted(to: .float32)
        func cosine(_ from: Double, _ to: Double, _ share: Scalar) -> Scalar {
          let held = Scalar.minimum(.maximum(share, 0), 1)
          return Scalar(to) + Scalar((from - to) / 2) * (1 + .cos(Scalar(Double.pi) * held))
        }
        return .select(
          step .< Scalar(rise), cosine(start, peak, step / Scalar(rise)),
          cosine(peak, end, (step - Scalar(rise)) / Scalar(fall)))
      }
    }
  }

  /// Evenly up from `low` to `high` in `halfCycle` steps and down again, on and on.
  ///
  /// Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.1.
  /// - Parameters:
  ///   - low: The least rate.
  ///   - high: The greatest rate of the first cycle.
  ///   - halfCycle: The steps from the least to the greatest.
  ///   - factor: What the height of each cycle is multiplied with to give the next one's.
  public static func cyclical(
    from low: Double, to high: Double, halfCycle: Int, factor: Double = 1
  ) -> Schedule {
    Schedule { count in
      count.map { count in
        let period = Scalar.constant(Double(2 * max(halfCycle, 1)), .int32)
        let phase = (count % period).converted(to: .float32) / Scalar(Double(max(halfCycle, 1)))
        let height =
          factor == 1 ? Scalar(1) : .power(Scalar(factor), (count / period).converted(to: .float32))
        return Scalar(low) + Scalar(high - low) * height * (1 - .absolute(phase - 1))
      }
    }
  }

  /// Half a cosine from `start` to `end`, again and again, each time over `cycle` steps.
  ///
  /// Source: Loshchilov & Hutter 2017, "SGDR", equation 5, with cycles of equal length.
  public static func cosineRestarts(
    from start: Double, to end: Double = 0, cycle: Int
  ) -> Schedule {
    Schedule { count in
      count.map { count in
        let period = Scalar.constant(Double(max(cycle, 1)), .int32)
        let share = (count % period).converted(to: .float32) / Scalar(Double(max(cycle, 1)))
        return Scalar(end) + Scalar((start - end) / 2) * (1 + .cos(Scalar(Double.pi) * share))
      }
    }
  }
}
