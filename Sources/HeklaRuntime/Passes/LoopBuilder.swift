import HeklaArrays
import HeklaDevices
import HeklaTensors

/// A generated kernel before memory is assigned: the loop, and the nodes behind its bindings.
struct BuiltLoop {
  /// Bindings `0..<reads.count` are read, those after are written.
  var loop: Loop
  /// What each read binding holds.
  var reads: [Node]
  /// What each written binding holds.
  var roots: [Node]

  /// What plans and profiles call it.
  var label: String {
    guard let fold = loop.accumulators.first?.fold else {
      return roots.count == 1 ? "map" : "map x\(roots.count)"
    }
    return loop.accumulators.count == 1 ? fold.rawValue : "\(fold.rawValue) +\(loop.accumulators.count - 1)"
  }

  /// The same without the writes of nodes that nobody reads; their values are still computed where others need them.
  func writingOnly(_ needed: Set<Node>) -> BuiltLoop {
    var result = self
    let kept = roots.indices.filter { needed.contains(roots[$0]) }
    result.roots = kept.map { roots[$0] }
    result.loop.writes = kept.enumerated().flatMap { position, index in
      loop.writes.filter { $0.binding == reads.count + index }.map { write in
        var write = write
        write.binding = reads.count + position
        return write
      }
    }
    return result
  }

  /// The nodes of which the loop reads, at each point, only the element that it writes there.
  var pointwiseReads: Set<Node> {
    var result: Set<Node> = []
    for (binding, node) in reads.enumerated() {
      let accesses = loop.reads.filter { $0.binding == binding }
      let writes = loop.writes.map(\.index)
      if accesses.allSatisfy({ read in read.guards.isEmpty && writes.allSatisfy { $0 == read.index } }) {
        result.insert(node)
      }
    }
    return result
  }
}

/// Builds the loop that computes some stored nodes from other stored nodes.
///
/// Walks from the roots to what is stored, carrying each operation's coordinates as expressions of the loop's
/// variables. Reshapes make quotients and remainders; a variable is split where that removes them, so that in
/// the end every access is affine. Of a root that joins equal parts the loop runs over one part, and writes all of them
/// at each point.
struct LoopBuilder {
  /// The fusion left an access that no splitting makes affine; `node` has to be stored.
  struct NeedsStorage: Error {
    var node: Node
  }

  private let isStored: (Node) -> Bool
  private let roots: [Node]
  /// The factors of each parallel axis and of each folded axis, outermost first.
  private var parallelFactors: [[Int]]
  private var reductionFactors: [[Int]] = []

  // Rebuilt for each attempt:
  private var reads: [Loop.Read] = []
  private var readIndex: [ReadKey: Int] = [:]
  private var sources: [Node] = []
  private var accumulators: [(fold: Loop.Fold, value: Scalar)] = []
  private var accumulatorIndex: [Node: Int] = [:]
  private var memo: [VisitKey: Scalar] = [:]
  private var wantedSplit: (variable: IndexExpression.Variable, innerExtent: Int)?

  private struct ReadKey: Hashable {
    var binding: Int
    var index: IndexExpression
    var conditions: [Movement.Condition]
  }

  private struct VisitKey: Hashable {
    var node: Node
    var point: [IndexExpression]
    var conditions: [Movement.Condition]
  }

  /// Accumulators appear in epilogues as inputs numbered from here.
  private static let firstAccumulator = 1 << 20

  /// The loop that computes `roots`, which share one `Node.loopShape`, reading only stored nodes.
  static func build(_ roots: [Node], isStored: @escaping (Node) -> Bool) throws(NeedsStorage) -> BuiltLoop {
    var builder = LoopBuilder(roots: roots, isStored: isStored)
    return try builder.build()
  }

  private init(roots: [Node], isStored: @escaping (Node) -> Bool) {
    self.roots = roots
    self.isStored = isStored
    parallelFactors = roots[0].loopShape.extents.map { $0 == 1 ? [] : [$0] }
  }

  private mutating func build() throws(NeedsStorage) -> BuiltLoop {
    while true {
      if let loop = try attempt() { return loop }
    }
  }

