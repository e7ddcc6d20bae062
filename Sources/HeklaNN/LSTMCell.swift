import HeklaArrays
import HeklaTensors

/// Long short-term memory: i, f, o = σ(W x + U h + b), g = tanh(W_g x + U_g h + b_g), c' = f c + i g,
/// h' = o tanh(c'). The states are h and c.
///
/// Sources: Hochreiter & Schmidhuber 1997, "Long short-term memory"; Gers et al. 2000, "Learning to forget", for f;
/// Jozefowicz et al. 2015, "An empirical exploration of recurrent network architectures", for its bias.
public struct LSTMCell: RecurrentCell {
  /// The innermost extent of what comes in.
  public let inputs: Int
  /// The innermost extent of each state.
  public let width: Int
  /// W, shape `[inputs, 4 * width]`: input, forget, candidate, output.
  public let inputWeight: Parameter
  /// U, shape `[width, 4 * width]`, in the same order.
  public let stateWeight: Parameter
  /// b, shape `[4 * width]`, in the same order; at first `forgetBias` for the forget gate, else 0.
  public let bias: Parameter

  /// A cell from `inputs` to `width` features.
  /// - Parameters:
  ///   - inputs: The innermost extent of what comes in.
  ///   - width: The innermost extent of each state.
  ///   - forgetBias: Where the forget gate's bias starts; 1 lets gradients through from the beginning.
  ///   - initializer: Draws W, gate by gate; nil is uniform in plus and minus 1 / sqrt(width).
  ///   - stateInitializer: Draws U, likewise.
  ///   - key: What the weights are drawn from.
  public init(
    inputs: Int, width: Int, forgetBias: Double = 1, initializer: Initializer? = nil,
    stateInitializer: Initializer? = nil, key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    let weights = RecurrentWeights(
      inputs: inputs, width: width, gates: 4, input: initializer, state: stateInitializer, key: key,
      file: file, line: line)
    (self.inputs, self.width) = (inputs, width)
    (inputWeight, stateWeight) = (weights.input, weights.state)
    let parts = [0, forgetBias, 0, 0].map { Tensor.full([width], $0) }
    bias = Parameter(.concatenating(parts, along: 0))
  }

  /// Those of h and c.
  public var stateWidths: [Int] { [width, width] }

  /// W x + b, shape `[..., gates]`.
  public func projected(_ x: Tensor) -> Tensor { project(x, inputWeight, bias, name: "LSTM cell") }

  /// The states after a step.
  public func next(_ projected: Tensor, state: [Tensor]) -> [Tensor] {
    let gates = projected + state[0].matrixProduct(stateWeight.tensor)
    let (i, f) = (gate(0, of: gates).sigmoid(), gate(1, of: gates).sigmoid())
    let (g, o) = (gate(2, of: gates).tanh(), gate(3, of: gates).sigmoid())
    let c = f * state[1] + i * g
    return [o * c.tanh(), c]
  }
}
