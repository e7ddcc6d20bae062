import Foundation
import HeklaArrays
import HeklaTensors

extension Tensor {
  /// The nearest point of the probability simplex along `axis`: like softmax, but with exact zeros.
  ///
  /// Source: Martins & Astudillo 2016, "From softmax to sparsemax", equation 2.
  public func sparsemax(along axis: Int = -1) -> Tensor { entmax(alpha: 2, along: axis) }

  /// argmax of p z + H(p) along `axis`, with Tsallis's entropy of order `alpha`: p = [(alpha - 1) z - t]^(1 / (alpha - 1)).
  ///
  /// The threshold t by bisection in a fixed number of steps, without sorting; then one exact step of Newton's
  /// method, whose derivative is the implicit one, so that gradients are those of the solution itself and not of the
  /// iteration (of first order; the slope is held). Source: Peters et al. 2019, "Sparse sequence-to-sequence models", equation 10, algorithm 1 and
  /// proposition 2.
  /// - Parameter alpha: Greater than 1 and at most 2; 2 is sparsemax, 1.5 between it and softmax.
  public func entmax(alpha: Double = 1.5, along axis: Int = -1) -> Tensor {
    require(alpha > 1 && alpha <= 2, "entmax: alpha is \(alpha); it must be in 1...2, without 1")
    let extent = Double(shape[axis])
    let exponent = 1 / (alpha - 1)
    let largest = maximum(along: axis, keepingAxes: true).stoppingGradient()
    let z = (self - largest) * (alpha - 1)
    func power(_ z: Scalar, _ threshold: Scalar, _ exponent: Double) -> Scalar {
      let rest = z - threshold
      // Held above 0 in the branch not taken, where a power's derivative may be infinite.
      let held = Scalar.select(rest .> 0, rest, 1)
      let raised = exponent == 1 ? held : exponent == 2 ? held * held : .power(held, Scalar(exponent))
      return .select(rest .> 0, exponent == 0 ? .constant(1, rest.type) : raised, 0)
    }
    // One element at the largest value has probability 1 at -1; `extent` equal ones share at most at the other end.
    let fixed = z.stoppingGradient()
    var low = Tensor.full(largest.shape, -1, elementType)
    var width = 1 - pow(1 / extent, alpha - 1)
    for _ in 0..<(elementType == .float64 ? 50 : 24) {
      width /= 2
      let half = width
      let sum = Tensor.map(fixed, low) { power($0, $1 + Scalar(half), exponent) }
        .sum(along: axis, keepingAxes: true)
      low = .map(low, sum) { .select($1 .>= 1, $0 + Scalar(half), $0) }
    }
    let threshold = low.stoppingGradient()
    // sum p(z, t) = 1: t by Newton's step from the bisection's, with the slope held. By the chain rule this has
    // dt/dz = s / sum s with s = p^(2 - alpha), the implicit derivative.
    let sum = Tensor.map(z, threshold) { power($0, $1, exponent) }.sum(along: axis, keepingAxes: true)
    let slope = Tensor.map(fixed, threshold) { Scalar(exponent) * power($0, $1, exponent - 1) }
      .sum(along: axis, keepingAxes: true)
    let solved = threshold + (sum - 1) / slope
    return .map(z, solved) { power($0, $1, exponent) }
  }
}
