import HeklaArrays

extension Scalar {
  /// 1 less the error function, without cancellation: small values keep their digits.
  ///
  /// Rational approximations of exp(x^2) erfc(x), good to float64. Source: Cody 1969, "Rational Chebyshev
  /// approximations for the error function", Math. Comp. 23.
  public static func complementaryErf(_ x: Scalar) -> Scalar {
    // Beyond 30 the value is below the smallest float64.
    let size = minimum(absolute(x), 30)
    // exp(-x^2) from a part whose square is exact and the small rest, as Cody does: x^2 alone would be rounded.
    let coarse = floor(size * 16) / 16
    let gaussian = exp(-(coarse * coarse)) * exp(-((size - coarse) * (size + coarse)))
    // Held in the range of each form: what the other form is chosen for must not overflow.
    let middle = minimum(maximum(size, 0.46875), 4)
    let inner =
      polynomial(middle, ComplementaryErf.middleNumerator)
      / polynomial(middle, ComplementaryErf.middleDenominator)
    let far = maximum(size, 4)
    let square = 1 / (far * far)
    let correction =
      square * polynomial(square, ComplementaryErf.farNumerator)
      / polynomial(square, ComplementaryErf.farDenominator)
    let outer = (0.564_189_583_547_756_287 - correction) / far
    let tail = gaussian * select(size .<= 4, inner, outer)
    return select(size .<= 0.46875, 1 - erf(x), select(x .< 0, 2 - tail, tail))
  }

  /// The number whose error function is `x`; infinite at -1 and 1, NaN beyond.
  ///
  /// To single precision by polynomials (Giles 2012, "Approximating the erfinv function"), and for float64, beyond
  /// their range, by the leading terms of the asymptotic series, followed by two steps of Halley's method, each of
  /// which cubes the error.
  public static func inverseErf(_ x: Scalar) -> Scalar {
    inverseErf(x, complement: 1 - absolute(x), isRefined: x.type == .float64)
  }

  /// The number below which the standard normal distribution has the share `p`; infinite at 0 and 1, NaN beyond.
  ///
  /// The inverse error function of 2 p - 1, with its distance from -1 taken from `p` itself: small shares keep digits.
  public static func normalQuantile(_ p: Scalar) -> Scalar {
    1.414_213_562_373_095_049 * inverseErf(2 * p - 1, complement: 2 * minimum(p, 1 - p), isRefined: true)
  }

  /// See `inverseErf(_:)`; `complement` is 1 - |x|, which may be known more exactly than `x`.
  private static func inverseErf(_ x: Scalar, complement: Scalar, isRefined: Bool) -> Scalar {
    let size = absolute(x)
    let w = -log(complement * (1 + size))
    let center = polynomial(minimum(w, 5) - 2.5, InverseErf.center)
    let tail = polynomial(sqrt(maximum(w, 5)) - 3, InverseErf.tail)
    var result = x * select(w .< 5, center, tail)
    if isRefined {
      let wide = maximum(w, 16)
      let far = sign(x) * sqrt(wide + 0.693_147_180_559_945_309 - 0.5 * log(3.141_592_653_589_793_238 * wide))
      result = select(w .< 16, result, far)
      for _ in 0..<2 {
        // The error of erf(y) against x, from the complement where x is close to 1.
        let error = select(
          size .< 0.5, erf(result) - x, sign(x) * (complement - complementaryErf(absolute(result))))
        let step = error / (1.128_379_167_095_512_6 * exp(-(result * result)))
        result = result - step / (1 + result * step)
      }
    }
    return select(complement .== 0, x * constant(.infinity, x.type), result)
  }

