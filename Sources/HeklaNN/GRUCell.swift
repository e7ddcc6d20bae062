import HeklaArrays
import HeklaTensors

/// A gated recurrent unit: r = σ(W_r x + U_r h + b_r), z = σ(W_z x + U_z h + b_z),
/// n = tanh(W_n x + b_n + r (U_n h + c)), h' = (1 - z) n + z h.
///
/// Source: Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", with the reset gate after
/// the product, as in cuDNN and PyTorch.
public struct GRUCell: RecurrentCell {
  /// The innermost extent of what comes in.
  public let inputs: Int
  /// The innermost extent of each state.
  public let width: Int
  /// W, shape `[inputs, 3 * width]`: reset, update, candidate.
  public let inputWeight: Parameter
  /// U, shape `[width, 3 * width]`, in the same order.
  public let stateWeight: Parameter
  /// b, shape `[3 * width]`, in the same order, at first 0.
  public let bias: Parameter
  /// c, shape `[width]`, at first 0.
  public let candidateBias: Parameter

  /// A cell from `inputs` to `width` features.
  /// - Parameters:
  ///   - inputs: The innermost extent of what comes in.
  ///   - width: The innermost extent of the state.
  ///   - initializer: Draws W, gate by gate; nil is uniform in plus and minus 1 / sqrt(width).
  ///   - stateInitializer: Draws U, likewise.
  ///   - key: What the weights are drawn from.
  public init(
    inputs: Int, width: Int, initializer: Initializer? = nil, stateInitializer: Initializer? = nil,
    key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    let weights = RecurrentWeights(
      inputs: inputs, width: width, gates: 3, input: initializer, state: stateInitializer, key: key,
      file: file, line: line)
    (self.inputs, self.width) = (inputs, width)
    (inputWeight, stateWeight, bias) = (weights.input, weights.state, weights.bias)
    candidateBias = Parameter(.zeros([width]))
  }

  /// W x + b, shape `[..., gates]`.
  public func projected(_ x: Tensor) -> Tensor { project(x, inputWeight, bias, name: "GRU cell") }

  /// The states after a step.
  public func next(_ projected: Tensor, state: [Tensor]) -> [Tensor] {
    let h = state[0]
    let own = h.matrixProduct(stateWeight.tensor)
    let r = (gate(0, of: projected) + gate(0, of: own)).sigmoid()
    let z = (gate(1, of: projected) + gate(1, of: own)).sigmoid()
    let n = (gate(2, of: projected) + r * (gate(2, of: own) + candidateBias.tensor)).tanh()
    return [n + z * (h - n)]
  }
}
