import HeklaArrays

extension Tensor {
  /// The same expression at every element, with a derivative that is stated instead of derived.
  ///
  /// For functions whose derivative is simpler, or exacter, than that of the expression that computes them, and
  /// for gradients that deliberately are not the derivative (straight-through estimators, surrogates of spikes).
  /// The stated derivative is itself an expression, so higher orders follow from it.
  /// - Parameters:
  ///   - body: The value.
  ///   - derivative: What the gradient is multiplied with, from the element and from its value.
  public func map(_ body: (Scalar) -> Scalar, derivative: (_ x: Scalar, _ value: Scalar) -> Scalar) -> Tensor
  {
    let x = Scalar.input(0, elementType)
    let value = body(x)
    return Tensor(Map(value, shape: shape, statedDerivative: derivative(x, value)), [self])
  }

  /// The error function of each element.
  public func erf() -> Tensor { map { .erf($0) } }

  /// 1 less the error function of each element, without cancellation. See `Scalar.complementaryErf`.
  public func complementaryErf() -> Tensor {
    map {
      .complementaryErf($0)
    } derivative: { x, _ in
      -1.128_379_167_095_512_6 * .exp(-(x * x))
    }
  }

  /// The number whose error function each element is. See `Scalar.inverseErf`.
  public func inverseErf() -> Tensor {
    map {
      .inverseErf($0)
    } derivative: { _, y in
      0.886_226_925_452_758 * .exp(y * y)
    }
  }

  /// The distribution function of the standard normal distribution at each element; small values keep digits.
  public func normalDistribution() -> Tensor {
    0.5 * (self * -0.5.squareRoot()).complementaryErf()
  }

  /// The number below which the standard normal distribution has each element's share; small ones keep digits.
  public func normalQuantile() -> Tensor {
    map {
      .normalQuantile($0)
    } derivative: { _, y in
      2.506_628_274_631_000_502 * .exp(0.5 * y * y)
    }
  }

  /// The Gaussian error linear unit x Phi(x), exact. Source: Hendrycks & Gimpel 2016, section 2.
  public func exactGelu() -> Tensor { map { x in 0.5 * x * (1 + .erf(0.707_106_781_186_547_524 * x)) } }

  /// The logarithm of |Gamma(x)| for each element. See `Scalar.logGamma`.
  public func logGamma() -> Tensor { map { .logGamma($0) } }
  /// The derivative of `logGamma` at each element.
  public func digamma() -> Tensor {
    map {
      .digamma($0)
    } derivative: { x, _ in
      .trigamma(x)
    }
  }
  /// The second derivative of `logGamma` at each element.
  public func trigamma() -> Tensor { map { .trigamma($0) } }

  /// log(e^x + e^y) without overflow; shapes broadcast.
  public static func logAddExp(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .logAddExp($0, $1) } }

  /// Each element to a whole power; see `Scalar.integerPower`.
  public func power(_ exponent: Int) -> Tensor { map { .integerPower($0, exponent) } }

  /// The elements held in `range`; the gradient is 0 outside it.
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    map { .clamp($0, from: Scalar(range.lowerBound), to: Scalar(range.upperBound)) }
  }

  /// e to the power of each element, less 1, exact near 0.
  public func expm1() -> Tensor { map { .expm1($0) } }
  /// log(1 + x) for each element, exact near 0.
  public func log1p() -> Tensor { map { .log1p($0) } }
  /// 1 divided by the square root of each element.
  public func reciprocalSquareRoot() -> Tensor { map { .reciprocalSquareRoot($0) } }
  /// The sine of each element.
  public func sin() -> Tensor { map { .sin($0) } }
  /// The cosine of each element.
  public func cos() -> Tensor { map { .cos($0) } }
  /// -1, 0 or 1 for each element.
  public func sign() -> Tensor { map { .sign($0) } }
  /// The largest whole number that is not greater, for each element; no gradient flows.
  public func floor() -> Tensor { map { .floor($0) } }
  /// The smallest whole number that is not less, for each element; no gradient flows.
  public func ceil() -> Tensor { map { .ceil($0) } }
  /// The nearest whole number, ties to even, for each element; no gradient flows.
  public func rounded() -> Tensor { map { .round($0) } }

  // MARK: Straight through

  /// The nearest whole numbers, with the gradient of the identity.
  ///
  /// Source: Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons", section 4.
  public func roundedStraightThrough() -> Tensor {
    map {
      .round($0)
    } derivative: { x, _ in
      .constant(1, x.type)
    }
  }

  /// 1 where an element is at least 0, else 0; no gradient flows.
  public func step() -> Tensor { map { .step($0) } }

  /// `step()`, with the gradient of the identity where elements lie within `width` of 0, and none elsewhere.
  ///
  /// Source: Hubara et al. 2016, "Binarized neural networks", section 1.3.
  public func stepStraightThrough(within width: Double = .infinity) -> Tensor {
    map {
      .step($0)
    } derivative: { x, _ in
      .select(.absolute(x) .<= Scalar(width), .constant(1, x.type), .constant(0, x.type))
    }
  }

  /// `step()`, with the derivative of sigmoid(`slope` x) in its place, as for spiking networks.
  public func stepSurrogate(slope: Double) -> Tensor {
    map {
      .step($0)
    } derivative: { x, _ in
      let sigmoid = Scalar.sigmoid(Scalar(slope) * x)
      return Scalar(slope) * sigmoid * (1 - sigmoid)
    }
  }

  /// These values, with the gradient flowing to `other` as if it were they: other + stop(self - other).
  public func straightThrough(to other: Tensor) -> Tensor { other + (self - other).stoppingGradient() }
}
