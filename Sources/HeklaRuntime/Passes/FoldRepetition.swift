import HeklaTensors

/// A fold as it is planned: which of its results its kernels write, and into which of its computation's nodes.
struct FoldRepetition {
  let fold: Fold
  let node: Node
  /// What each iteration computes: the states in any case, and of the rest what the computation around it reads.
  let results: [Fold.Result]
  private let writes: [Node]

  /// The fold `node`, of whose results the computation reads `writes`.
  init(_ fold: Fold, _ node: Node, writes: [Node]) {
    (self.fold, self.node, self.writes) = (fold, node, writes)
    let states = (0..<fold.stateCount).map { Fold.Result.final($0) }
    let others = fold.results.filter { result in
      switch result {
      case .final, .history: false
      case .stack, .residual: Self.node(of: result, fold, node, writes) != nil
      }
    }
    results = states + others
  }

  /// The node outside that stands for `result`; nil where nobody reads it.
  func node(of result: Fold.Result) -> Node? { Self.node(of: result, fold, node, writes) }

  private static func node(of result: Fold.Result, _ fold: Fold, _ node: Node, _ writes: [Node]) -> Node? {
    guard let index = fold.results.firstIndex(of: result) else { return nil }
    return index == 0
      ? node : writes.first { if case .secondary(index - 1) = $0.primitive.lowering { true } else { false } }
  }
}

extension PlanDraft {
  /// Begins the repetition of a fold's body: places what the body is given and what it leaves.
  ///
  /// States move through their history where the computation reads it, else between two places, and end in the
  /// final state's own.
  /// - Parameters:
  ///   - repetition: What is repeated.
  ///   - roots: The nodes of the body that give `repetition.results`, no two of which share memory.
  mutating func beginRepetition(_ repetition: FoldRepetition, roots: [Node]) -> Scope {
    let (fold, count) = (repetition.fold, repetition.fold.count)
    let inputs = repetition.node.inputs.map { value(of: $0.base) }
    func temporary(_ byteCount: Int) -> Int { addTemporary(byteCount: byteCount) }
    var finals: [Int] = []
    var passages: [(value: Int, places: Int)] = []
    for state in 0..<fold.stateCount {
      let slice = fold.node(of: .final(state)).signature
      finals.append(repetition.node(of: .final(state)).map { value(of: $0) } ?? temporary(slice.byteCount))
      guard count > 1 else { continue }
      if let history = repetition.node(of: .history(state)) {
        passages.append((value(of: history), count - 1))
      } else {
        let places = min(2, count - 1)
        passages.append((temporary(places * slice.packedByteCount(in: count)), places))
      }
    }
    let stacks = repetition.results.map { result -> Int? in
      if case .final = result { return nil }
      return repetition.node(of: result).map { value(of: $0) }
    }

    let scope = openScope(count: count)
    let number = plan.repetitions.count - 1
    func motion(
      through value: Int, _ slice: Signature, step: Int, from first: Int, places: Int,
      except exception: Plan.Motion.Exception? = nil
    ) -> Plan.Motion {
      Plan.Motion(
        repetition: number, value: value, byteStride: slice.packedByteCount(in: count), step: step,
        first: first,
        places: places, exception: exception)
    }
    func byPosition(_ value: Int, _ slice: Signature) -> Plan.Motion {
      motion(
        through: value, slice, step: fold.isReversed ? -1 : 1, from: fold.isReversed ? count - 1 : 0,
        places: count)
    }
    var state = 0
    for (slot, (source, first)) in zip(fold.body.slots, zip(fold.sources, fold.firstInputs)) {
      let slice = slot.signature
      switch source {
      case .capture: bind(slot, to: inputs[first])
      case .element: bind(slot, to: byPosition(inputs[first], slice))
      case .previous(let isReversed):
        // The step before the first one of the other fold is this fold's first, or its last.
        let isSameWay = isReversed == fold.isReversed
        bind(
          slot,
          to: motion(
            through: inputs[first + 1], slice, step: isSameWay ? 1 : -1, from: isSameWay ? -1 : count - 2,
            places: count - 1, except: .init(iteration: isSameWay ? 0 : count - 1, value: inputs[first])))
      case .state:
        defer { state += 1 }
        guard count > 1 else {
          bind(slot, to: inputs[first])
          continue
        }
        let (value, places) = passages[state]
        bind(
          slot,
          to: motion(
            through: value, slice, step: 1, from: -1, places: places,
            except: .init(iteration: 0, value: inputs[first])))
      }
    }
    for (result, (root, stack)) in zip(repetition.results, zip(roots, stacks)) {
      let base = root.base
      if case .final(let state) = result {
        if count == 1 {
          bind(base, to: finals[state])
        } else {
          let (value, places) = passages[state]
          bind(
            base,
            to: motion(
              through: value, base.signature, step: 1, from: 0, places: places,
              except: .init(iteration: count - 1, value: finals[state])))
        }
      } else if let stack {
        bind(base, to: byPosition(stack, base.signature))
      }
    }
    return scope
  }
}
