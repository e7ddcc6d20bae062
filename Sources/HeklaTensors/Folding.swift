import HeklaArrays

/// Repeats `body` over carried state: recurrent networks, integrators, anything in which each step needs the last.
///
/// The body is described once and planned once, whatever the number of steps; it can be differentiated any number
/// of times. It may use every tensor around it: what does not change from step to step is computed once, outside.
///
/// ```swift
/// let (state, outputs) = fold([h], over: [inputs]) { state, x in
///   let h = (x[0].matrixProduct(w) + state[0].matrixProduct(u)).tanh()
///   return ([h], [h])
/// }
/// ```
///
/// - Parameters:
///   - initial: The state before the first step, any number of tensors.
///   - sequences: Tensors whose outermost axis is time, all of one length.
///   - count: The number of steps; needed where there are no sequences.
///   - reversed: Whether the last element comes first. Outputs lie at the place of the elements they were made from.
///   - memory: What is kept for the gradient.
///   - body: Makes the next state, of the same shapes and types, and the step's outputs.
/// - Returns: The state after the last step, and each output of all steps, stacked along a new outermost axis.
public func fold(
  _ initial: [Tensor], over sequences: [Tensor] = [], count: Int? = nil, reversed: Bool = false,
  keeping memory: FoldMemory = .products, file: StaticString = #fileID, line: UInt = #line,
  _ body: (_ state: [Tensor], _ elements: [Tensor]) throws -> (state: [Tensor], outputs: [Tensor])
) rethrows -> (state: [Tensor], outputs: [Tensor]) {
  let lengths = Set(sequences.map { $0.rank > 0 ? $0.shape[0] : -1 } + (count.map { [$0] } ?? []))
  require(
    lengths.count == 1 && lengths.allSatisfy { $0 >= 0 },
    "fold: sequences of shapes \(sequences.map(\.shape)) and a count of \(count.map(String.init) ?? "nil"); all need "
      + "one length along their outermost axis", file: file, line: line)
  if case .every(let group) = memory {
    require(group > 0, "fold: groups of \(group) steps; a group has at least one", file: file, line: line)
  }
  let length = lengths.first ?? 0
  let trace = try FoldTrace(initial, sequences, file: file, line: line, body)
  guard length > 0 else {
    return (initial, trace.outputs.map { .zeros(Shape([0] + $0.shape.extents), $0.elementType) })
  }
  if case .every(let group) = memory, group < length {
    return trace.grouped(by: group, initial, sequences, length, isReversed: reversed)
  }
  return trace.applied(to: initial, sequences, count: length, isReversed: reversed, memory)
}

/// What `body` computes of `inputs`, computed again for its gradient instead of being kept: memory for time.
///
/// ```swift
/// for block in blocks { x = checkpointed([x]) { [block($0[0])] }[0] }
/// ```
/// keeps the input of each block and not what the block computes inside. Other tensors that `body` uses, such as
/// weights, are kept as they are; what it computes of them alone is computed outside.
///
/// Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
public func checkpointed(
  _ inputs: [Tensor], file: StaticString = #fileID, line: UInt = #line,
  _ body: (_ inputs: [Tensor]) throws -> [Tensor]
) rethrows -> [Tensor] {
  try fold([], over: inputs.map { $0.expanded(at: 0) }, count: 1, keeping: .states, file: file, line: line) {
    _, elements in (state: [], outputs: try body(elements))
  }.outputs.map { $0.reshaped(to: Shape(Array($0.shape.extents.dropFirst()))) }
}

/// The body of a fold, described once.
private struct FoldTrace {
  private let body: FoldBody
  private let captures: [Tensor]
  /// What one step's outputs look like.
  let outputs: [Signature]
  /// States and outputs that have no elements are not folded.
  private let foldedStates: [Int]
  private let foldedSequences: [Int]
  private let foldedOutputs: [Int]

