import HeklaArrays
import TestSupport
import Testing

@testable import HeklaTensors

@Suite struct FoldTests {
  private let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])

  @Test func `a fold gives the last state and all outputs, in the places of the elements`() {
    for reversed in [false, true] {
      let (state, outputs) = fold([.zeros([2])], over: [x], reversed: reversed) { state, element in
        let sum = state[0] + element[0]
        return ([sum], [sum * 10, element[0]])
      }
      let values = referenceValues(of: state + outputs).map { $0.doubles() }
      #expect(values[0] == [9, 12])
      #expect(values[1] == (reversed ? [90, 120, 80, 100, 50, 60] : [10, 20, 40, 60, 90, 120]))
      #expect(values[2] == [1, 2, 3, 4, 5, 6])
    }
  }

  @Test func `what does not change is computed outside the fold, and its gradient is the sum over steps`()
    throws
  {
    let w = Tensor.input(0, Signature([2, 2]))
    let (state, _) = fold([.ones([1, 2])], count: 3) { state, _ in
      ([state[0].matrixProduct(w.exp())], [])
    }
    let node = try #require([state[0].node].withDependencies().last { $0.primitive is Fold })
    #expect(node.inputs.contains { [$0].withDependencies().contains(w.node) })
    let body = (node.primitive as? Fold)?.body.results.withDependencies() ?? []
    #expect(!body.isEmpty)
    #expect(!body.contains { ($0.primitive as? Map)?.expression.description.contains("exp") == true })
    checkGradients(
      of: state[0].sum(), at: [(w, randomArray([2, 2], in: -1...0, seed: 3))], label: "captured weights")
  }

  @Test func `a fold of no steps leaves the state, one without states stacks outputs`() {
    let (state, outputs) = fold([x], over: [Tensor.zeros([0, 2])]) { state, _ in (state, [state[0] * 2]) }
    #expect(outputs[0].shape == [0, 3, 2])
    #expect(referenceValues(of: state)[0].doubles() == [1, 2, 3, 4, 5, 6])
    let (_, squares) = fold([], over: [x]) { _, element in ([], [element[0].squared(), .zeros([0])]) }
    #expect(referenceValues(of: squares)[0].doubles() == [1, 4, 9, 16, 25, 36])
    #expect(squares[1].shape == [3, 0])
  }

  /// Everything at once: two states of different sizes, one of them whole numbers, two sequences, biases, weights
  /// used twice, and an element of a tensor chosen by a state.
  private static func model(
    _ t: [Tensor], reversed: Bool, keeping memory: FoldMemory
  ) -> Tensor {
    let count = t[1].shape[0]
    let (state, outputs) = fold(
      [t[0], .zeros([], .int32), t[0].sum(along: 0)], over: [t[1], t[1].squared()], reversed: reversed,
      keeping: memory
    ) { state, element in
      let chosen = t[4].gathered(at: state[1].reshaped(to: [1])).reshaped(to: [3])
      let h = (state[0].matrixProduct(t[2]) + element[0] + t[3]).tanh()
      let g = (h * chosen).matrixProduct(t[2]).sigmoid()
      return (
        [h + g * 0.25, (state[1] + 1) % Tensor.full([], 4, .int32), state[2] * 0.5 + g.sum(along: 0)],
        [g.sum(), element[1] * h]
      )
    }
    let weights = Tensor(randomArray([count], seed: 8).converted(to: .float32))
    return (state[0] * state[0]).sum() + (outputs[0] * weights).sum() + (outputs[1] * outputs[1]).sum()
      + state[2].sum()
  }

  private static func leaves(count: Int) -> [(tensor: Tensor, values: HostArray)] {
    let shapes: [Shape] = [[2, 3], [count, 2, 3], [3, 3], [3], [4, 3]]
    return shapes.enumerated().map { position, shape in
      (Tensor.input(position, Signature(shape)), randomArray(shape, seed: UInt64(position)))
    }
  }

  @Test(
    arguments: [
      (1, FoldMemory.products), (2, .products), (5, .products), (5, .states), (5, .every(2)), (6, .every(3)),
    ],
    [false, true])
  func `gradients are right whatever is kept, first and second order`(
    example: (count: Int, memory: FoldMemory), reversed: Bool
  ) {
    let leaves = Self.leaves(count: example.count)
    let loss = Self.model(leaves.map(\.tensor), reversed: reversed, keeping: example.memory)
    let label = "\(example) \(reversed)"
    checkGradients(of: loss, at: leaves, label: label)
    let slopes = gradients(of: loss, withRespectTo: leaves.map(\.tensor))
    let second = slopes.enumerated().map { number, slope in
      (slope * Tensor(randomArray(slope.shape, seed: 60 + UInt64(number)).converted(to: .float32))).sum()
    }
    checkGradients(of: second.dropFirst().reduce(second[0], +), at: leaves, label: "\(label), second order")
  }

  @Test func `what is kept changes no value`() {
    let leaves = Self.leaves(count: 7)
    var feed: [Node: HostArray] = [:]
    for leaf in leaves { feed[leaf.tensor.node] = leaf.values }
    let losses = [FoldMemory.products, .states, .every(3), .every(7)].map {
      Self.model(leaves.map(\.tensor), reversed: true, keeping: $0)
    }
    let values = referenceValues(of: losses, feeding: feed).map { $0.doubles()[0] }
    for value in values { #expect(abs(value - values[0]) < 1e-12) }
  }

  @Test func `a fold within a fold has gradients`() {
    let leaves = Self.leaves(count: 3)
    let t = leaves.map(\.tensor)
    let (state, _) = fold([t[0]], over: [t[1]]) { state, element in
      let (inner, _) = fold([state[0]], count: 2) { inner, _ in
        ([(inner[0].matrixProduct(t[2]) + element[0]).tanh()], [])
      }
      return (inner, [])
    }
    checkGradients(of: state[0].squared().sum(), at: Array(leaves.prefix(3)), label: "nested")
  }

  @Test func `weights' gradients are one product over all steps`() {
    let t = Self.leaves(count: 4).map(\.tensor)
    let (state, _) = fold([t[0]], over: [t[1]]) { state, element in
      ([(state[0].matrixProduct(t[2]) + element[0] + t[3]).tanh()], [])
    }
    let slopes = gradients(of: state[0].sum(), withRespectTo: [t[2], t[3]])
    let folds = slopes.map(\.node).withDependencies().compactMap { $0.primitive as? Fold }
    // Backward carries the gradient of the state alone; nothing is summed up step by step.
    #expect(folds.map(\.stateCount) == [1, 1])
  }

  @Test func `checkpointed computations are computed again for the gradient`() {
    let x = Tensor.input(0, Signature([4, 4]))
    func model(_ checkpoints: Bool) -> Tensor {
      func block(_ x: Tensor) -> Tensor { x.matrixProduct(x).tanh().matrixProduct(x) }
      let y = checkpoints ? checkpointed([x]) { [block($0[0])] }[0] : block(x)
      return (checkpoints ? checkpointed([y]) { [block($0[0])] }[0] : block(y)).sum()
    }
    checkGradients(of: model(true), at: [(x, randomArray([4, 4], seed: 2))], label: "checkpointed")
    let feed = [x.node: randomArray([4, 4], seed: 2)]
    let pair = [true, false].map { gradients(of: model($0), withRespectTo: [x])[0] }
    let values = referenceValues(of: pair, feeding: feed).map { $0.doubles() }
    for (a, b) in zip(values[0], values[1]) { #expect(abs(a - b) < 1e-12) }
  }

  @Test func `mistakes stop the program, named`() async {
    let lengths = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = fold([], over: [Tensor.zeros([2, 3]), .zeros([3, 3])]) { _, element in ([], element) }
    }
    let state = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = fold([.zeros([2])], count: 3) { state, _ in ([state[0].sum()], []) }
    }
    func text(_ result: ExitTest.Result?) -> String {
      String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }
    #expect(text(lengths).contains("fold: sequences of shapes [[2, 3], [3, 3]]"))
    #expect(text(state).contains("fold: the body makes of a state [float32[2]] the state [float32[]]"))
  }
}
