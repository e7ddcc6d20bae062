import HeklaArrays

/// The gradient of a fold: a fold that runs the other way and carries the gradients of the states.
///
/// Its body is the pullback of the forward body. What the pullback needs of the forward step it takes from the
/// states and intermediate results that the forward fold keeps, and computes the rest again. The gradients of what
/// is the same in every step are sums over the steps: where they are matrix products they are one product over all
/// steps, after the fold; else they are carried along.
struct FoldGradient {
  private let fold: Fold
  private let node: Node
  private let inputs: [Tensor]
  private let upstreams: [Fold.Result: Tensor]

  // The backward body as it grows:
  private var slots: [Node] = []
  private var sources: [Fold.Source] = []
  private var slotInputs: [[Tensor]] = []
  private var outputs: [Node] = []

  init(of fold: Fold, _ context: GradientContext) {
    self.fold = fold
    node = context.output.node
    inputs = context.inputs
    var upstreams = [fold.results[0]: context.upstream]
    for (index, tensor) in context.secondaryUpstreams { upstreams[fold.results[index + 1]] = tensor }
    self.upstreams = upstreams.filter { $1.elementType.isFloating }
  }

  /// One gradient per input of the fold; nil where nothing flows.
  mutating func inputGradients() -> [Tensor?] {
    let states = fold.sources.indices.filter { fold.sources[$0] == .state }
    let floating = states.indices.filter { fold.body.results[$0].elementType.isFloating }

    // The states' gradients come first, as states do.
    let carried = floating.map { number -> Node in
      let signature = fold.body.results[number].signature
      let initial = upstreams[.final(number)] ?? .zeros(signature.shape, signature.elementType)
      return addSlot(signature, .state, [initial])
    }
    let forward = forwardSlots()
    var copy = GraphCopy(replacing: Dictionary(uniqueKeysWithValues: zip(fold.body.slots, forward)))
    let step = copy.copies(of: fold.body.results + fold.body.residuals)
    let residuals = Array(step.dropFirst(fold.body.results.count))

    var cotangents: [(output: Tensor, cotangent: Tensor)] = []
    for (number, slot) in zip(floating, carried) { cotangents.append((Tensor(step[number]), Tensor(slot))) }
    for result in fold.results {
      if let upstream = upstreams[result], let (index, rows) = elements(result, upstream) {
        let slot = addSlot(step[index].signature, .element, [rows])
        cotangents.append((Tensor(step[index]), Tensor(slot)))
      }
    }
    let wanted = forward.map { Tensor($0) }
    let found = pulledBack(cotangents, to: wanted).map { $0?.node }
    let pulled = takingResiduals(residuals, into: found)

    let next = zip(floating, carried).map { number, slot in
      pulled[states[number]] ?? Tensor.zeros(slot.shape, slot.elementType).node
    }
    return assembled(pulled, next: next, floating: floating.map { states[$0] })
  }

  // MARK: Slots

  private mutating func addSlot(_ signature: Signature, _ source: Fold.Source, _ inputs: [Tensor]) -> Node {
    let slot = Node(Leaf.slot(slots.count, signature), [])
    slots.append(slot)
    sources.append(source)
    slotInputs.append(inputs)
    return slot
  }

  /// What the forward body was given, again: its states from the history that the forward fold keeps.
  private mutating func forwardSlots() -> [Node] {
    var state = 0
    return zip(fold.body.slots, zip(fold.sources, fold.firstInputs)).map { slot, place in
      let (source, first) = place
      let own = Array(inputs[first..<first + source.inputCount])
      guard source == .state else { return addSlot(slot.signature, source, own) }
      defer { state += 1 }
      guard fold.count > 1 else { return addSlot(slot.signature, .capture, own) }
      let history = fold.output(.history(state), of: node)
      return addSlot(slot.signature, .previous(isReversed: fold.isReversed), own + [history])
    }
  }

  /// Which result of a step, or residual behind them, `result` collects, and its gradients by position; nil for a
  /// final state, whose gradient is where the carried ones start.
  private func elements(_ result: Fold.Result, _ upstream: Tensor) -> (index: Int, rows: Tensor)? {
    switch result {
    case .final: return nil
    case .stack(let index): return (fold.stateCount + index, upstream)
    case .residual(let index): return (fold.body.results.count + index, upstream)
    case .history(let index):
      // There is none after the last step.
      let rows = upstream.padded(after: [1, 0])
      return (index, fold.isReversed ? rows.flipped(along: [0]) : rows)
    }
  }

