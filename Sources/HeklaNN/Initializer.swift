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
      Tensor.uniform(shape, key: key).map { uniform in
        // erf(2 / sqrt 2): how much of the distribution lies within two standard deviations.
        let share = Scalar(0.954_499_736_103_641_6)
        return Scalar(2.0.squareRoot() * standardDeviation) * inverseErf(share * (2 * uniform - 1))
      }
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

  /// The inverse of the error function for |x| < 0.9965, to single precision.
  ///
  /// Source: Giles 2012, "Approximating the erfinv function", the central polynomial for single precision.
  static func inverseErf(_ x: Scalar) -> Scalar {
    let coefficients = [
      1.501_409_41, 0.246_640_727, -0.004_177_681_64, -0.001_253_725_03, 0.000_218_580_87, -4.391_506_54e-06,
      -3.523_387_7e-06, 3.432_739_39e-07, 2.810_226_36e-08,
    ]
    let w = -.log((1 - x) * (1 + x)) - 2.5
    return x * coefficients.dropLast().reversed().reduce(Scalar(coefficients[8])) { $0 * w + Scalar($1) }
  }
}
