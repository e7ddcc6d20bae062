import HeklaArrays

/// What random numbers are a function of: a key known when the graph is built, or a tensor that is given one.
public protocol RandomSource: Sendable {
  /// The key as a tensor, `uint32` of shape `[2]`.
  var keyTensor: Tensor { get }
}

extension RandomKey: RandomSource {
  /// A constant that holds the key.
  public var keyTensor: Tensor { Tensor(self) }
}

extension Tensor: RandomSource {
  /// The tensor itself.
  public var keyTensor: Tensor { self }
}

/// Distributions, all `float32` unless said otherwise, each a function of key and position alone.
///
/// No gradient flows through what is drawn by rejection or is a whole number; multiply and shift a standard number
/// to learn a location and a scale.
extension Tensor {
  /// A uniform number in the open interval (0, 1), with 23 random bits: neither end, so logarithms are finite.
  private static func openUniform(_ shape: Shape, _ key: some RandomSource) -> Tensor {
    // The 24 bits of `uniform`, less the last and plus half a step.
    uniform(shape, key: key.keyTensor).map { .floor($0 * 0x1p23) * 0x1p-23 + 0x1p-24 }
  }

  /// Exponential with density rate e^(-rate x).
  public static func exponential(_ shape: Shape, key: some RandomSource, rate: Double = 1) -> Tensor {
    uniform(shape, key: key.keyTensor).map { -.log1p(-$0) / Scalar(rate) }
  }

  /// Laplace with density e^(-|x - mean| / scale) / (2 scale).
  public static func laplace(
    _ shape: Shape, key: some RandomSource, mean: Double = 0, scale: Double = 1
  ) -> Tensor {
    openUniform(shape, key).map { u in
      let side = u - 0.5
      return Scalar(mean) - Scalar(scale) * .sign(side) * .log1p(-2 * .absolute(side))
    }
  }

  /// Standard Gumbel, -log(-log u): the largest of logits plus such numbers is distributed as their softmax.
  public static func gumbel(_ shape: Shape, key: some RandomSource) -> Tensor {
    openUniform(shape, key).map { -.log(-.log($0)) }
  }

  /// Logistic with distribution function sigmoid((x - mean) / scale).
  public static func logistic(
    _ shape: Shape, key: some RandomSource, mean: Double = 0, scale: Double = 1
  ) -> Tensor {
    openUniform(shape, key).map { Scalar(mean) + Scalar(scale) * (.log($0) - .log1p(-$0)) }
  }

  /// True with probability `probability`, a `bool`.
  public static func bernoulli(_ shape: Shape, key: some RandomSource, probability: Double) -> Tensor {
    uniform(shape, key: key.keyTensor) .< probability
  }

  /// True with each element's probability, a `bool` of the tensor's shape.
  public static func bernoulli(_ probabilities: Tensor, key: some RandomSource) -> Tensor {
    .map(uniform(probabilities.shape, key: key.keyTensor), probabilities) { $0 .< $1.converted(to: .float32) }
  }

  /// A class along the innermost axis with the probabilities whose unnormalized logarithms are `logits`.
  ///
  /// By the Gumbel-max trick; -infinity excludes a class. Source: Maddison et al. 2014, "A* sampling", section 2.
  /// - Returns: `int32` of the shape without the innermost axis.
  public static func categorical(logits: Tensor, key: some RandomSource) -> Tensor {
    (logits + gumbel(logits.shape, key: key).converted(to: logits.elementType)).argumentMaximum(along: -1)
  }