  /// The logarithm of the absolute value of the gamma function; infinite at 0 and the negative integers.
  ///
  /// Taylor's series about 2 where the argument is brought into [1.5, 2.5] by log Gamma(x + 1) = log x +
  /// log Gamma(x), Stirling's series from 7.5 on, and the reflection formula below 0. All pieces are analytic and
  /// their truncation lies below the rounding of float64, so derivatives of any order are those of the function.
  /// Source: Abramowitz & Stegun 1964, 6.1.15, 6.1.17, 6.1.33, 6.1.40.
  public static func logGamma(_ x: Scalar) -> Scalar {
    let isReflected = x .<= 0
    let y = select(isReflected, 1 - x, x)
    // From above: y - n in [1.5, 2.5] by dividing out (y - 1) ... (y - n); Gamma(y) is the product times that.
    let near = minimum(y, 7.5)
    var (reduced, product): (Scalar, Scalar) = (near, 1)
    for step in 1...5 {
      let factor = near - Scalar(Double(step))
      let isUsed = factor .>= 1.5
      product = step == 1 ? select(isUsed, factor, 1) : product * select(isUsed, factor, 1)
      reduced = select(isUsed, factor, reduced)
    }
    // From below: y + 1 or y + 2, with the logarithms of y and y + 1 taken off.
    let isSmall = near .< 0.5
    let isBelow = near .< 1.5
    let offset = select(isSmall, near, select(isBelow, near - 1, reduced - 2))
    let taken =
      select(isBelow, log1p(offset), 0) + select(isSmall, log(select(isSmall, near, 1)), -log(product))
    let central = offset * polynomial(offset, LogGamma.taylor) - taken
    let large = maximum(y, 7.5)
    // Far out the half logarithm is nothing beside the rest, and infinity less infinity would be NaN.
    let inverse = 1 / large
    let series = inverse * polynomial(inverse * inverse, LogGamma.stirling)
    let stirling =
      large * (log(large) - 1) - 0.5 * log(minimum(large, 1e30)) + 0.918_938_533_204_672_742 + series
    let positive = select(y .< 7.5, central, stirling)
    // The distance to the nearest integer: the sine of the whole argument would lose it.
    let distance = absolute(x - round(x))
    let mirrored = 1.144_729_885_849_400_174 - log(sin(3.141_592_653_589_793_238 * distance)) - positive
    let infinity = constant(.infinity, x.type)
    return select(isReflected, select(x .== -infinity, infinity, mirrored), positive)
  }

  /// The derivative of `logGamma`, taken from its expression, of the given order.
  static func logGammaDerivative(_ x: Scalar, order: Int) -> Scalar {
    (0..<order).reduce(logGamma(.input(0, x.type))) { derivative, _ in derivative.derivative(withRespectTo: 0)
    }
    .substituting(inputs: [x])
  }

  /// The derivative of `logGamma`.
  public static func digamma(_ x: Scalar) -> Scalar { logGammaDerivative(x, order: 1) }

  /// The second derivative of `logGamma`.
  ///
  /// By the recurrence to an argument of 10 or more, and Stirling's series there; by the reflection formula below 0. All
  /// terms of the recurrence have one sign, and so have those of its derivatives: nothing cancels, as it would in
  /// derivatives of `logGamma`'s expression. Source: Abramowitz & Stegun 1964, 6.4.6, 6.4.7, 6.4.12.
  public static func trigamma(_ x: Scalar) -> Scalar {
    let isReflected = x .<= 0
    let y = select(isReflected, 1 - x, x)
    let isNear = y .< 10
    let near = minimum(y, 10)
    let sum = (0..<10).reduce(constant(0, x.type)) { sum, step in
      let inverse = 1 / (near + Scalar(Double(step)))
      return sum + inverse * inverse
    }
    let inverse = 1 / select(isNear, near + 10, y)
    let square = inverse * inverse
    let series = inverse + 0.5 * square + inverse * square * polynomial(square, LogGamma.bernoulli)
    let positive = select(isNear, sum, 0) + series
    let sine = sin(3.141_592_653_589_793_238 * absolute(x - round(x)))
    return select(isReflected, 9.869_604_401_089_358_619 / (sine * sine) - positive, positive)
  }

