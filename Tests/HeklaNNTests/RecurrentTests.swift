import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct RecurrentTests {
  private let time = 4
  private let batch = 2
  private let inputs = 3
  private let width = 2

  /// Values for every parameter of `module`, and what they are.
  private func filled(_ module: some Module) -> (feed: [Node: HostArray], numbers: [String: [Double]]) {
    var (feed, named): ([Node: HostArray], [String: [Double]]) = ([:], [:])
    for (position, entry) in module.parameters().enumerated() {
      let values = numbers(entry.parameter.shape.count, seed: 40 + UInt64(position))
      feed[entry.parameter.tensor.node] = HostArray(values, shape: entry.parameter.shape)
      named[entry.path] = values
    }
    return (feed, named)
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// One step of each cell for one sequence, written out; `z` gives sum i of W x or U h for gate and unit.
  private func step(
    _ kind: String, _ p: [String: [Double]], _ x: [Double], _ state: [[Double]]
  ) -> [[Double]] {
    let (w, u, b) = (p["inputWeight"] ?? [], p["stateWeight"] ?? [], p["bias"] ?? [])
    let columns = b.count
    func ofInput(_ column: Int) -> Double {
      b[column] + (0..<inputs).reduce(0) { $0 + x[$1] * w[$1 * columns + column] }
    }
    func ofState(_ column: Int) -> Double {
      (0..<width).reduce(0) { $0 + state[0][$1] * u[$1 * columns + column] }
    }
    func gate(_ number: Int, _ unit: Int) -> Double {
      ofInput(number * width + unit) + ofState(number * width + unit)
    }
    switch kind {
    case "elman": return [(0..<width).map { tanh(gate(0, $0)) }]
    case "gru":
      return [
        (0..<width).map { unit in
          let (r, z) = (sigmoid(gate(0, unit)), sigmoid(gate(1, unit)))
          let c = (p["candidateBias"] ?? [])[unit]
          let n = tanh(ofInput(2 * width + unit) + r * (ofState(2 * width + unit) + c))
          return (1 - z) * n + z * state[0][unit]
        }
      ]
    default:
      let c = (0..<width).map { unit in
        sigmoid(gate(1, unit)) * state[1][unit] + sigmoid(gate(0, unit)) * tanh(gate(2, unit))
      }
      return [(0..<width).map { sigmoid(gate(3, $0)) * tanh(c[$0]) }, c]
    }
  }

  private func check<Cell: RecurrentCell>(_ kind: String, _ cell: Cell, reversed: Bool, lengths: [Int]?) {
    let layer = Recurrent(cell, reversed: reversed)
    let (feed, named) = filled(cell)
    let x = numbers(time * batch * inputs, seed: 9)
    let input = Tensor.input(0, Signature([time, batch, inputs]))
    let (outputs, state) = layer(input, lengths: lengths.map { Tensor($0.map(Int32.init)) })
    var wantedOutputs = [Double](repeating: 0, count: time * batch * width)
    var wantedStates = [[Double]](repeating: [Double](repeating: 0, count: batch * width), count: state.count)
    for sequence in 0..<batch {
      var states = [[Double]](repeating: [Double](repeating: 0, count: width), count: state.count)
      let steps = Array(0..<(lengths?[sequence] ?? time))
      for t in reversed ? steps.reversed() : steps {
        let first = (t * batch + sequence) * inputs
        states = step(kind, named, Array(x[first..<first + inputs]), states)
        for unit in 0..<width { wantedOutputs[(t * batch + sequence) * width + unit] = states[0][unit] }
      }
      for (number, values) in states.enumerated() {
        for unit in 0..<width { wantedStates[number][sequence * width + unit] = values[unit] }
      }
    }
    let all = feed.merging([input.node: HostArray(x, shape: input.shape)]) { $1 }
    let label = "\(kind) \(reversed) \(lengths ?? [])"
    // Sums of a few terms in float64, through at most four steps.
    #expect(agree(values(outputs, feeding: all), wantedOutputs, within: 1e-13), "\(label)")
    for (found, wanted) in zip(state, wantedStates) {
      #expect(agree(values(found, feeding: all), wanted, within: 1e-13), "\(label)")
    }
  }

  @Test(arguments: [false, true], [nil, [4, 2], [0, 3]])
  func `every cell agrees with its equations, step by step`(reversed: Bool, lengths: [Int]?) {
    let key = RandomKey(seed: 1)
    check("elman", ElmanCell(inputs: inputs, width: width, key: key), reversed: reversed, lengths: lengths)
    check("gru", GRUCell(inputs: inputs, width: width, key: key), reversed: reversed, lengths: lengths)
    check("lstm", LSTMCell(inputs: inputs, width: width, key: key), reversed: reversed, lengths: lengths)
  }

  @Test func `a bidirectional layer is one layer each way`() {
    let key = RandomKey(seed: 2)
    let layer = Bidirectional(
      forward: GRUCell(inputs: 3, width: 2, key: key), backward: GRUCell(inputs: 3, width: 4, key: key))
    let x = constant(numbers(24, seed: 3), [4, 2, 3]).converted(to: .float32)
    let (outputs, ahead, back) = layer(x, lengths: Tensor([4, 2] as [Int32]))
    #expect(outputs.shape == [4, 2, 6])
    let found = values(outputs)
    // The last valid forward output is its state; the first backward output is its state.
    #expect(Array(found[36..<38]) == Array(values(ahead[0])[0..<2]))
    #expect(Array(found[2..<6]) == Array(values(back[0])[0..<4]))
    #expect(Array(found[18..<24]) != [Double](repeating: 0, count: 6))
    #expect(Array(found[30..<36]) == [Double](repeating: 0, count: 6))
  }

  @Test func `gradients go back through time, and not through padding`() {
    let cell = LSTMCell(inputs: 3, width: 2, key: RandomKey(seed: 4))
    let x = numbers(24, seed: 5)
    let lengths = Tensor([4, 2] as [Int32])
    func loss(_ input: Tensor) -> Tensor {
      let (outputs, state) = Recurrent(cell)(input, lengths: lengths)
      return outputs.squared().sum() + state[1].sum()
    }
    #expect(gradientError(x, [4, 2, 3], .float32, loss) < 1e-6)
    let input = Tensor.input(0, Signature([4, 2, 3]))
    let slope = gradients(of: loss(input), withRespectTo: [input])[0]
    let found = values(slope, feeding: [input.node: HostArray(x, shape: [4, 2, 3])])
    for t in 0..<4 {
      let isPadding = found[(t * 2 + 1) * 3..<(t * 2 + 2) * 3].allSatisfy { $0 == 0 }
      #expect(isPadding == (t >= 2))
    }
  }

  @Test func `a forget gate starts open, weights are drawn by gate`() {
    let cell = LSTMCell(inputs: 3, width: 2, key: RandomKey(seed: 6))
    #expect(values(cell.bias.initial) == [0, 0, 1, 1, 0, 0, 0, 0])
    let bound = 1 / 2.0.squareRoot()
    let weights = values(cell.inputWeight.initial)
    #expect(weights.allSatisfy { abs($0) <= bound } && Set(weights).count == 24)
    #expect(cell.parameters().map(\.path) == ["inputWeight", "stateWeight", "bias"])
  }

  @Test func `an input of the wrong shape stops the program`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Recurrent(ElmanCell(inputs: 3, width: 2, key: RandomKey(seed: 1)))(Tensor.zeros([4, 2, 5]))
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("recurrent: the input is [4, 2, 5]; it must be [time, batch, 3]"))
  }
}
