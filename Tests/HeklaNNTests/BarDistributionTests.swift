import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct BarDistributionTests {
  static let borders = [-2.0, -0.5, 0.1, 0.4, 1, 3.5]
  static let logits = numbers(5, seed: 3).map { 2 * $0 }
  let bars = BarDistribution(borders: borders)

  private static let p: [Double] = {
    let total = logits.map { exp($0) }.reduce(0, +)
    return logits.map { exp($0) / total }
  }()

  /// The tensor of the logits repeated for `count` numbers.
  private static func repeated(_ count: Int) -> Tensor {
    constant((0..<count).flatMap { _ in logits }, [count, 5])
  }

  /// -log p at each of `points`.
  private func losses(_ points: [Double]) -> [Double] {
    values(bars.negativeLogDensity(logits: Self.repeated(points.count), at: constant(points, [points.count])))
  }

  private func cumulative(_ points: [Double]) -> [Double] {
    values(
      bars.cumulativeProbability(logits: Self.repeated(points.count), at: constant(points, [points.count])))
  }

  /// The scale of a half-normal distribution that has half of its mass below `width`.
  private func scale(_ width: Double) -> Double { width / 0.674489750196081743 }

  @Test func `Within a bucket the density is its probability by its width`() {
    let found = losses([-0.5, 0, 0.1, 0.25, 0.7])
    let expected = [(1, 0.6), (1, 0.6), (2, 0.3), (2, 0.3), (3, 0.6)].map { -log(Self.p[$0.0] / $0.1) }
    #expect(agree(found, expected, within: 1e-12))
  }

  @Test func `Beyond the inner borders it is half-normal, however far out`() {
    func expected(_ bucket: Int, _ distance: Double, _ width: Double) -> Double {
      let s = scale(width)
      return -log(Self.p[bucket]) - log((2 / Double.pi).squareRoot() / s) + distance * distance / (2 * s * s)
    }
    let found = losses([-0.6, -2, -40, 1, 2, 30])
    let wanted = [
      expected(0, 0.1, 1.5), expected(0, 1.5, 1.5), expected(0, 39.5, 1.5), expected(4, 0, 2.5),
      expected(4, 1, 2.5), expected(4, 29, 2.5),
    ]
    #expect(agree(found, wanted, within: 1e-12))
  }

  @Test func `The density integrates to 1, and its integral is the cumulative probability`() {
    // Simpson's rule within each bucket: exact for constants, and for tails, whose odd derivatives vanish at both ends,
    // far below 1e-12 at steps of 0.12 scales; 12 scales out a tail holds 1e-32.
    let ends = [-0.5 - 12 * scale(1.5)] + Self.borders[1...4] + [1 + 12 * scale(2.5)]
    var total = 0.0
    for (low, high) in zip(ends, ends.dropFirst()) {
      let count = 100, step = (high - low) / Double(count)
      // The right end belongs to the next bucket, so it is taken just inside.
      let points = (0...count).map { $0 == count ? high - 1e-12 : low + Double($0) * step }
      let weights = points.indices.map { $0 == 0 || $0 == count ? 1.0 : $0 % 2 == 1 ? 4 : 2 }
      total += zip(losses(points), weights).map { exp(-$0) * $1 }.reduce(0, +) * step / 3
      #expect(abs(total - cumulative([high])[0]) < 1e-9, "at \(high)")
    }
    #expect(abs(total - 1) < 1e-9)
    // Half of a tail's mass lies within its bucket.
    #expect(agree(cumulative([-2, 3.5]), [Self.p[0] / 2, 1 - Self.p[4] / 2], within: 1e-12))
  }

  @Test func `Quantiles undo the cumulative probability`() {
    for probability in [0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999] {
      let place = values(bars.quantile(logits: Self.repeated(1), probability))
      #expect(abs(cumulative(place)[0] - probability) < 1e-12, "\(probability)")
    }
  }

  @Test func `The mean is that of the density`() {
    let tail = (2 / Double.pi).squareRoot()
    let centers = [-0.5 - tail * scale(1.5), -0.2, 0.25, 0.7, 1 + tail * scale(2.5)]
    let expected = zip(Self.p, centers).map(*).reduce(0, +)
    #expect(agree(values(bars.mean(logits: Self.repeated(1))), [expected], within: 1e-12))
  }

  @Test func `Borders are quantiles of the samples, from the least to the greatest`() {
    let samples = (0...1000).map { Double(($0 * 389) % 1001) }
    #expect(BarDistribution(4, quantilesOf: samples).borders == [0, 250, 500, 750, 1000])
  }

  @Test func `Its gradient is right`() {
    let error = gradientError(numbers(15, seed: 5), [3, 5]) { logits in
      bars.negativeLogDensity(logits: logits, at: constant([-3, 0.2, 5], [3])).sum()
    }
    #expect(error < 1e-7)
  }
}
