import Foundation

/// The largest distance between the empirical distribution function of `values` and `cdf`, times the root of
/// their number.
///
/// By Kolmogorov's theorem it exceeds 1.95 with probability 0.001: for a fixed key a test that passes once passes
/// always. Where `isDiscrete`, values are compared at the steps only, and the bound holds all the more.
public func kolmogorovDistance(
  _ values: [Double], isDiscrete: Bool = false, from cdf: (Double) -> Double
) -> Double {
  let sorted = values.sorted()
  let n = Double(sorted.count)
  var largest = 0.0
  for (index, value) in sorted.enumerated() {
    let expected = cdf(value)
    // Of equal values the last has the height of the step.
    let isLast = index + 1 == sorted.count || sorted[index + 1] > value
    if isLast || !isDiscrete { largest = max(largest, abs(Double(index + 1) / n - expected)) }
    if !isDiscrete { largest = max(largest, abs(expected - Double(index) / n)) }
  }
  return sorted.contains { $0.isNaN } ? .infinity : largest * n.squareRoot()
}

/// The regularized incomplete gamma function P(a, x) by its series. Source: Abramowitz & Stegun 1964, 6.5.29.
public func incompleteGamma(_ a: Double, _ x: Double) -> Double {
  guard x > 0 else { return 0 }
  var (term, sum, n) = (1 / a, 1 / a, a)
  while term > sum * 1e-16 {
    n += 1
    term *= x / n
    sum += term
  }
  return sum * exp(a * log(x) - x - lgamma(a))
}

/// The distribution function of the standard normal distribution.
public func normalDistribution(_ x: Double) -> Double { erfc(-x * 0.5.squareRoot()) / 2 }