  /// The pullback with the intermediate results that it needs taken from what the forward fold keeps.
  private mutating func takingResiduals(_ residuals: [Node], into pulled: [Node?]) -> [Node?] {
    let index = Dictionary(residuals.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    // Those that are reached without passing through another.
    var used: Set<Int> = []
    var seen: Set<Node> = []
    var stack = fold.memory == .states ? [] : pulled.compactMap(\.self)
    while let node = stack.popLast() {
      if let position = index[node] {
        used.insert(position)
      } else if seen.insert(node).inserted {
        stack += node.primitive is SecondaryOutput ? node.inputs[0].inputs : node.inputs
      }
    }
    var replacements: [Node: Node] = [:]
    for position in used.sorted() {
      let kept = fold.output(.residual(position), of: node)
      replacements[residuals[position]] = addSlot(residuals[position].signature, .element, [kept])
    }
    var copy = GraphCopy(replacing: replacements)
    // Equal parts are made one, so that a sum finds that what it adds up is kept for a product.
    var copies = copy.copies(of: pulled.compactMap(\.self)).sharingSubexpressions().makeIterator()
    return pulled.map { $0 == nil ? nil : copies.next() }
  }

  // MARK: Results

  /// A sum over the steps that is taken after the fold.
  private indirect enum Term {
    case product(left: Node, right: Node)
    case sum(Node, axes: [Int])
  }

  /// Where the gradient of a slot of the forward body is found after the backward fold.
  private enum Place {
    case output(Int)
    case state(Int)
    case terms([Term])
  }

  /// Runs the backward fold and takes the gradients from it.
  private mutating func assembled(_ pulled: [Node?], next: [Node], floating: [Int]) -> [Tensor?] {
    var places = [Place?](repeating: nil, count: pulled.count)
    for (number, slot) in floating.enumerated() { places[slot] = .state(number) }
    var captures: [Int] = []
    for (slot, gradient) in pulled.enumerated() {
      guard let gradient, places[slot] == nil, fold.sources[slot] != .state else { continue }
      if fold.sources[slot] == .capture, fold.count > 1 {
        captures.append(slot)
      } else {
        places[slot] = .output(outputIndex(of: gradient))
      }
    }
    var nextStates = next
    // Products first: what they read is kept, and sums can be taken of it then.
    for allowsSums in [false, true] {
      for slot in captures where places[slot] == nil {
        guard let gradient = pulled[slot], let terms = terms(of: gradient, allowsSums: allowsSums) else {
          continue
        }
        for case .product(let left, let right) in terms { [left, right].forEach { keep($0) } }
        places[slot] = .terms(terms)
      }
    }
    for slot in captures where places[slot] == nil {
      guard let gradient = pulled[slot] else { continue }
      let sum = addSlot(gradient.signature, .state, [.zeros(gradient.shape, gradient.elementType)])
      places[slot] = .state(nextStates.count)
      nextStates.append((Tensor(sum) + Tensor(gradient)).node)
    }

    let body = FoldBody(slots: slots, results: nextStates + outputs)
    guard !body.results.isEmpty else { return inputs.map { _ in nil } }
    let backward = Fold(
      body: body, sources: sources, count: fold.count, isReversed: !fold.isReversed, memory: fold.memory)
    let run = Node(backward, slotInputs.flatMap { $0 }.map(\.node))

    func stack(_ index: Int) -> Tensor { backward.output(.stack(index), of: run) }
    func unpacked(_ packed: Tensor, _ slice: Signature) -> Tensor {
      fold.packedSlices(slice).unpacked(packed)
    }
    var gradients: [Tensor?] = []
    for (slot, source) in fold.sources.enumerated() {
      let signature = fold.body.slots[slot].signature
      switch (places[slot], source) {
      case (nil, _): gradients += [Tensor?](repeating: nil, count: source.inputCount)
      case (.state(let number), _): gradients.append(backward.output(.final(number), of: run))
      case (.terms(let terms), _):
        let sums = terms.map { sum($0, of: run, backward).reshaped(to: signature.shape) }
        gradients.append(sums.dropFirst().reduce(sums[0], +))
      case (.output(let index), .previous(let isReversed)):
        // In the order of the steps of the fold whose states they are: the first is the initial state's.
        let rows = isReversed ? stack(index).flipped(along: [0]) : stack(index)
        let initial = fold.packedSlices(signature).unpacked(rows.sliced(0..<1, along: 0))
        gradients += [initial.reshaped(to: signature.shape), rows.sliced(1..<fold.count, along: 0)]
      case (.output(let index), .capture):
        gradients.append(unpacked(stack(index), signature).reshaped(to: signature.shape))
      case (.output(let index), _): gradients.append(stack(index))
      }
    }
    return gradients
  }

  private mutating func outputIndex(of node: Node) -> Int {
    if let known = outputs.firstIndex(of: node) { return known }
    outputs.append(node)
    return outputs.count - 1
  }

  // MARK: Sums over the steps

  /// `gradient` as a sum of matrix products whose inner axis comes first in both factors, so that those of all steps
  /// are one; where allowed also of sums of what is kept anyway. Nil where it is anything else.
  private func terms(of gradient: Node, allowsSums: Bool) -> [Term]? {
    let node = gradient.unshaped
    switch node.primitive {
    case let product as MatrixProduct
    where product.transposingLeft && !product.transposingRight && node.inputs.allSatisfy { $0.shape[0] == 1 }
      && node.inputs.allSatisfy(changes):
      return [.product(left: node.inputs[0], right: node.inputs[1])]
    case let map as Map where map.isSum:
      let parts = node.inputs.map { terms(of: $0, allowsSums: allowsSums) }
      return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
    case let reduction as Reduction where allowsSums && reduction.fold == .sum && isKept(node.inputs[0]):
      return [.sum(node.inputs[0], axes: reduction.axes)]
    default: return nil
    }
  }

  /// Whether `factor` is computed in each step or is an element of a sequence, so that it differs between steps.
  private func changes(_ factor: Node) -> Bool {
    guard let slot = slots.firstIndex(of: factor.unshaped) else { return true }
    return sources[slot] == .element || isPrevious(slot)
  }

  private func isPrevious(_ slot: Int) -> Bool { if case .previous = sources[slot] { true } else { false } }

  private func isKept(_ node: Node) -> Bool {
    outputs.contains(node.unshaped)
      || slots.firstIndex(of: node.unshaped).map { sources[$0] == .element } == true
  }

  /// Makes the values that `factor` has in all steps available after the fold.
  private mutating func keep(_ factor: Node) {
    if !slots.contains(factor.unshaped) { _ = outputIndex(of: factor.unshaped) }
  }

  /// The values of `factor` in all steps, shape `[count] + factor.shape`.
  private func all(_ factor: Node, of run: Node, _ backward: Fold) -> Tensor {
    let base = factor.unshaped
    let slices = fold.packedSlices(base.signature)
    let packed: Tensor
    if let index = outputs.firstIndex(of: base) {
      packed = backward.output(.stack(index), of: run)
    } else if let slot = slots.firstIndex(of: base), case .previous(let isReversed) = sources[slot] {
      let first = slices.packed(slotInputs[slot][0].expanded(at: 0))
      let ordered = Tensor.concatenating([first, slotInputs[slot][1]], along: 0)
      packed = isReversed ? ordered.flipped(along: [0]) : ordered
    } else {
      let slot = slots.firstIndex(of: base) ?? 0
      packed = slotInputs[slot][0]
    }
    return slices.unpacked(packed).reshaped(to: Shape([fold.count] + factor.shape.extents))
  }

  private func sum(_ term: Term, of run: Node, _ backward: Fold) -> Tensor {
    switch term {
    case .product(let left, let right):
      // [count, 1, k, m] and [count, 1, k, n]: the steps continue the inner axis.
      func joined(_ factor: Node) -> Tensor {
        all(factor, of: run, backward).reshaped(to: [1, fold.count * factor.shape[1], factor.shape[2]])
      }
      return .product(joined(left), joined(right), transposingLeft: true)
    case .sum(let node, let axes):
      return all(node, of: run, backward).sum(along: [0] + axes.map { $0 + 1 })
    }
  }
}

extension Node {
  /// What lies behind reshapes.
  fileprivate var unshaped: Node {
    var node = self
    while node.primitive is Reshape { node = node.inputs[0] }
    return node
  }
}

extension Map {
  /// Whether it is the sum of its two inputs.
  fileprivate var isSum: Bool {
    guard case .apply(.add, let operands) = expression.form, operands.count == 2 else { return false }
    if case .input(0) = operands[0].form, case .input(1) = operands[1].form { return true }
    return false
  }
}
