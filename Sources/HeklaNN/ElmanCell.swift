import HeklaArrays
import HeklaTensors

/// The simple recurrent cell: h' = f(W x + U h + b).
///
/// Source: Elman 1990, "Finding structure in time".
public struct ElmanCell: RecurrentCell {
  /// f.
  public enum Activation: Sendable {
    case tanh
    /// max(x, 0).
    case relu
  }

  /// The innermost extent of what comes in.
  public let inputs: Int
  /// The innermost extent of each state.
  public let width: Int
  /// W, shape `[inputs, width]`.
  public let inputWeight: Parameter
  /// U, shape `[width, width]`.
  public let stateWeight: Parameter
  /// b, shape `[width]`, at first 0.
  public let bias: Parameter
  /// f.
  public let activation: Activation

  /// A cell from `inputs` to `width` features.
  /// - Parameters:
  ///   - inputs: The innermost extent of what comes in.
  ///   - width: The innermost extent of the state.
  ///   - activation: f.
  ///   - initializer: Draws W; nil is uniform in plus and minus 1 / sqrt(width).
  ///   - stateInitializer: Draws U, likewise.
  ///   - key: What the weights are drawn from.
  public init(
    inputs: Int, width: Int, activation: Activation = .tanh, initializer: Initializer? = nil,
    stateInitializer: Initializer? = nil, key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    let weights = RecurrentWeights(
      inputs: inputs, width: width, gates: 1, input: initializer, state: stateInitializer, key: key,
      file: file, line: line)
    (self.inputs, self.width, self.activation) = (inputs, width, activation)
    (inputWeight, stateWeight, bias) = (weights.input, weights.state, weights.bias)
  }

  /// W x + b, shape `[..., gates]`.
  public func projected(_ x: Tensor) -> Tensor { project(x, inputWeight, bias, name: "Elman cell") }

  /// The states after a step.
  public func next(_ projected: Tensor, state: [Tensor]) -> [Tensor] {
    let sum = projected + state[0].matrixProduct(stateWeight.tensor)
    return [activation == .tanh ? sum.tanh() : sum.relu()]
  }
}