  /// One walk; nil when a variable was split and the walk has to be done again.
  private mutating func attempt() throws(NeedsStorage) -> BuiltLoop? {
    (reads, readIndex, sources, accumulators, accumulatorIndex, memo) = ([], [:], [], [], [:], [:])
    wantedSplit = nil
    let point = coordinates(of: parallelFactors, firstVariable: 0)
    var results: [Result] = []
    for (number, root) in roots.enumerated() {
      if let joined = JoinedParts(root) {
        for (part, offset) in zip(joined.parts, joined.offsets) {
          let value = try value(of: part, at: point, conditions: [], reshape: nil)
          results.append(Result(root: number, offset: offset, value: value))
        }
      } else {
        let value = try compute(root, at: point, conditions: [], reshape: nil)
        results.append(Result(root: number, offset: 0, value: value))
      }
      if let split = wantedSplit {
        apply(split)
        return nil
      }
    }
    return finished(results)
  }

  /// What is stored at each point: an element of root number `root`, so far behind the one at the point.
  private struct Result {
    var root: Int
    var offset: Int
    var value: Scalar
  }

  /// Variables are numbered through the factors of all axes, parallel ones first.
  private func coordinates(of axes: [[Int]], firstVariable: Int) -> [IndexExpression] {
    var variable = firstVariable
    return axes.map { factors in
      var coordinate = IndexExpression(0)
      for factor in factors {
        coordinate = coordinate * factor + IndexExpression(.init(variable, extent: factor))
        variable += 1
      }
      return coordinate
    }
  }

  private mutating func apply(_ split: (variable: IndexExpression.Variable, innerExtent: Int)) {
    var variable = 0
    func splitting(_ axes: [[Int]]) -> [[Int]] {
      axes.map { factors in
        factors.flatMap { factor -> [Int] in
          defer { variable += 1 }
          return variable == split.variable.number
            ? [factor / split.innerExtent, split.innerExtent] : [factor]
        }
      }
    }
    parallelFactors = splitting(parallelFactors)
    reductionFactors = splitting(reductionFactors)
  }

  /// Notes that `expression` has to be affine: asks for a split, or for storage behind `reshape` when none helps.
  private mutating func requireAffine(_ expression: IndexExpression, reshape: Node?) throws(NeedsStorage) {
    guard !expression.isAffine, wantedSplit == nil else { return }
    if let split = expression.usefulSplit {
      wantedSplit = split
    } else if let reshape {
      throw NeedsStorage(node: reshape.inputs[0])
    }
  }

  // MARK: Walking

  /// The value of `node` at `point`, as a user within the loop sees it.
  private mutating func value(
    of node: Node, at point: [IndexExpression], conditions: [Movement.Condition], reshape: Node?
  ) throws(NeedsStorage) -> Scalar {
    let key = VisitKey(node: node, point: point, conditions: conditions)
    if let known = memo[key] { return known }
    let result: Scalar
    if isStored(node) {
      result = try read(node, at: linearized(point, in: node.shape), conditions: conditions, reshape: reshape)
    } else {
      result = try compute(node, at: point, conditions: conditions, reshape: reshape)
    }
    memo[key] = result
    return result
  }

  /// The expression that computes `node` at `point`.
  private mutating func compute(
    _ node: Node, at point: [IndexExpression], conditions: [Movement.Condition], reshape: Node?
  ) throws(NeedsStorage) -> Scalar {
    let result: Scalar
    switch node.primitive.lowering {
    case .map(let expression):
      var operands: [Scalar] = []
      for input in node.inputs {
        operands.append(try value(of: input, at: point, conditions: conditions, reshape: reshape))
      }
      var coordinates: [Int: Scalar] = [:]
      for axis in point.indices where expression.usesCoordinate(axis) {
        coordinates[axis] = try scalar(point[axis], reshape: reshape)
      }
      result = expression.substituting { form in
        switch form {
        case .input(let index): operands[index]
        case .coordinate(let axis): coordinates[axis]
        default: nil
        }
      }
    case .movement(let move):
      let isReshape = node.primitive.name == "reshape"
      let movement = move(point, node.inputs.map(\.shape))
      result = try compute(movement, of: node, conditions: conditions, reshape: isReshape ? node : reshape)
    case .fold(let fold, let axes):
      result = try compute(fold, of: node, along: axes, at: point, conditions: conditions, reshape: reshape)
    case .leaf, .kernels, .repeated, .secondary:
      result = try read(node, at: linearized(point, in: node.shape), conditions: conditions, reshape: reshape)
    }
    // Of a narrow element only memory holds the rounded value, so whoever wants it has to read it there.
    if conditions.isEmpty, node.elementType == node.elementType.computed, roots.contains(node) {
      memo[VisitKey(node: node, point: point, conditions: [])] = result
    }
    return result
  }