  /// Normal, restricted to `range`, which is in units of the standard deviation about the mean.
  ///
  /// By inverting the distribution function, so nothing is rejected. For ranges within five of the mean.
  public static func truncatedNormal(
    _ shape: Shape, key: some RandomSource, mean: Double = 0, standardDeviation: Double = 1,
    range: ClosedRange<Double> = -2...2
  ) -> Tensor {
    // erf at the ends, to float64, folded into the graph as constants.
    let ends = [range.lowerBound, range.upperBound].map {
      Scalar.erf(.input(0, .float64)).evaluate(inputs: [$0 * 0.5.squareRoot()])
    }
    return uniform(shape, key: key.keyTensor).map { u in
      let normal = Scalar(2.0.squareRoot()) * .inverseErf(Scalar(ends[0]) + Scalar(ends[1] - ends[0]) * u)
      return Scalar(mean) + Scalar(standardDeviation)
        * .clamp(normal, from: Scalar(range.lowerBound), to: Scalar(range.upperBound))
    }
  }

  // MARK: By rejection

  /// The first accepted of the candidates along axis 0, the very first where none is.
  private static func firstAccepted(_ candidates: Tensor, _ isAccepted: Tensor) -> Tensor {
    // The first of equal maxima.
    let position = isAccepted.converted(to: .int32).argumentMaximum(along: 0, keepingAxes: true)
    return Tensor.map(candidates, position) { .select(.coordinate(0) .== $1, $0, 0) }.sum(along: 0)
  }

  /// How many proposals a gamma number has.
  ///
  /// Each is accepted with probability 0.95 or more (table 1 of the paper; the least is at shape 1), so that all
  /// eight fail with probability below 4e-11: less than the resolution of the 24 bits it is drawn from.
  private static let gammaProposals = 8

  /// Factors of a gamma number: one of shape at least 1, and the logarithm of the power of a uniform number that
  /// brings it to a smaller shape.
  private static func gammaFactors(_ concentration: Tensor, _ key: Tensor) -> (
    value: Tensor, logPower: Tensor
  ) {
    let alpha = concentration.converted(to: .float32).stoppingGradient()
    let proposals = Shape([gammaProposals] + alpha.shape.extents)
    let raised = alpha.map { .select($0 .< 1, $0 + 1, $0) }
    let normal = Tensor.normal(proposals, key: key.folded(in: 0))
    let u = openUniform(proposals, key.folded(in: 1))
    let cube = Tensor.map(normal, raised) { x, alpha in
      let root = 1 + x / .sqrt(9 * alpha - 3)
      return root * root * root
    }
    let isAccepted = Tensor.map([normal, u, cube, raised]) { x in
      let d = x[3] - Scalar(1.0 / 3)
      let v = Scalar.maximum(x[2], 1e-30)
      return (x[2] .> 0) .& (.log(x[1]) .< 0.5 * x[0] * x[0] + d * (1 - v + .log(v)))
    }
    let value = Tensor.map(firstAccepted(cube.map { .maximum($0, 1e-30) }, isAccepted), raised) {
      $0 * ($1 - Scalar(1.0 / 3))
    }
    let logPower = Tensor.map(openUniform(alpha.shape, key.folded(in: 2)), alpha) {
      .select($1 .< 1, .log($0) / $1, 0)
    }
    return (value, logPower)
  }

  /// Gamma with density x^(a - 1) e^-x / Gamma(a), one number per element a of `concentration`, which is positive.
  ///
  /// No gradient flows. Source: Marsaglia & Tsang 2000, "A simple method for generating gamma variables", with a
  /// fixed number of proposals, and section 6 for shapes below 1.
  public static func gamma(_ concentration: Tensor, key: some RandomSource) -> Tensor {
    let factors = gammaFactors(concentration, key.keyTensor)
    return .map(factors.value, factors.logPower) { $0 * .exp($1) }
  }

  /// The logarithms of gamma numbers, which do not underflow for small shapes as the numbers do.
  private static func logGamma(_ concentration: Tensor, _ key: Tensor) -> Tensor {
    let factors = gammaFactors(concentration, key)
    return factors.value.log() + factors.logPower
  }

