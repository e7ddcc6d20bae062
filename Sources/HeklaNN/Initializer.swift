import HeklaArrays
import HeklaTensors

/// How a parameter's first values are drawn.
///
/// A value, so a layer takes it as an argument, as in `Linear(inputs: 2, outputs: 3, initializer: .heNormal,
/// key: key)`. What it draws follows from the key alone, so it is the same on every device.
public struct Initializer: Sendable {
  private let make: @Sendable (Shape, _ fanIn: Int, _ fanOut: Int, RandomKey) -> Tensor

  /// The initializer that `make` is.
  ///
  /// - Parameter make: Gives values of a shape from the number of terms summed into one output (fan-in), the
  ///   number of outputs that one input reaches (fan-out) and a key.
  public init(_ make: @escaping @Sendable (Shape, _ fanIn: Int, _ fanOut: Int, RandomKey) -> Tensor) {
    self.make = make
  }

  /// Values of `shape`.
  public func callAsFunction(_ shape: Shape, fanIn: Int, fanOut: Int, key: RandomKey) -> Tensor {
    make(shape, fanIn, fanOut, key)
  }

  // MARK: Without regard to the fans

  /// 0 everywhere.
  public static let zeros = constant(0)

  /// 1 everywhere.
  public static let ones = constant(1)

  /// `value` everywhere.
  public static func constant(_ value: Double) -> Initializer {
    Initializer { shape, _, _, _ in .full(shape, value) }
  }

  /// Uniform in `[low, high)`.
  public static func uniform(from low: Double, to high: Double) -> Initializer {
    Initializer { shape, _, _, key in .uniform(shape, key: key, from: low, to: high) }
  }

  /// Normal.
  public static func normal(mean: Double = 0, standardDeviation: Double) -> Initializer {
    Initializer { shape, _, _, key in
      .normal(shape, key: key, mean: mean, standardDeviation: standardDeviation)
    }
  }

  /// Normal about 0, restricted to two standard deviations.
  ///
  /// Drawn by inverting the distribution function, so one random number makes one value and none is rejected.
  /// - Parameter standardDeviation: Of the distribution before it is cut; what is left has 0.8796 of it.
  public static func truncatedNormal(standardDeviation: Double) -> Initializer {
    Initializer { shape, _, _, key in
      .truncatedNormal(shape, key: key, standardDeviation: standardDeviation)
    }
  }

  // MARK: Scaled by the fans

  /// Uniform with variance 2 / (fan-in + fan-out). Source: Glorot & Bengio 2010, equation 16.
  public static let glorotUniform = uniform { fanIn, fanOut in 2 / (fanIn + fanOut) }

  /// Normal with variance 2 / (fan-in + fan-out). Source: Glorot & Bengio 2010, equation 12.
  public static let glorotNormal = normal { fanIn, fanOut in 2 / (fanIn + fanOut) }

  /// Uniform with variance 2 / fan-in, for rectified linear units. Source: He et al. 2015, equation 10.
  public static let heUniform = uniform { fanIn, _ in 2 / fanIn }

  /// Normal with variance 2 / fan-in, for rectified linear units. Source: He et al. 2015, equation 10.
  public static let heNormal = normal { fanIn, _ in 2 / fanIn }

  /// Uniform with variance 1 / fan-in. Source: LeCun et al. 1998, "Efficient BackProp", equation 16.
  public static let lecunUniform = uniform { fanIn, _ in 1 / fanIn }

  /// Normal with variance 1 / fan-in. Source: LeCun et al. 1998, "Efficient BackProp", equation 16.
  public static let lecunNormal = normal { fanIn, _ in 1 / fanIn }

  private static func uniform(
    variance: @escaping @Sendable (_ fanIn: Double, _ fanOut: Double) -> Double
  ) -> Initializer {
    Initializer { shape, fanIn, fanOut, key in
      // Uniform in [-b, b) has variance b^2 / 3.
      let bound = (3 * variance(Double(fanIn), Double(fanOut))).squareRoot()
      return .uniform(shape, key: key, from: -bound, to: bound)
    }
  }

  private static func normal(
    variance: @escaping @Sendable (_ fanIn: Double, _ fanOut: Double) -> Double
  ) -> Initializer {
    Initializer { shape, fanIn, fanOut, key in
      .normal(shape, key: key, standardDeviation: variance(Double(fanIn), Double(fanOut)).squareRoot())
    }
  }
}
