import HeklaArrays
import HeklaTensors

/// A linear map and a shift of the innermost axis: y = x W + b.
public struct Linear: Module {
  /// W, shape `[inputs, outputs]`.
  public let weight: Parameter
  /// b, shape `[outputs]`.
  public let bias: Parameter?

  /// A map from `inputs` to `outputs` features.
  /// - Parameters:
  ///   - inputs: The innermost extent of what comes in.
  ///   - outputs: The innermost extent of what goes out.
  ///   - bias: Whether there is a shift; it starts at 0.
  ///   - initializer: Draws W.
  ///   - key: What W is drawn from.
  public init(
    inputs: Int, outputs: Int, bias: Bool = true, initializer: Initializer = .glorotUniform, key: RandomKey
  ) {
    weight = Parameter(
      initializer([inputs, outputs], fanIn: inputs, fanOut: outputs, key: key.folded(in: "weight")))
    self.bias = bias ? Parameter(.zeros([outputs])) : nil
  }

  /// x W + b, shape `[..., outputs]`.
  /// - Parameter x: Shape `[..., inputs]`, of rank 2 or more.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank >= 2 && x.shape[-1] == weight.shape[0],
      "linear: the input is \(x.shape); it must be [..., \(weight.shape[0])] with rank 2 or more",
      file: file, line: line)
    return shifted(x.matrixProduct(weight.tensor))
  }

  /// x W + b, shape `[rows, outputs]`, for a matrix x `[rows, inputs]` most of whose elements are 0.
  public func callAsFunction(
    _ x: SparseMatrix, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor { shifted(x.product(weight.tensor, file: file, line: line)) }

  private func shifted(_ product: Tensor) -> Tensor { bias.map { product + $0.tensor } ?? product }
}
