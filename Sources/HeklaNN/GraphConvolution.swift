import HeklaArrays
import HeklaTensors

/// A graph convolution: A (x W) + b, where A says what vertices hear of each other.
///
/// Source: Kipf & Welling 2017, "Semi-supervised classification with graph convolutional networks", equation 2,
/// without its activation.
public struct GraphConvolution: Module {
  /// x W, without b.
  public let linear: Linear
  /// b, shape `[outputs]`.
  public let bias: Parameter?

  /// A convolution from `inputs` to `outputs` features of each vertex.
  /// - Parameters:
  ///   - inputs: The features that come in.
  ///   - outputs: The features that go out.
  ///   - bias: Whether there is a shift; it starts at 0.
  ///   - initializer: Draws W.
  ///   - key: What W is drawn from.
  public init(
    inputs: Int, outputs: Int, bias: Bool = true, initializer: Initializer = .glorotUniform, key: RandomKey
  ) {
    linear = Linear(inputs: inputs, outputs: outputs, bias: false, initializer: initializer, key: key)
    self.bias = bias ? Parameter(.zeros([outputs])) : nil
  }

  /// A (x W) + b, shape `[vertices, outputs]`.
  /// - Parameters:
  ///   - x: Shape `[vertices, inputs]`.
  ///   - adjacency: A, shape `[vertices, vertices]`; nil where vertices hear of themselves only.
  public func callAsFunction(_ x: Tensor, over adjacency: SparseMatrix?) -> Tensor {
    propagated(linear(x), adjacency)
  }

  /// The same of features most of which are 0.
  public func callAsFunction(_ x: SparseMatrix, over adjacency: SparseMatrix?) -> Tensor {
    propagated(linear(x), adjacency)
  }

  private func propagated(_ x: Tensor, _ adjacency: SparseMatrix?) -> Tensor {
    let heard = adjacency.map { $0.product(x) } ?? x
    return bias.map { heard + $0.tensor } ?? heard
  }
}
