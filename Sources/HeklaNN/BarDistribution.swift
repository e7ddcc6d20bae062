import Foundation
import HeklaArrays
import HeklaTensors

/// Distributions of a number that are constant within buckets, with half-normal tails: a histogram that is
/// learned.
///
/// Logits, shape `[..., K]`, give each of K buckets its probability p_k; within bucket k the density is p_k
/// divided by the width. The two buckets at the ends are half-normal instead and reach to infinity, so every
/// number has a density: half of their probability lies within their own width, so their scale is width /
/// Phi^-1(3/4). Source: Müller et al. 2022, "Transformers can do Bayesian inference", the Riemann
/// distribution.
public struct BarDistribution: Sendable {
  /// The ends of the buckets, K + 1 growing numbers.
  public let borders: [Double]

  /// Buckets between neighbours of `borders`, which grow and are three or more.
  public init(borders: [Double], file: StaticString = #fileID, line: UInt = #line) {
    require(
      borders.count >= 3 && zip(borders, borders.dropFirst()).allSatisfy { $0 < $1 }
        && borders.allSatisfy(\.isFinite),
      "bar-distribution: \(borders.count) borders; they must be finite, grow, and make two buckets or more",
      file: file, line: line)
    self.borders = borders
  }

  /// `count` buckets that each hold the same share of `samples`, the ends at the least and the greatest of
  /// them.
  /// - Precondition: There are more samples than buckets, and few are equal.
  public init(_ count: Int, quantilesOf samples: [Double], file: StaticString = #fileID, line: UInt = #line) {
    require(
      count >= 2 && samples.count > count,
      "bar-distribution: \(count) buckets of \(samples.count) samples; two or more need more samples than buckets",
      file: file, line: line)
    let sorted = samples.sorted()
    let borders = (0...count).map { sorted[$0 * (sorted.count - 1) / count] }
    self.init(borders: borders, file: file, line: line)
  }

  /// K, the number of buckets.
  public var count: Int { borders.count - 1 }

  private var widths: [Double] { zip(borders, borders.dropFirst()).map { $1 - $0 } }

  /// The inner ends of the two end buckets, and the scales of the half-normal distributions that start there.
  private var tails: (lower: (start: Double, scale: Double), upper: (start: Double, scale: Double)) {
    // The quartile of the standard normal distribution.
    let scales = [widths[0], widths[count - 1]].map { $0 / 0.674_489_750_196_081_7 }
    return ((borders[1], scales[0]), (borders[count - 1], scales[1]))
  }

  // MARK: Density

  /// -log p(y), with gradients for logits; the density is right-continuous at borders.
  /// - Parameters:
  ///   - logits: Shape `[..., K]`.
  ///   - y: Shape `[...]`.
  /// - Returns: Shape `[...]`, in nats.
  public func negativeLogDensity(
    logits: Tensor, at y: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    requireFit(logits, y, file: file, line: line)
    var (lower, upper, logWidths) = (
      Array(borders.dropLast()), Array(borders.dropFirst()), widths.map { log($0) }
    )
    (lower[0], upper[count - 1]) = (-.infinity, .infinity)
    (logWidths[0], logWidths[count - 1]) = (0, 0)
    // Comparing with the borders, instead of searching and gathering, makes this an expression that fuses.
    let picked = Tensor.map(
      [logits, y.expanded(at: -1)] + [lower, upper, logWidths].map { constant($0, logits) }
    ) { x in
      .select((x[2] .<= x[1]) .& (x[1] .< x[3]), x[0] - x[4], 0)
    }.sum(along: -1)
    let ends = tails
    func half(_ distance: Scalar, _ scale: Double) -> Scalar {
      let z = distance * Scalar(1 / scale)
      return Scalar(0.5 * log(2 / Double.pi) - log(scale)) - 0.5 * z * z
    }
    return .map(logits.logSumExp(along: -1), picked, y) { total, picked, y in
      let tail = Scalar.select(
        y .< Scalar(ends.lower.start), half(Scalar(ends.lower.start) - y, ends.lower.scale),
        .select(y .>= Scalar(ends.upper.start), half(y - Scalar(ends.upper.start), ends.upper.scale), 0))
      return total - picked - tail
    }
  }