  private mutating func compute(
    _ movement: Movement, of node: Node, conditions: [Movement.Condition], reshape: Node?
  ) throws(NeedsStorage) -> Scalar {
    var result = Scalar.constant(movement.fill, node.elementType)
    for piece in movement.pieces.reversed() {
      let own = piece.conditions.filter { !$0.alwaysHolds }
      let input = node.inputs[piece.input]
      let element = try value(of: input, at: piece.point, conditions: conditions + own, reshape: reshape)
      // A guarded read gives 0 by itself.
      let isGuardedRead = movement.pieces.count == 1 && movement.fill == 0 && isStored(input)
      if own.isEmpty || isGuardedRead {
        result = element
      } else {
        var holds = Scalar.constant(1, .bool)
        for (position, condition) in own.enumerated() {
          let index = try scalar(condition.expression, reshape: reshape)
          var test = Scalar.constant(1, .bool)
          let values = condition.expression.range
          if values.lowerBound < condition.range.lowerBound {
            test = .constant(Double(condition.range.lowerBound), .int32) .<= index
          }
          if values.upperBound >= condition.range.upperBound {
            let below = index .< .constant(Double(condition.range.upperBound), .int32)
            test = test.constantValue == 1 ? below : test .& below
          }
          holds = position == 0 ? test : holds .& test
        }
        result = .select(holds, element, result)
      }
    }
    return result
  }

  private mutating func compute(
    _ fold: Loop.Fold, of node: Node, along axes: [Int], at point: [IndexExpression],
    conditions: [Movement.Condition], reshape: Node?
  ) throws(NeedsStorage) -> Scalar {
    let input = node.inputs[0]
    if reductionFactors.isEmpty {
      reductionFactors = axes.map { axis in input.shape.extents[axis] == 1 ? [] : [input.shape.extents[axis]]
      }
    }
    let parallelCount = parallelFactors.reduce(0) { $0 + $1.count }
    let folded = coordinates(of: reductionFactors, firstVariable: parallelCount)
    var source = point
    for (position, axis) in axes.enumerated() { source.insert(folded[position], at: axis) }
    let index: Int
    if let known = accumulatorIndex[node] {
      index = known
    } else {
      let body = try value(of: input, at: source, conditions: conditions, reshape: reshape)
      index = accumulators.count
      accumulators.append((fold, body))
      accumulatorIndex[node] = index
    }
    return .input(Self.firstAccumulator + index, node.elementType)
  }

  private mutating func read(
    _ node: Node, at index: IndexExpression, conditions: [Movement.Condition], reshape: Node?
  ) throws(NeedsStorage) -> Scalar {
    let base = node.base
    try requireAffine(index, reshape: reshape)
    for condition in conditions { try requireAffine(condition.expression, reshape: reshape) }
    let binding = sources.firstIndex(of: base) ?? sources.count
    if binding == sources.count { sources.append(base) }
    let key = ReadKey(binding: binding, index: index, conditions: conditions)
    let position = readIndex[key] ?? reads.count
    if position == reads.count {
      readIndex[key] = position
      reads.append(
        Loop.Read(
          binding: binding, elementType: node.elementType, index: affine(index),
          guards: conditions.map {
            Loop.Guard(affine($0.expression), lower: $0.range.lowerBound, upper: $0.range.upperBound)
          }))
    }
    return .input(position, node.elementType)
  }

  /// `expression` as an `int32` of the loop's coordinates.
  private mutating func scalar(_ expression: IndexExpression, reshape: Node?) throws(NeedsStorage) -> Scalar {
    try requireAffine(expression, reshape: reshape)
    var result: Scalar?
    for (variable, factor) in (expression.factors ?? [:]).sorted(by: { $0.key < $1.key }) {
      let term = Scalar.coordinate(variable) * .constant(Double(factor), .int32)
      result = result.map { $0 + term } ?? term
    }
    let constant = Scalar.constant(Double(expression.constant), .int32)
    return result.map { $0 + constant } ?? constant
  }

