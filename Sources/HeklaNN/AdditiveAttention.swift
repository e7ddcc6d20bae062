import HeklaArrays
import HeklaTensors

/// Scores of how well keys fit queries: u_ij = v^T tanh(W1 e_j + W2 d_i).
///
/// W1 e is computed once for all queries, by `keys(of:)`. The scores become weights by `softmax()`; a pointer network
/// takes these for its answer.
/// Sources: Bahdanau et al. 2015, "Neural machine translation by jointly learning to align and translate"; Vinyals et
/// al. 2015, "Pointer networks", equation 3.
public struct AdditiveAttention: Module {
  /// W1, shape `[width, width]`.
  public let keyWeight: Parameter
  /// W2, shape `[width, width]`.
  public let queryWeight: Parameter
  /// v, shape `[width]`.
  public let scoreWeight: Parameter

  /// Scores of keys and queries of extent `width`.
  /// - Parameters:
  ///   - width: The extent of keys, queries and what is between them.
  ///   - initializer: Draws all three weights.
  ///   - key: What they are drawn from.
  public init(width: Int, initializer: Initializer = .uniform(from: -0.08, to: 0.08), key: RandomKey) {
    func drawn(_ shape: Shape, _ name: String) -> Parameter {
      Parameter(initializer(shape, fanIn: width, fanOut: shape[-1], key: key.folded(in: name)))
    }
    keyWeight = drawn([width, width], "key")
    queryWeight = drawn([width, width], "query")
    scoreWeight = drawn([width], "score")
  }

  /// W1 e, of the shape of e, `[..., width]`.
  public func keys(of e: Tensor) -> Tensor { e.matrixProduct(keyWeight.tensor) }

  /// u, shape `[queries, batch, keys]`; -1e30, of which softmax makes exactly 0, where a key is not one of the first
  /// `counts`.
  /// - Parameters:
  ///   - keys: From `keys(of:)`, shape `[batch, keys, width]`.
  ///   - d: Shape `[queries, batch, width]`.
  ///   - counts: `int32` of shape `[batch]`, how many keys count, at least one; nil counts all.
  public func callAsFunction(
    keys: Tensor, queries d: Tensor, counts: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      keys.rank == 3 && d.rank == 3 && keys.shape[0] == d.shape[1] && keys.shape[2] == d.shape[2],
      "additive attention: keys \(keys.shape) and queries \(d.shape); they must be [batch, keys, width] and "
        + "[queries, batch, width]", file: file, line: line)
    let u = ((keys + d.matrixProduct(queryWeight.tensor).expanded(at: 2)).tanh() * scoreWeight.tensor)
      .sum(along: -1)
    guard let counts else { return u }
    require(
      counts.signature == Signature([keys.shape[0]], .int32),
      "additive attention: the counts are \(counts.signature); they must be int32[\(keys.shape[0])]",
      file: file,
      line: line)
    let position = Tensor.coordinates([1, 1, keys.shape[1]], along: 2)
    return u.filled(with: -1e30, where: position .>= counts.reshaped(to: [1, keys.shape[0], 1]))
  }
}