  // MARK: What the distributions come to

  /// The means, shape `[...]`, of logits of shape `[..., K]`.
  public func mean(logits: Tensor) -> Tensor {
    var centers = zip(borders, borders.dropFirst()).map { 0.5 * ($0 + $1) }
    let ends = tails
    // A half-normal distribution has its mean at sqrt(2 / pi) scales.
    let distance = (2 / Double.pi).squareRoot()
    centers[0] = ends.lower.start - distance * ends.lower.scale
    centers[count - 1] = ends.upper.start + distance * ends.upper.scale
    return (logits.softmax() * constant(centers, logits)).sum(along: -1)
  }

  /// The probability of a number below y, shape `[...]`.
  /// - Parameters:
  ///   - logits: Shape `[..., K]`.
  ///   - y: Shape `[...]`.
  public func cumulativeProbability(
    logits: Tensor, at y: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    requireFit(logits, y, file: file, line: line)
    let (ends, last) = (tails, Scalar.constant(Double(count - 1), .int32))
    let bucket = Scalar.coordinate(logits.rank - 1)
    return Tensor.map(
      [
        logits.softmax(), y.expanded(at: -1), constant(Array(borders.dropLast()), logits),
        constant(widths, logits),
      ]
    ) { x in
      let y = x[1]
      let inside = Scalar.clamp((y - x[2]) / x[3], from: 0, to: 1)
      let below =
        1
        - Scalar.erf(.maximum(Scalar(ends.lower.start) - y, 0) * Scalar(0.5.squareRoot() / ends.lower.scale))
      let above = Scalar.erf(
        .maximum(y - Scalar(ends.upper.start), 0) * Scalar(0.5.squareRoot() / ends.upper.scale))
      return x[0] * .select(bucket .== .constant(0, .int32), below, .select(bucket .== last, above, inside))
    }.sum(along: -1)
  }

  /// The numbers below which a share of `probability` lies, shape `[...]`, of logits of shape `[..., K]`.
  public func quantile(
    logits: Tensor, _ probability: Double, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      probability > 0 && probability < 1, "bar-distribution: the quantile of \(probability) is not in 0...1",
      file: file, line: line)
    let p = logits.softmax()
    let (ends, last) = (tails, Scalar.constant(Double(count - 1), .int32))
    let bucket = Scalar.coordinate(logits.rank - 1)
    // The one bucket that the probability falls into gives its place, the others 0.
    return Tensor.map(
      [
        p, p.cumulativeSum(along: -1, isExclusive: true), constant(Array(borders.dropLast()), logits),
        constant(widths, logits),
      ]
    ) { x in
      let isFirst = bucket .== .constant(0, .int32), isLast = bucket .== last
      // Rounding may leave the sum of all a little below 1: the last bucket takes what is left.
      let isHere =
        (isFirst .| (x[1] .<= Scalar(probability))) .& (isLast .| (Scalar(probability) .< x[1] + x[0]))
      let share = Scalar.clamp((Scalar(probability) - x[1]) / .maximum(x[0], 1e-30), from: 1e-6, to: 1 - 1e-6)
      func distance(_ share: Scalar, _ scale: Double) -> Scalar {
        Scalar(2.0.squareRoot() * scale) * .inverseErf(share)
      }
      let place = Scalar.select(
        isFirst, Scalar(ends.lower.start) - distance(1 - share, ends.lower.scale),
        .select(isLast, Scalar(ends.upper.start) + distance(share, ends.upper.scale), x[2] + share * x[3]))
      return .select(isHere, place, 0)
    }.sum(along: -1)
  }

  /// `numbers`, one for each bucket, in the type of the logits.
  private func constant(_ numbers: [Double], _ logits: Tensor) -> Tensor {
    Tensor(HostArray(converting: numbers, shape: [count], to: logits.elementType))
  }

  private func requireFit(_ logits: Tensor, _ y: Tensor, file: StaticString, line: UInt) {
    require(
      logits.rank >= 1 && logits.shape[-1] == count && y.elementType == logits.elementType
        && y.shape.extents == logits.shape.extents.dropLast(),
      "bar-distribution: logits \(logits.signature) and numbers \(y.signature) must be [..., \(count)] and [...]",
      file: file, line: line)
  }
}