  /// log(e^x + e^y) without overflow.
  public static func logAddExp(_ x: Scalar, _ y: Scalar) -> Scalar {
    // Equal operands, infinite ones included, have no difference, which could be NaN. As the mean plus log 2
    // there, and an expression of the smaller less the larger elsewhere, the derivatives are the two shares.
    let difference = x - y
    let below = select(difference .> 0, -difference, difference)
    let larger = select(difference .> 0, x, y)
    return select(x .== y, 0.5 * x + 0.5 * y + 0.693_147_180_559_945_309, larger + log1p(exp(below)))
  }

  /// `x` to a whole power by repeated multiplication: right for negative numbers, and differentiable at 0.
  public static func integerPower(_ x: Scalar, _ exponent: Int) -> Scalar {
    var result = constant(1, x.type)
    var square = x
    var rest = exponent.magnitude
    while rest > 0 {
      if rest & 1 == 1 { result = result * square }
      rest >>= 1
      if rest > 0 { square = square * square }
    }
    return exponent < 0 ? constant(1, x.type) / result : result
  }

  /// `x` held between two bounds; NaN stays.
  public static func clamp(_ x: Scalar, from lower: Scalar, to upper: Scalar) -> Scalar {
    minimum(maximum(x, lower), upper)
  }

  /// The point on the way from `left` to `right` that is `share` of it, in 0...1.
  ///
  /// An end that is infinite is left at once: shares 0 and 1 are the ends themselves, and only halfway between
  /// opposite infinities is NaN.
  static func between(_ left: Scalar, _ right: Scalar, at share: Scalar) -> Scalar {
    let rise = right - left
    let apart = (1 - share) * left + share * right
    let beyond = select(share .<= 0, left, select(share .>= 1, right, apart))
    return select(.isFinite(rise), left + share * rise, beyond)
  }

  /// Whether the number is neither infinite nor NaN, a `bool`.
  public static func isFinite(_ x: Scalar) -> Scalar {
    // Not by x - x, which a driver may take for 0 whatever x is.
    switch x.type {
    case .float64: absolute(x) .<= constant(Double.greatestFiniteMagnitude, .float64)
    case .float32: absolute(x) .<= constant(Double(Float.greatestFiniteMagnitude))
    default: x .== x
    }
  }

  /// The remainder with the sign of the divisor: x - y floor(x / y).
  public static func floorRemainder(_ x: Scalar, _ y: Scalar) -> Scalar {
    let zero = constant(0, x.type)
    let rest = x % y
    let hasOtherSign = (rest .< zero) .!= (y .< zero)
    return select((rest .!= zero) .& hasOtherSign, rest + y, rest)
  }

  /// 1 where `x` is at least 0, else 0; NaN gives 0.
  public static func step(_ x: Scalar) -> Scalar {
    select(x .>= constant(0, x.type), constant(1, x.type), constant(0, x.type))
  }

  /// The bits that both integers have.
  public static func bitAnd(_ x: Scalar, _ y: Scalar) -> Scalar { .apply(.bitAnd, [x, y]) }
  /// The bits that one of the integers has.
  public static func bitOr(_ x: Scalar, _ y: Scalar) -> Scalar { .apply(.bitOr, [x, y]) }
  /// The bits that exactly one of the integers has.
  public static func bitXor(_ x: Scalar, _ y: Scalar) -> Scalar { .apply(.bitXor, [x, y]) }
  /// The integer's bits moved up by `count`.
  public static func shiftLeft(_ x: Scalar, _ count: Scalar) -> Scalar { .apply(.shiftLeft, [x, count]) }
  /// The integer's bits moved down by `count`; signed types keep their sign.
  public static func shiftRight(_ x: Scalar, _ count: Scalar) -> Scalar { .apply(.shiftRight, [x, count]) }

  /// c0 + c1 x + c2 x^2 + ..., by Horner's rule.
  static func polynomial(_ x: Scalar, _ coefficients: [Double]) -> Scalar {
    coefficients.dropLast().reversed().reduce(constant(coefficients.last ?? 0, x.type)) {
      $0 * x + Scalar($1)
    }
  }
}

