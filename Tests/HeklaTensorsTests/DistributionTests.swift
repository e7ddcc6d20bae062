import Foundation
import HeklaArrays
import HeklaTensors
import TestSupport
import Testing

/// Each distribution's numbers for a fixed key against its exact distribution function.
@Suite struct DistributionTests {
  static let count = 1000

  static func distance(_ tensor: Tensor, _ cdf: (Double) -> Double) -> Double {
    kolmogorovDistance(numbers(of: tensor), from: cdf)
  }

  static func key(_ seed: UInt64) -> RandomKey { RandomKey(seed: seed) }

  @Test func `Distributions by inversion follow their distribution functions`() {
    let shape: Shape = [Self.count]
    #expect(Self.distance(.exponential(shape, key: Self.key(1), rate: 2)) { 1 - exp(-2 * $0) } < 1.95)
    #expect(
      Self.distance(.laplace(shape, key: Self.key(2), mean: 1, scale: 0.5)) {
        let z = ($0 - 1) / 0.5
        return z < 0 ? exp(z) / 2 : 1 - exp(-z) / 2
      } < 1.95)
    #expect(Self.distance(.gumbel(shape, key: Self.key(3))) { exp(-exp(-$0)) } < 1.95)
    #expect(
      Self.distance(.logistic(shape, key: Self.key(4), mean: -1, scale: 2)) { 1 / (1 + exp(-($0 + 1) / 2)) }
        < 1.95)
    let truncated = Tensor.truncatedNormal(
      shape, key: Self.key(5), mean: 3, standardDeviation: 2, range: -1...2.5)
    #expect(
      Self.distance(truncated) {
        (normalDistribution(($0 - 3) / 2) - normalDistribution(-1))
          / (normalDistribution(2.5) - normalDistribution(-1))
      } < 1.95)
    let values = numbers(of: truncated)
    #expect(values.allSatisfy { (1...8).contains($0) })
  }

  @Test(arguments: [0.2, 1, 2.5, 40]) func `Gamma numbers follow the incomplete gamma function`(_ a: Double) {
    let gamma = Tensor.gamma(.full([Self.count], a), key: Self.key(6))
    #expect(Self.distance(gamma) { incompleteGamma(a, $0) } < 1.95)
  }

  @Test func `Beta, Dirichlet and Student's t follow their distribution functions`() {
    let shape: Shape = [Self.count]
    let beta = Tensor.beta(.full(shape, 2), .full(shape, 3), key: Self.key(7))
    #expect(Self.distance(beta) { x in x * x * (6 - 8 * x + 3 * x * x) } < 1.95)
    let shares = Tensor.dirichlet(.full([Self.count, 3], 1), key: Self.key(8))
    #expect(numbers(of: shares.sum(along: -1)).allSatisfy { abs($0 - 1) < 1e-12 })
    // One share of three with unit concentrations is Beta(1, 2).
    #expect(Self.distance(shares.element(1, along: -1)) { 1 - (1 - $0) * (1 - $0) } < 1.95)
    // Tiny concentrations underflow as gamma numbers, not as shares.
    let tiny = numbers(of: .dirichlet(.full([50, 3], 1e-3), key: Self.key(9)))
    #expect(tiny.allSatisfy { $0.isFinite })
    let t = Tensor.studentT(degreesOfFreedom: .full(shape, 4), key: Self.key(10))
    let cdf: (Double) -> Double = { x in
      let s = 1 + x * x / 4
      return 0.5 + 0.375 * x / s.squareRoot() * (1 - x * x / (12 * s))
    }
    #expect(Self.distance(t, cdf) < 1.95)
  }

  @Test(arguments: [0.3, 6, 12, 300]) func `Poisson numbers have the distribution's probabilities`(
    _ mean: Double
  ) {
    let found = numbers(of: .poisson(.full([Self.count], mean), key: Self.key(11)))
    #expect(found.allSatisfy { $0 >= 0 && $0 == $0.rounded() })
    // P(X <= k) = 1 - P(k + 1, mean).
    let distance = kolmogorovDistance(found, isDiscrete: true) { 1 - incompleteGamma($0 + 1, mean) }
    #expect(distance < 1.95)
  }

  @Test func `Classes and coins come up as often as they should`() {
    let logits = Tensor([log(0.2), log(0.5), -.infinity, log(0.3)]).broadcast(to: [Self.count, 4])
    let classes = numbers(of: .categorical(logits: logits, key: Self.key(12)))
    // Four standard deviations of a share of 1000: 0.064.
    for (index, share) in [0.2, 0.5, 0, 0.3].enumerated() {
      let found = Double(classes.filter { $0 == Double(index) }.count) / Double(Self.count)
      #expect(abs(found - share) < (share == 0 ? 1e-12 : 0.064))
    }
    let coins = numbers(of: .bernoulli([Self.count], key: Self.key(13), probability: 0.3))
    #expect(abs(coins.reduce(0, +) / Double(Self.count) - 0.3) < 0.064)
    let certain = Tensor([0.0, 1, 0, 1] as [Float])
    #expect(numbers(of: .bernoulli(certain, key: Self.key(14))) == [0, 1, 0, 1])
  }

  @Test func `A key in a tensor gives the same numbers`() {
    let key = Self.key(15)
    #expect(numbers(of: .gamma(.ones([20]), key: key)) == numbers(of: .gamma(.ones([20]), key: Tensor(key))))
    #expect(numbers(of: .gumbel([20], key: key)) == numbers(of: .gumbel([20], key: Tensor(key))))
  }
}
