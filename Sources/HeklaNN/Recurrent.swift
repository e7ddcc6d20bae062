import HeklaArrays
import HeklaTensors

/// A cell repeated along sequences; its gradient goes back through all steps.
///
/// Time is the outermost axis: the steps' inputs lie one after the other in memory. Sequences of several lengths
/// are padded at their ends to one; see `lengths`.
///
/// ```swift
/// let encoder = Recurrent(LSTMCell(inputs: 8, width: 32, key: key))
/// let (outputs, state) = encoder(x, lengths: lengths)   // x [time, batch, 8]
/// ```
public struct Recurrent<Cell: RecurrentCell>: Module {
  /// What each step does.
  public let cell: Cell
  /// Whether the last element of a sequence comes first.
  public let isReversed: Bool

  /// `cell` repeated along sequences, from their ends where `reversed`.
  public init(_ cell: Cell, reversed: Bool = false) {
    self.cell = cell
    isReversed = reversed
  }

  /// The cell's outputs at all steps, and its states after the last.
  /// - Parameters:
  ///   - x: Shape `[time, batch, inputs]`.
  ///   - state: The states before the first step, each `[batch, width]`; nil is zeros.
  ///   - lengths: `int32` of shape `[batch]`, how many elements of each sequence count. Beyond them the states stay
  ///     as they are, outputs are 0, and no gradient flows; nil counts all.
  ///   - memory: What is kept for the gradient.
  /// - Returns: `outputs` of shape `[time, batch, width]`, each at the place of its input, and the last states.
  public func callAsFunction(
    _ x: Tensor, state: [Tensor]? = nil, lengths: Tensor? = nil, keeping memory: FoldMemory = .products,
    file: StaticString = #fileID, line: UInt = #line
  ) -> (outputs: Tensor, state: [Tensor]) {
    require(
      x.rank == 3 && x.shape[2] == cell.inputs,
      "recurrent: the input is \(x.shape); it must be [time, batch, \(cell.inputs)]", file: file, line: line)
    let batch = x.shape[1]
    let initial = state ?? cell.zeroState(batch: batch)
    require(
      initial.map(\.shape) == cell.stateWidths.map { [batch, $0] },
      "recurrent: states of shapes \(initial.map(\.shape)); they must be "
        + "\(cell.stateWidths.map { Shape([batch, $0]) })", file: file, line: line)
    var sequences = [cell.projected(x)]
    if let lengths {
      require(
        lengths.shape == [batch] && lengths.elementType == .int32,
        "recurrent: the lengths are \(lengths.signature); they must be int32[\(batch)]", file: file,
        line: line)
      sequences.append(
        .coordinates([x.shape[0], batch, 1], along: 0) .< lengths.reshaped(to: [1, batch, 1]))
    }
    let (last, outputs) = fold(
      initial, over: sequences, reversed: isReversed, keeping: memory, file: file, line: line
    ) { state, element in
      let next = cell.next(element[0], state: state)
      guard element.count > 1 else { return (next, [next[0]]) }
      let kept = zip(next, state).map { Tensor.select(element[1], $0, $1) }
      return (kept, [.select(element[1], next[0], .zeros(next[0].shape, next[0].elementType))])
    }
    return (outputs[0], last)
  }
}

/// Two cells that read a sequence from both ends, side by side.
///
/// Source: Schuster & Paliwal 1997, "Bidirectional recurrent neural networks".
public struct Bidirectional<Cell: RecurrentCell>: Module {
  /// Reads from the first element on.
  public let forward: Recurrent<Cell>
  /// Reads from the last element on.
  public let backward: Recurrent<Cell>

  /// `forward` reads from the first element on, `backward` from the last.
  public init(forward: Cell, backward: Cell) {
    self.forward = Recurrent(forward)
    self.backward = Recurrent(backward, reversed: true)
  }

  /// Both outputs at all steps side by side, and both cells' states after their last steps.
  /// - Parameters:
  ///   - x: Shape `[time, batch, inputs]`.
  ///   - lengths: How many elements of each sequence count; see `Recurrent`.
  ///   - memory: What is kept for the gradient.
  /// - Returns: `outputs` of shape `[time, batch, forward width + backward width]`, and the last states.
  public func callAsFunction(
    _ x: Tensor, lengths: Tensor? = nil, keeping memory: FoldMemory = .products, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (outputs: Tensor, forward: [Tensor], backward: [Tensor]) {
    let ahead = forward(x, lengths: lengths, keeping: memory, file: file, line: line)
    let back = backward(x, lengths: lengths, keeping: memory, file: file, line: line)
    return (.concatenating([ahead.outputs, back.outputs], along: 2), ahead.state, back.state)
  }
}