/// Cody's coefficients, lowest power first.
private enum ComplementaryErf {
  static let middleNumerator: [Double] = [
    1.230_339_354_797_997_25e3, 2.051_078_377_826_071_47e3, 1.712_047_612_634_070_58e3,
    8.819_522_212_417_690_90e2, 2.986_351_381_974_001_31e2, 6.611_919_063_714_162_95e1,
    8.883_149_794_388_375_94, 5.641_884_969_886_700_89e-1, 2.153_115_354_744_038_46e-8,
  ]
  static let middleDenominator: [Double] = [
    1.230_339_354_803_749_42e3, 3.439_367_674_143_721_64e3, 4.362_619_090_143_247_16e3,
    3.290_799_235_733_459_63e3, 1.621_389_574_566_690_19e3, 5.371_811_018_620_098_58e2,
    1.176_939_508_913_124_99e2, 1.574_492_611_070_983_47e1, 1,
  ]
  static let farNumerator: [Double] = [
    6.587_491_615_298_378_03e-4, 1.608_378_514_874_227_66e-2, 1.257_817_261_112_292_46e-1,
    3.603_448_999_498_044_39e-1, 3.053_266_349_612_323_44e-1, 1.631_538_713_730_209_78e-2,
  ]
  static let farDenominator: [Double] = [
    2.335_204_976_268_691_85e-3, 6.051_834_131_244_131_91e-2, 5.279_051_029_514_284_12e-1,
    1.872_952_849_923_467_25, 2.568_520_192_289_822_42, 1,
  ]
}

/// Giles's coefficients, lowest power first.
private enum InverseErf {
  static let center: [Double] = [
    1.501_409_41, 0.246_640_727, -0.004_177_681_64, -0.001_253_725_03, 0.000_218_580_87, -4.391_506_54e-06,
    -3.523_387_7e-06, 3.432_739_39e-07, 2.810_226_36e-08,
  ]
  static let tail: [Double] = [
    2.832_976_82, 1.001_674_06, 0.009_438_870_47, -0.007_622_461_3, 0.005_739_507_73, -0.003_673_428_44,
    0.001_349_343_22, 0.000_100_950_558, -0.000_200_214_257,
  ]
}

/// Coefficients of series for the logarithm of the gamma function, lowest power first.
private enum LogGamma {
  /// log Gamma(2 + z) / z: 1 - Euler's constant, then (-1)^k (zeta(k) - 1) / k.
  static let taylor: [Double] = [
    0.422_784_335_098_467_139, 0.322_467_033_424_113_218, -0.067_352_301_053_198_095,
    0.020_580_808_427_784_548,
    -0.007_385_551_028_673_985, 0.002_890_510_330_741_523, -0.001_192_753_911_703_261,
    0.000_509_669_524_743_042,
    -0.000_223_154_758_453_579, 9.945_751_278_180_853e-05, -4.492_623_673_813_314e-05,
    2.050_721_277_567_069e-05,
    -9.439_488_275_268_396e-06, 4.374_866_789_907_488e-06, -2.039_215_753_801_366e-06,
    9.551_412_130_407_420e-07,
    -4.492_469_198_764_566e-07, 2.120_718_480_555_467e-07, -1.004_322_482_396_81e-07,
    4.769_810_169_363_981e-08,
    -2.271_109_460_894_316e-08, 1.083_865_921_489_695e-08, -5.183_475_041_970_047e-09,
    2.483_674_543_802_478e-09,
    -1.192_140_140_586_091e-09, 5.731_367_241_678_862e-10, -2.759_522_885_124_233e-10,
  ]
  /// Bernoulli numbers B(2k).
  static let bernoulli: [Double] = [
    1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510, 43_867.0 / 798,
  ]
  /// B(2k) / (2k (2k - 1)).
  static let stirling = bernoulli.enumerated().map { index, number in
    number / Double((2 * index + 2) * (2 * index + 1))
  }
}