  private func affine(_ expression: IndexExpression) -> Loop.Affine {
    let factors = expression.factors ?? [:]
    let count = (parallelFactors + reductionFactors).reduce(0) { $0 + $1.count }
    return Loop.Affine(offset: expression.constant, strides: (0..<count).map { factors[$0] ?? 0 })
  }

  // MARK: Finishing

  private mutating func finished(_ results: [Result]) -> BuiltLoop {
    let extents = parallelFactors.flatMap { $0 }
    // A read that was met before the reduction does not know the folded axes yet.
    let axisCount = (parallelFactors + reductionFactors).reduce(0) { $0 + $1.count }
    for number in reads.indices { reads[number].extendStrides(to: axisCount) }
    let point = coordinates(of: parallelFactors, firstVariable: 0)
    var body = InstructionList(firstAccumulator: Self.firstAccumulator)
    var epilogue = InstructionList(firstAccumulator: Self.firstAccumulator)
    let folded = accumulators.map { fold, value in
      let type = value.type
      return Loop.Accumulator(fold, of: body.append(value), type: type)
    }
    var writes: [Loop.Write] = []
    for result in results {
      let root = roots[result.root]
      var index = affine(linearized(point, in: root.shape))
      index.offset += result.offset
      index.strides = Array(index.strides.prefix(extents.count))
      let value = folded.isEmpty ? body.append(result.value) : epilogue.append(result.value)
      writes.append(
        Loop.Write(
          binding: sources.count + result.root, elementType: root.elementType, index: index, value: value))
    }
    var loop = Loop(
      extents: extents, reductionExtents: folded.isEmpty ? [] : reductionFactors.flatMap { $0 }, reads: reads,
      body: body.instructions, accumulators: folded, epilogue: epilogue.instructions, writes: writes)
    if !folded.isEmpty && loop.reductionExtents.isEmpty { loop.appendReductionAxis() }
    return BuiltLoop(loop: loop.collapsingAxes(), reads: sources, roots: roots)
  }
}

extension Loop.Read {
  /// Gives the axes that are missing a factor of 0, up to `count` axes.
  fileprivate mutating func extendStrides(to count: Int) {
    func extended(_ strides: [Int]) -> [Int] { strides + Array(repeating: 0, count: count - strides.count) }
    index.strides = extended(index.strides)
    for number in guards.indices { guards[number].value.strides = extended(guards[number].value.strides) }
  }
}

extension Loop {
  /// Adds a folded axis of extent 1, for reductions over axes that all have one element.
  fileprivate mutating func appendReductionAxis() {
    reductionExtents = [1]
    for position in reads.indices {
      reads[position].index.strides.append(0)
      for number in reads[position].guards.indices { reads[position].guards[number].value.strides.append(0) }
    }
  }
}

/// The row-major position of `point` in an array of `shape`.
private func linearized(_ point: [IndexExpression], in shape: Shape) -> IndexExpression {
  zip(point, shape.strides).reduce(IndexExpression(0)) { $0 + $1.0 * $1.1 }
}

/// An expression flattened into steps, each distinct step once.
private struct InstructionList {
  private(set) var instructions: [Loop.Instruction] = []
  private var positions: [Loop.Instruction: Int] = [:]
  private var known: [ObjectIdentifier: Int] = [:]
  private let firstAccumulator: Int

  init(firstAccumulator: Int) { self.firstAccumulator = firstAccumulator }

  /// Adds what `scalar` needs, and returns the position of its value.
  mutating func append(_ scalar: Scalar) -> Int {
    if let position = known[scalar.identity] { return position }
    let instruction: Loop.Instruction
    switch scalar.form {
    case .input(let index):
      instruction = index >= firstAccumulator ? .accumulator(index - firstAccumulator) : .read(index)
    case .constant(let value): instruction = .constant(value, scalar.type)
    case .coordinate(let axis): instruction = .coordinate(axis)
    case .apply(let operation, let operands):
      var positions: [Int] = []
      for operand in operands { positions.append(append(operand)) }
      instruction = .apply(operation, positions, scalar.type)
    }
    let position = positions[instruction] ?? instructions.count
    if position == instructions.count {
      positions[instruction] = position
      instructions.append(instruction)
    }
    known[scalar.identity] = position
    return position
  }
}
