import HeklaArrays
import HeklaTensors

extension Tensor {
  /// The elements less their mean along `axes` and divided by the root of their variance, without parameters.
  ///
  /// What the layers of normalization do before they scale and shift; for parts of layers, whose scale and shift are
  /// sliced: `x.standardized(along: [0, 2, 3]) * scale.sliced(0..<width, along: 0)`.
  /// - Parameters:
  ///   - axes: Along which elements are one sample.
  ///   - epsilon: What is added to the variance, so that constant samples do not divide by 0.
  public func standardized(along axes: [Int], epsilon: Double = 1e-5) -> Tensor {
    let centered = self - mean(along: axes, keepingAxes: true)
    let variance = centered.squared().mean(along: axes, keepingAxes: true)
    return .map(centered, variance) { $0 * .reciprocalSquareRoot($1 + Scalar(epsilon)) }
  }
}
