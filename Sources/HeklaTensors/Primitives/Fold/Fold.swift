import HeklaArrays

/// A body repeated over carried state: each step gets the state that the last one left, and one element of every
/// sequence; it leaves the next state, and one element of every output.
///
/// Its kernels are planned once and launched `count` times. The gradient is a fold that runs the other way; see
/// `FoldGradient`. Positions count elements of sequences and outputs: step t is at position t, or at
/// `count - 1 - t` where the fold is reversed. `fold(_:over:count:reversed:keeping:_:)` makes one.
public struct Fold: Primitive {
  /// What a slot of the body is given in each step, and how many inputs of the fold that takes.
  public enum Source: Hashable, Sendable {
    /// The state that the last step left; in the first step the input.
    case state
    /// The element at the step's position of the input, a packed sequence.
    case element
    /// What a state of another fold of this length was before its step at this position: the first input before
    /// its first step, an element of the second, its `history`, before others.
    case previous(isReversed: Bool)
    /// The input, in every step.
    case capture

    var inputCount: Int { if case .previous = self { 2 } else { 1 } }
  }

  /// What the fold gives.
  public enum Result: Hashable, Sendable {
    /// State `i` after the last step.
    case final(Int)
    /// Output `i` of all steps, packed, by position.
    case stack(Int)
    /// State `i` after every step but the last, packed, in the order of the steps.
    case history(Int)
    /// An intermediate result of all steps, `FoldBody.residuals[i]`, packed, by position.
    case residual(Int)
  }

  /// What is done in each step.
  public let body: FoldBody
  /// What each slot of the body is given.
  public let sources: [Source]
  /// The number of steps, at least 1.
  public let count: Int
  /// Whether the first step is at the last position.
  public let isReversed: Bool
  /// What is kept for the gradient.
  let memory: FoldMemory

  /// `fold`.
  public var name: String { "fold" }
  /// The body, what it is given, and the number and direction of the steps.
  public var attributes: String { "body \(body.number) \(sources) x\(count)\(isReversed ? " reversed" : "")" }

  /// The number of carried states, which are the first results of the body.
  public var stateCount: Int { sources.count { $0 == .state } }

  /// Everything that the fold gives; the first is its result as a primitive, the others are its further results.
  public var results: [Result] {
    let states = 0..<stateCount
    return states.map { .final($0) } + (0..<(body.results.count - stateCount)).map { .stack($0) }
      + (count > 1 ? states.map { .history($0) } : []) + body.residuals.indices.map { .residual($0) }
  }

  /// The node of the body whose value `result` holds, as it is in one step.
  public func node(of result: Result) -> Node {
    switch result {
    case .final(let index), .history(let index): body.results[index]
    case .stack(let index): body.results[stateCount + index]
    case .residual(let index): body.residuals[index]
    }
  }

  /// The position of the first input of each slot among the fold's inputs.
  public var firstInputs: [Int] {
    var next = 0
    return sources.map { source in
      defer { next += source.inputCount }
      return next
    }
  }

  /// Result `result` of `fold`, a node of this primitive.
  func output(_ result: Result, of fold: Node) -> Tensor {
    let place = results.firstIndex(of: result)
    require(place != nil, "fold: it does not keep \(result)")
    guard let index = place, index > 0 else { return Tensor(fold) }
    return Tensor(Node(SecondaryOutput(index: index - 1, signature: signature(of: result)), [fold]))
  }

  // MARK: Shape

  /// The signature of the first of `results`.
  public func signature(of inputs: [Signature]) -> Signature { signature(of: results[0]) }

