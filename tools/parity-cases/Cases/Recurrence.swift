import HeklaArrays
import HeklaNN
import HeklaTensors

extension CaseTable {
  /// Recurrent layers: outputs of all steps, then the last states. Lengths, where there are some, are the second array.
  mutating func addRecurrence() {
    let key = RandomKey(seed: 1)
    func run<Cell: RecurrentCell>(
      _ cell: Cell, _ x: [Tensor], lengths: Tensor? = nil, reversed: Bool = false,
      keeping memory: FoldMemory = .products
    ) -> [Tensor] {
      let (outputs, state) = Recurrent(cell, reversed: reversed)(x[0], lengths: lengths, keeping: memory)
      return [outputs] + state
    }
    func gru() -> GRUCell { GRUCell(inputs: 5, width: 7, key: key) }
    func lstm() -> LSTMCell { LSTMCell(inputs: 5, width: 7, key: key) }
    func parameters(_ cell: GRUCell) -> [Parameter] {
      [cell.inputWeight, cell.stateWeight, cell.bias, cell.candidateBias]
    }
    func parameters(_ cell: LSTMCell) -> [Parameter] { [cell.inputWeight, cell.stateWeight, cell.bias] }
    for (name, activation) in [("elman", ElmanCell.Activation.tanh), ("elman-relu", .relu)] {
      addModule(
        name, ElmanCell(inputs: 5, width: 7, activation: activation, key: key),
        { [$0.inputWeight, $0.stateWeight, $0.bias] }
      ) { run($0, $1) }
    }
    addModule("gru", gru(), { parameters($0) }) { run($0, $1) }
    addModule("gru-lengths", gru(), { parameters($0) }) { run($0, $1, lengths: $1[1]) }
    addModule("lstm", lstm(), { parameters($0) }) { run($0, $1) }
    addModule("lstm-lengths", lstm(), { parameters($0) }) { run($0, $1, lengths: $1[1]) }
    addModule("lstm-states-kept", lstm(), { parameters($0) }) { run($0, $1, keeping: .states) }
    addModule("lstm-every-fourth-kept", lstm(), { parameters($0) }) { run($0, $1, keeping: .every(4)) }
    addModule("lstm-reversed", lstm(), { parameters($0) }) { run($0, $1, reversed: true) }
    addModule(
      "gru-bidirectional-lengths", Bidirectional(forward: gru(), backward: gru()),
      { parameters($0.forward.cell) + parameters($0.backward.cell) }
    ) { layer, x in
      let (outputs, ahead, back) = layer(x[0], lengths: x[1])
      return [outputs] + ahead + back
    }
  }
}
