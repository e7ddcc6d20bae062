import HeklaArrays
import HeklaTensors

/// Graph convolutions with rectified units between them, and dropout before each.
///
/// Without a graph it is a multilayer perceptron that is applied to each vertex.
/// Source: Kipf & Welling 2017, "Semi-supervised classification with graph convolutional networks", equation 9.
public struct GraphConvolutionalNetwork: Module {
  /// The convolutions, from the input on.
  public let convolutions: [GraphConvolution]
  /// What drops features before each convolution.
  public let dropout: Dropout

  /// A network from `extents[0]` features of each vertex to the last of `extents`, over those between.
  /// - Parameters:
  ///   - extents: How many features there are before, between and after the convolutions; two or more numbers.
  ///   - dropout: The probability with which a feature is dropped.
  ///   - initializer: Draws the weights.
  ///   - key: What they are drawn from.
  public init(
    _ extents: [Int], dropout: Double = 0, initializer: Initializer = .glorotUniform, key: RandomKey
  ) {
    require(extents.count >= 2, "graph-convolutional-network: \(extents) are not two extents or more")
    self.dropout = Dropout(rate: dropout)
    convolutions = zip(extents, extents.dropFirst()).enumerated().map { number, pair in
      GraphConvolution(
        inputs: pair.0, outputs: pair.1, initializer: initializer, key: key.folded(in: UInt64(number)))
    }
  }

  /// What each layer gives, rectified but for the last, each of shape `[vertices, outputs]`.
  /// - Parameters:
  ///   - x: Shape `[vertices, inputs]`.
  ///   - adjacency: What vertices hear of each other, shape `[vertices, vertices]`; nil for themselves only.
  ///   - key: What decides which features are dropped, as in `Dropout`; nil in evaluation.
  public func layers(
    of x: SparseMatrix, over adjacency: SparseMatrix?, key: Tensor? = nil
  ) -> [Tensor] {
    var layers = [convolutions[0](dropout(x, key: key?.folded(in: 0)), over: adjacency)]
    for (number, convolution) in convolutions.enumerated().dropFirst() {
      layers[number - 1] = layers[number - 1].relu()
      let kept = dropout(layers[number - 1], key: key?.folded(in: UInt64(number)))
      layers.append(convolution(kept, over: adjacency))
    }
    return layers
  }
}
