import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct InitializerTests {
  /// One distribution's name, initializer, variance and bound.
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let initializer: Initializer
    let variance: Double
    var bound = Double.infinity
    /// E (x - mean)^4 over the variance's square.
    var kurtosis = 3.0
    var mean = 0.0
    var testDescription: String { name }
  }

  static let fanIn = 120
  static let fanOut = 80

  static let cases = [
    Case(
      name: "glorotUniform", initializer: .glorotUniform, variance: 2 / 200, bound: (6.0 / 200).squareRoot(),
      kurtosis: 1.8),
    Case(name: "glorotNormal", initializer: .glorotNormal, variance: 2 / 200),
    Case(
      name: "heUniform", initializer: .heUniform, variance: 2 / 120, bound: (6.0 / 120).squareRoot(),
      kurtosis: 1.8),
    Case(name: "heNormal", initializer: .heNormal, variance: 2 / 120),
    Case(
      name: "lecunUniform", initializer: .lecunUniform, variance: 1 / 120, bound: (3.0 / 120).squareRoot(),
      kurtosis: 1.8
    ),
    Case(name: "lecunNormal", initializer: .lecunNormal, variance: 1 / 120),
    Case(name: "normal", initializer: .normal(mean: 3, standardDeviation: 2), variance: 4, mean: 3),
    Case(
      name: "uniform", initializer: .uniform(from: -1, to: 3), variance: 16 / 12, bound: 2, kurtosis: 1.8,
      mean: 1),
    // Cut at two standard deviations: variance 1 - 4 phi(2) / erf(sqrt 2) = 0.77374, fourth moment 1.4161.
    Case(
      name: "truncatedNormal", initializer: .truncatedNormal(standardDeviation: 0.5),
      variance: 0.25 * 0.773_741,
      bound: 1, kurtosis: 2.37),
  ]

  @Test(arguments: cases) func `Values have the distribution's mean, variance and bounds`(_ test: Case) {
    let count = Self.fanIn * Self.fanOut
    let drawn = values(
      test.initializer(
        [Self.fanIn, Self.fanOut], fanIn: Self.fanIn, fanOut: Self.fanOut, key: RandomKey(seed: 7)))
    let mean = drawn.reduce(0, +) / Double(count)
    let variance = drawn.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    // Four standard errors, of the mean and of the variance: a right distribution fails in one of 16,000
    // keys.
    let meanError = (test.variance / Double(count)).squareRoot()
    let varianceError = ((test.kurtosis - 1) / Double(count)).squareRoot()
    #expect(abs(mean - test.mean) < 4 * meanError)
    #expect(abs(variance / test.variance - 1) < 4 * varianceError)
    // The bound is reached nearly: of 9,600 values the largest is within 1% of it, unless luck is below
    // e^-24.
    if test.bound.isFinite {
      let largest = drawn.map { abs($0 - test.mean) }.max() ?? 0
      #expect(largest <= test.bound * (1 + 1e-6))
      #expect(largest > test.bound * 0.98)
    }
  }

  @Test func `The truncated normal inverts the distribution function to single precision`() {
    let key = RandomKey(seed: 5)
    let drawn = values(
      Initializer.truncatedNormal(standardDeviation: 1)([1000], fanIn: 1, fanOut: 1, key: key))
    let uniform = values(.uniform([1000], key: key))
    for (value, uniform) in zip(drawn, uniform) {
      let found = erf(value / 2.0.squareRoot())
      let expected = erf(2.0.squareRoot()) * (2 * uniform - 1)
      // The slope of erf(x / sqrt 2) is at most 0.8, so this is an error of 1e-6 in the value.
      #expect(abs(found - expected) < 8e-7)
    }
  }

  @Test func `Constants are what they are called`() {
    func drawn(_ initializer: Initializer) -> [Double] {
      values(initializer([2, 2], fanIn: 2, fanOut: 2, key: RandomKey(seed: 1)))
    }
    #expect(drawn(.zeros) == [0, 0, 0, 0])
    #expect(drawn(.ones) == [1, 1, 1, 1])
    #expect(drawn(.constant(-2.5)) == [-2.5, -2.5, -2.5, -2.5])
  }

  @Test func `Values follow from the key alone`() {
    func weights(_ seed: UInt64) -> [Double] {
      values(Linear(inputs: 5, outputs: 4, key: RandomKey(seed: seed)).weight.initial)
    }
    #expect(weights(1) == weights(1))
    #expect(weights(1) != weights(2))
  }
}