  /// Beta with density proportional to x^(a - 1) (1 - x)^(b - 1), for the elements a and b of two tensors of one
  /// shape. No gradient flows.
  public static func beta(_ a: Tensor, _ b: Tensor, key: some RandomSource) -> Tensor {
    // X / (X + Y) of two gamma numbers.
    (logGamma(a, key.keyTensor.folded(in: 0)) - logGamma(b, key.keyTensor.folded(in: 1))).sigmoid()
  }

  /// Dirichlet: shares along the innermost axis that sum to 1. No gradient flows.
  public static func dirichlet(_ concentration: Tensor, key: some RandomSource) -> Tensor {
    logGamma(concentration, key.keyTensor).softmax(along: -1)
  }

  /// Student's t with as many degrees of freedom as each element says.
  public static func studentT(degreesOfFreedom: Tensor, key: some RandomSource) -> Tensor {
    let half = degreesOfFreedom.converted(to: .float32) * 0.5
    let gamma = Tensor.gamma(half, key: key.keyTensor.folded(in: 0))
    let normal = Tensor.normal(half.shape, key: key.keyTensor.folded(in: 1))
    return .map(normal, half, gamma) { $0 * .sqrt($1 / $2) }
  }

  /// Poisson with each element as its mean: whole numbers, as `float32`. For means up to a million.
  ///
  /// Below 10 by inversion, over 48 terms: more has probability below 1e-17. From 10 on by transformed rejection
  /// with 16 proposals, of which each is accepted with probability 0.75 or more, so that all fail with probability
  /// below 3e-10; then the first stands, itself close to the distribution. No gradient flows. Source: Hormann
  /// 1993, "The transformed rejection method for generating Poisson random variables", algorithm PTRS.
  public static func poisson(_ means: Tensor, key: some RandomSource) -> Tensor {
    let means = means.converted(to: .float32).stoppingGradient()
    let u = openUniform(means.shape, key.keyTensor.folded(in: 0))
    let small = Tensor.map(u, means) { u, mean in
      // The number of values of the distribution function that lie below u.
      let mean = Scalar.minimum(mean, 10)
      var (term, sum) = (Scalar.exp(-mean), Scalar.exp(-mean))
      var count = Scalar.select(u .> sum, 1, 0).converted(to: .float32)
      for number in 1..<48 {
        term = term * mean * Scalar(1 / Double(number))
        sum = sum + term
        count = count + .select(u .> sum, .constant(1), .constant(0))
      }
      return count
    }
    let proposals = Shape([16] + means.shape.extents)
    let x = openUniform(proposals, key.keyTensor.folded(in: 1)).map { $0 - 0.5 }
    let v = openUniform(proposals, key.keyTensor.folded(in: 2))
    func width(_ mean: Scalar) -> Scalar { 0.931 + 2.53 * .sqrt(mean) }
    func left(_ b: Scalar) -> Scalar { -0.059 + 0.024_83 * b }
    let large = means.map { .maximum($0, 10) }
    let candidates = Tensor.map(x, large) { x, mean in
      let b = width(mean)
      let side = 0.5 - .absolute(x)
      return .floor((2 * left(b) / side + b) * x + mean + 0.43)
    }
    let isAccepted = Tensor.map([x, v, candidates, large]) { operands in
      let (v, k, mean) = (operands[1], operands[2], operands[3])
      let b = width(mean)
      let (a, side) = (left(b), 0.5 - Scalar.absolute(operands[0]))
      let isInside = (side .>= 0.07) .& (v .<= 0.9277 - 3.6224 / (b - 2))
      let isExcluded = (k .< 0) .| ((side .< 0.013) .& (v .> side))
      let inverse = 1.1239 + 1.1328 / (b - 3.4)
      let proposed = Scalar.log(v * inverse / (a / (side * side) + b))
      let wanted = k * .log(mean) - mean - .logGamma(.maximum(k, 0) + 1)
      return isInside .| (.!isExcluded .& (proposed .<= wanted))
    }
    let drawn = firstAccepted(candidates.map { .maximum($0, 0) }, isAccepted)
    return .map(small, drawn, means) { .select($2 .< 10, $0, $1) }
  }
}
