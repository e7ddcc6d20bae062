import HeklaArrays
import HeklaTensors

/// Each vector along the innermost axis brought to mean 0 and variance 1, then scaled and shifted as learned.
///
/// Source: Ba et al. 2016, "Layer normalization", equation 4.
public struct LayerNormalization: Module {
  /// The learned factor, shape `[width]`, at first 1.
  public let scale: Parameter
  /// The learned term, shape `[width]`, at first 0.
  public let shift: Parameter
  /// What is added to the variance, so that a constant vector does not divide by 0.
  public let epsilon: Double

  /// A normalization of vectors of `width` numbers.
  public init(width: Int, epsilon: Double = 1e-5) {
    scale = Parameter(.ones([width]))
    shift = Parameter(.zeros([width]))
    self.epsilon = epsilon
  }

  /// The normalized vectors, of the input's shape.
  /// - Parameter x: Shape `[..., width]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank >= 1 && x.shape[-1] == scale.shape[0],
      "layer-normalization: the input is \(x.shape); its innermost extent must be \(scale.shape[0])",
      file: file, line: line)
    let learned = [scale, shift].map { $0.tensor.converted(to: x.elementType) }
    return Tensor.map([x.standardized(along: [-1], epsilon: epsilon)] + learned) { $0[0] * $0[1] + $0[2] }
  }
}