  init(
    _ initial: [Tensor], _ sequences: [Tensor], file: StaticString, line: UInt,
    _ body: ([Tensor], [Tensor]) throws -> (state: [Tensor], outputs: [Tensor])
  ) rethrows {
    let elements = sequences.map(\.element)
    foldedStates = initial.indices.filter { initial[$0].shape.count > 0 }
    foldedSequences = elements.indices.filter { elements[$0].shape.count > 0 }
    let given = foldedStates.map { initial[$0].signature } + foldedSequences.map { elements[$0] }
    let slots = given.enumerated().map { Node(Leaf.slot($0, $1), []) }
    func tensors(_ signatures: [Signature], _ folded: [Int], from first: Int) -> [Tensor] {
      signatures.enumerated().map { index, signature in
        folded.firstIndex(of: index).map { Tensor(slots[first + $0]) }
          ?? .zeros(signature.shape, signature.elementType)
      }
    }
    let (state, outputs) = try body(
      tensors(initial.map(\.signature), foldedStates, from: 0),
      tensors(elements, foldedSequences, from: foldedStates.count))
    require(
      state.map(\.signature) == initial.map(\.signature),
      "fold: the body makes of a state \(initial.map(\.signature)) the state \(state.map(\.signature)); it has to stay "
        + "as it is", file: file, line: line)
    self.outputs = outputs.map(\.signature)
    foldedOutputs = outputs.indices.filter { outputs[$0].shape.count > 0 }
    let results = foldedStates.map { state[$0].node } + foldedOutputs.map { outputs[$0].node }
    let closed = FoldBody.closing(results, over: slots)
    (self.body, captures) = (closed.body, closed.captures.map { Tensor($0) })
  }

  /// The fold of `count` steps.
  func applied(
    to initial: [Tensor], _ sequences: [Tensor], count: Int, isReversed: Bool, _ memory: FoldMemory
  ) -> (state: [Tensor], outputs: [Tensor]) {
    let empty = outputs.map { Tensor.zeros(Shape([count] + $0.shape.extents), $0.elementType) }
    guard !body.results.isEmpty else { return (initial, empty) }
    let sources =
      foldedStates.map { _ in Fold.Source.state } + foldedSequences.map { _ in .element }
      + captures.map { _ in .capture }
    let fold = Fold(body: body, sources: sources, count: count, isReversed: isReversed, memory: memory)
    let packed = foldedSequences.map { index in
      PackedSlices(slice: sequences[index].element, count: count).packed(sequences[index])
    }
    let inputs = foldedStates.map { initial[$0] } + packed + captures
    let node = Node(fold, inputs.map(\.node))
    var (state, stacks) = (initial, empty)
    for (number, index) in foldedStates.enumerated() { state[index] = fold.output(.final(number), of: node) }
    for (number, index) in foldedOutputs.enumerated() {
      stacks[index] = PackedSlices(slice: outputs[index], count: count).unpacked(
        fold.output(.stack(number), of: node))
    }
    return (state, stacks)
  }

  /// The fold as a fold over groups of `group` steps, which keeps the states between the groups; what is left over
  /// is a fold of its own.
  func grouped(
    by group: Int, _ initial: [Tensor], _ sequences: [Tensor], _ count: Int, isReversed: Bool
  ) -> (state: [Tensor], outputs: [Tensor]) {
    let (groups, rest) = (count / group, count % group)
    // The left-over steps come last: at the front of the sequences where the fold is reversed.
    let whole = isReversed ? rest..<count : 0..<(count - rest)
    let left = isReversed ? 0..<rest : (count - rest)..<count
    let (state, outputs) = fold(
      initial,
      over: sequences.map {
        $0.sliced(whole, along: 0).reshaped(to: Shape([groups, group] + $0.shape.extents.dropFirst()))
      }, count: groups, reversed: isReversed, keeping: .states
    ) { state, elements in
      applied(to: state, elements, count: group, isReversed: isReversed, .products)
    }
    let joined = outputs.map { $0.reshaped(to: Shape([groups * group] + $0.shape.extents.dropFirst(2))) }
    guard rest > 0 else { return (state, joined) }
    let last = applied(
      to: state, sequences.map { $0.sliced(left, along: 0) }, count: rest, isReversed: isReversed, .products)
    return (
      last.state,
      zip(joined, last.outputs).map { .concatenating(isReversed ? [$1, $0] : [$0, $1], along: 0) }
    )
  }
}

extension Tensor {
  /// What lies at one place along the outermost axis.
  fileprivate var element: Signature { Signature(Shape(Array(shape.extents.dropFirst())), elementType) }
}