  /// The signatures of the other `results`.
  public func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    results.dropFirst().map(signature(of:))
  }

  private func signature(of result: Result) -> Signature {
    let slice = node(of: result).signature
    return switch result {
    case .final: slice
    case .stack, .residual: packedSlices(slice).signature(rows: count)
    case .history: packedSlices(slice).signature(rows: count - 1)
    }
  }

  /// Slices like `slice`, one for a step.
  func packedSlices(_ slice: Signature) -> PackedSlices { PackedSlices(slice: slice, count: count) }

  // MARK: Gradient

  /// Another fold, which runs the other way; see `FoldGradient`.
  public func gradient(_ context: GradientContext) -> [Tensor?] {
    var gradient = FoldGradient(of: self, context)
    return gradient.inputGradients()
  }

  // MARK: Reference

  /// The first of `results`.
  public func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    references(inputs, signatures: [])[0]
  }

  /// The other `results`.
  public func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    Array(references(inputs, signatures: []).dropFirst())
  }

  /// All results, by evaluating the body in each step.
  public func references(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    let stateSlots = sources.indices.filter { sources[$0] == .state }
    var states = stateSlots.map { inputs[firstInputs[$0]] }
    var kept: [Result: [HostArray]] = [:]
    for step in 0..<count {
      let position = isReversed ? count - 1 - step : step
      var feed: [Node: HostArray] = [:]
      var nextState = 0
      for (slot, (source, first)) in zip(body.slots, zip(sources, firstInputs)) {
        switch source {
        case .state:
          feed[slot] = states[nextState]
          nextState += 1
        case .element:
          feed[slot] = packedSlices(slot.signature).element(position, of: inputs[first])
        case .previous(let isReversed):
          let before = isReversed ? count - 1 - position : position
          feed[slot] =
            before == 0
            ? inputs[first]
            : packedSlices(slot.signature).element(before - 1, of: inputs[first + 1])
        case .capture: feed[slot] = inputs[first]
        }
      }
      let values = referenceValues(of: (body.results + body.residuals).map { Tensor($0) }, feeding: feed)
      states = Array(values.prefix(stateSlots.count))
      for result in results {
        let value =
          switch result {
          case .final(let index), .history(let index): values[index]
          case .stack(let index): values[stateSlots.count + index]
          case .residual(let index): values[body.results.count + index]
          }
        kept[result, default: []].append(value)
      }
    }
    return results.map { result in
      let slices = kept[result] ?? []
      let byPosition = isReversed ? slices.reversed() : slices
      let slice = node(of: result).signature
      func packed(_ slices: [HostArray]) -> HostArray {
        packedSlices(slice).packed(slices, elementType: slices[0].elementType)
      }
      return switch result {
      case .final: slices[count - 1]
      case .stack, .residual: packed(byPosition)
      case .history: packed(slices.dropLast())
      }
    }
  }

  // MARK: Lowering

  /// The body's kernels, launched again for each step.
  public var lowering: Lowering { .repeated(self) }

  // MARK: Samples

  /// A recurrence of tanh over x[1] from x[0], with weights x[2].
  private static func recurrence(
    _ x: [Tensor], reversed: Bool = false, keeping memory: FoldMemory = .products
  ) -> Tensor {
    let (state, outputs) = HeklaTensors.fold([x[0]], over: [x[1]], reversed: reversed, keeping: memory) {
      state, element in
      let next = (state[0].matrixProduct(x[2]) + element[0]).tanh()
      return ([next], [next * element[0]])
    }
    return .concatenating([state[0].expanded(at: 0), outputs[0]], along: 0)
  }

  /// Recurrences of several lengths, directions and policies of memory.
  public static var samples: [Sample] {
    func sample(
      _ label: String, _ n: Int, _ batch: Int, _ width: Int,
      _ build: @escaping @Sendable ([Tensor]) -> Tensor
    ) -> Sample {
      Sample(
        label,
        inputs: [
          .init([batch, width]), .init([n, batch, width]), .init([width, width], in: -0.2...0.2),
        ],
        // A step adds at most 70 units in the last place of 1, most of them by tanh, and passes on at most
        // width * 0.2 <= 0.8 of the error it is given: 70 / (1 - 0.8) units, each two half-units.
        tolerance: .normwise(700), flops: n * 2 * batch * width * width, build: build)
    }
    return [
      sample("recurrence", 5, 3, 4) { recurrence($0) },
      sample("aligned-reversed", 4, 16, 4) { recurrence($0, reversed: true) },
      sample("two-steps", 2, 1, 1) { recurrence($0) },
      sample("one-step", 1, 2, 3) { recurrence($0, keeping: .states) },
      sample("every-third", 7, 3, 2) { recurrence($0, reversed: true, keeping: .every(3)) },
    ]
  }
}
