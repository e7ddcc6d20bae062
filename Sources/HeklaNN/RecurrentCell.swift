import HeklaArrays
import HeklaTensors

/// One step of a recurrent network, which `Recurrent` repeats along a sequence.
///
/// What a step makes of its input alone is separate from what it makes of the state, so that the former is one
/// matrix product over the whole sequence.
public protocol RecurrentCell: Module {
  /// The innermost extent of what comes in.
  var inputs: Int { get }
  /// The innermost extent of the state that is the cell's output.
  var width: Int { get }
  /// The extents of the states' innermost axes, the output first.
  var stateWidths: [Int] { get }
  /// What the gates get of the input: W x + b.
  /// - Parameter x: Shape `[..., inputs]`, of rank 2 or more.
  func projected(_ x: Tensor) -> Tensor
  /// The states after a step; the first is the cell's output.
  /// - Parameters:
  ///   - projected: Of one step, shape `[batch, gates]`.
  ///   - state: The states before it, each `[batch, width]`.
  func next(_ projected: Tensor, state: [Tensor]) -> [Tensor]
}

extension RecurrentCell {
  /// One state, the output.
  public var stateWidths: [Int] { [width] }

  /// States of zeros for `batch` sequences.
  public func zeroState(batch: Int) -> [Tensor] { stateWidths.map { .zeros([batch, $0]) } }

  /// The states after one step from `state`; the first is the cell's output.
  /// - Parameters:
  ///   - x: Shape `[batch, inputs]`.
  ///   - state: The states before the step, each `[batch, width]`.
  public func callAsFunction(_ x: Tensor, state: [Tensor]) -> [Tensor] { next(projected(x), state: state) }
}

/// The weights of a cell: those of the input and of the state side by side for all gates.
struct RecurrentWeights {
  let input: Parameter
  let state: Parameter
  let bias: Parameter

  /// Weights of `gates` gates; nil initializers draw uniformly in plus and minus 1 / sqrt(width).
  init(
    inputs: Int, width: Int, gates: Int, input initializer: Initializer?,
    state stateInitializer: Initializer?,
    key: RandomKey, file: StaticString, line: UInt
  ) {
    require(
      inputs > 0 && width > 0, "recurrent cell: \(inputs) inputs and width \(width); both must be positive",
      file: file, line: line)
    let bound = 1 / Double(width).squareRoot()
    func drawn(_ rows: Int, _ initializer: Initializer?, _ name: String) -> Parameter {
      let initializer = initializer ?? .uniform(from: -bound, to: bound)
      // Gate by gate: how wide the gates lie side by side is no property of the network.
      let blocks = (0..<gates).map { gate in
        initializer(
          [rows, width], fanIn: rows, fanOut: width, key: key.folded(in: name).folded(in: UInt64(gate)))
      }
      return Parameter(.concatenating(blocks, along: 1))
    }
    input = drawn(inputs, initializer, "input")
    state = drawn(width, stateInitializer, "state")
    bias = Parameter(.zeros([gates * width]))
  }
}

extension RecurrentCell {
  /// W x + b.
  func project(_ x: Tensor, _ weight: Parameter, _ bias: Parameter, name: String) -> Tensor {
    require(
      x.rank >= 2 && x.shape[-1] == inputs,
      "\(name): the input is \(x.shape); it must be [..., \(inputs)] with rank 2 or more")
    return x.matrixProduct(weight.tensor) + bias.tensor
  }

  /// Part `index` of what lies side by side along the innermost axis.
  func gate(_ index: Int, of tensor: Tensor) -> Tensor {
    tensor.sliced(index * width..<(index + 1) * width, along: -1)
  }
}
