import HeklaArrays
import HeklaDevices
import HeklaTensors

/// A plan whose values have no place yet.
struct PlanDraft {
  private let computation: Computation
  private(set) var plan = Plan()
  /// The values of the computation that is being added: the step's own, or a fold's body.
  private var valueOf: [Node: Int] = [:]
  /// The same for further results, of which several vertices may stand for one.
  private var valueOfResult: [FurtherResult: Int] = [:]
  /// The repetition whose body is being added.
  private(set) var repetition: Int?
  /// The repetition in which each value is used anew in every iteration; nil for those of the whole step.
  private var homes: [Int?] = []
  /// The innermost repetition around each launch.
  private var surroundings: [Int?] = []
  private var nodeOf: [Int: Node] = [:]
  private var parameterIndex: [Parameter: Int] = [:]
  /// For each step, whether it is a loop without a reduction, and the nodes whose memory it may write over because
  /// it reads them only where it writes.
  private var overwritable: [(isMap: Bool, nodes: Set<Node>)] = []

  init(computation: Computation, inputs: [Signature]) {
    self.computation = computation
    plan.inputs = inputs
  }

  /// Adds the launches of one kernel.
  ///
  /// - Parameter preparesOnce: Whether launches that make the same temporaries in every iteration of the repetition
  ///   that is being added go before it.
  mutating func append(
    _ kernel: FormedKernel, calls: [LoweredCall], temporaries: [Int], preparesOnce: Bool = true
  ) {
    let firstTemporary = plan.values.count
    for byteCount in temporaries {
      _ = addTemporary(byteCount: byteCount)
    }
    let shapes = kernel.shapes
    var operationCount = kernel.operationCount
    for call in calls {
      var bindings: [Int] = []
      for operand in call.operands {
        switch operand {
        case .node(let node): bindings.append(value(of: kernel.substitutes[node] ?? node))
        case .temporary(let index): bindings.append(firstTemporary + index)
        case .indexStatus: bindings.append(indexStatus())
        }
      }
      let earlier = preparesOnce ? repetitionToPrecede(call, bindings, of: calls) : nil
      // Checks of indices before the kernel are not its work, and what is prepared once is not that of each iteration.
      let isCheck = call.operands.contains(.indexStatus)
      let step = Plan.Step(
        label: call.label, variant: call.variant, source: call.source, bindings: bindings,
        writtenCount: call.writtenCount, groupCount: call.groupCount, pushConstants: call.pushConstants,
        shapes: shapes, byteCount: byteCount(of: kernel, bindings, writing: call.writtenCount),
        operationCount: isCheck ? nil : earlier != nil && operationCount != nil ? 0 : operationCount)
      if !isCheck, earlier == nil, operationCount != nil { operationCount = 0 }
      insert(step, before: earlier, isMap: kernel.isMap, pointwiseReads: kernel.pointwiseReads)
    }
  }

  /// Adds a launch at the end, or before repetition `earlier`.
  private mutating func insert(
    _ step: Plan.Step, before earlier: Int?, isMap: Bool, pointwiseReads: Set<Node>
  ) {
    let position = earlier.map { plan.repetitions[$0].steps.lowerBound } ?? plan.steps.count
    plan.steps.insert(step, at: position)
    overwritable.insert((isMap, pointwiseReads), at: position)
    surroundings.insert(earlier.map { plan.repetitions[$0].parent } ?? repetition, at: position)
    guard let earlier else { return }
    for value in step.writes { homes[value] = plan.repetitions[earlier].parent }
    // Those that began later lie within it, since it has not ended yet.
    for number in earlier..<plan.repetitions.count {
      let steps = plan.repetitions[number].steps
      plan.repetitions[number].steps = (steps.lowerBound + 1)..<(steps.upperBound + 1)
    }
  }

  /// The bytes that a launch reads and writes.
  private func byteCount(
    of kernel: FormedKernel, _ bindings: [Int], writing writtenCount: Int
  ) -> Double {
    func byteCount(_ value: Int) -> Double { Double(plan.values[value].signature.byteCount) }
    let (reads, writes) = (bindings.dropLast(writtenCount), bindings.suffix(writtenCount))
    let written = writes.reduce(0) { $0 + byteCount($1) }
    guard case .loop(let built) = kernel.body else {
      return Set(reads).reduce(written) { $0 + byteCount($1) }
    }
    return reads.enumerated().reduce(written) {
      $0 + min(byteCount($1.element), built.loop.readByteCount(of: $1.offset))
    }
  }

  /// Memory that only its kernel, or only a repetition, uses.
  mutating func addTemporary(byteCount: Int) -> Int {
    add(Signature([byteCount], .uint8), .arena(0, offset: 0), label: "t")
  }

  private mutating func add(
    _ signature: Signature, _ storage: Plan.Storage, label: String, isNumbered: Bool = true
  ) -> Int {
    let index = plan.values.count
    let label = isNumbered ? "\(label)\(index)" : label
    plan.values.append(Plan.Value(signature: signature, storage: storage, label: label))
    homes.append(repetition)
    return index
  }

  /// The value that holds `node`, of the computation that is being added.
  mutating func value(of node: Node) -> Int {
    if let known = valueOf[node] { return known }
    let result = FurtherResult(node)
    if let result, let known = valueOfResult[result] {
      valueOf[node] = known
      return known
    }
    let storage: Plan.Storage
    switch node.primitive as? Leaf {
    case .input(let position, _): storage = .input(position)
    case .constant(let array, _):
      storage = .constant(plan.constants.count)
      plan.constants.append(array)
    case .parameter(let parameter):
      storage = .parameter(index(of: parameter))
    // Slots have their values already.
    case .slot, nil: storage = .arena(0, offset: 0)
    }
    let index = add(node.signature, storage, label: "v")
    valueOf[node] = index
    if let result { valueOfResult[result] = index }
    nodeOf[index] = node
    return index
  }

  private mutating func indexStatus() -> Int {
    if let known = plan.indexStatus { return known }
    let index = add(IndexStatus.signature, .arena(0, offset: 0), label: "status", isNumbered: false)
    plan.indexStatus = index
    return index
  }

  private mutating func index(of parameter: Parameter) -> Int {
    if let known = parameterIndex[parameter] { return known }
    parameterIndex[parameter] = plan.parameters.count
    plan.parameters.append(parameter)
    return plan.parameters.count - 1
  }

  // MARK: Repetitions

  /// Whether `node` of the body that is being added is the same in all of several iterations.
  func isUnchanged(_ node: Node) -> Bool {
    guard let value = valueOf[node] else { return false }
    return outermostRepetition(leavingAlone: [value]) != nil
  }

  /// The repetition that `call`, one of `calls` for a kernel, can go before: it makes the same temporaries in each
  /// iteration, which no other call changes. Nil where it is to stay.
  private func repetitionToPrecede(_ call: LoweredCall, _ bindings: [Int], of calls: [LoweredCall]) -> Int? {
    let written = call.operands.suffix(call.writtenCount)
    let isPreparation = written.allSatisfy { operand in
      guard case .temporary = operand else { return false }
      return calls.count { $0.operands.suffix($0.writtenCount).contains(operand) } == 1
    }
    guard isPreparation else { return nil }
    return outermostRepetition(leavingAlone: bindings.dropLast(call.writtenCount))
  }

  /// The outermost of the repetitions that are being added during which `values` stay as they are; nil where there is
  /// none, or it would be of one iteration.
  private func outermostRepetition(leavingAlone values: some Collection<Int>) -> Int? {
    var found: Int?
    var iterations = 1
    var next = repetition
    while let candidate = next, values.allSatisfy({ homes[$0] != candidate }) {
      found = candidate
      iterations *= plan.repetitions[candidate].count
      next = plan.repetitions[candidate].parent
    }
    return iterations > 1 ? found : nil
  }

  /// Where a repetition was begun, to come back to when it ends.
  struct Scope {
    fileprivate let values: [Node: Int]
    fileprivate let results: [FurtherResult: Int]
    fileprivate let repetition: Int?
  }

  /// Launches from here on belong to a new repetition of `count` iterations, whose body knows no values yet.
  mutating func openScope(count: Int) -> Scope {
    let scope = Scope(values: valueOf, results: valueOfResult, repetition: repetition)
    let first = plan.steps.count
    plan.repetitions.append(Plan.Repetition(steps: first..<first, count: count, parent: repetition))
    repetition = plan.repetitions.count - 1
    (valueOf, valueOfResult) = ([:], [:])
    return scope
  }

  /// Ends the repetition that `scope` was left for.
  mutating func endRepetition(returningTo scope: Scope) {
    if let repetition {
      let first = plan.repetitions[repetition].steps.lowerBound
      plan.repetitions[repetition].steps = first..<plan.steps.count
    }
    (valueOf, valueOfResult, repetition) = (scope.values, scope.results, scope.repetition)
  }

  /// `node` of the body lies in the value `index` of the computation around it.
  mutating func bind(_ node: Node, to index: Int) {
    valueOf[node] = index
    if let result = FurtherResult(node) { valueOfResult[result] = index }
  }

  /// `node` of the body lies in another place in each iteration.
  mutating func bind(_ node: Node, to motion: Plan.Motion) {
    plan.motions.append(motion)
    bind(node, to: add(node.signature, .moving(plan.motions.count - 1), label: "v"))
  }

  /// The plan with every value placed.
  func assigningStorage(_ capabilities: Capabilities, _ options: CompilerOptions) -> Plan {
    var draft = self
    for assignment in computation.assignments {
      draft.assign(assignment.value, to: assignment.parameter, options)
    }
    for output in computation.outputs {
      draft.plan.outputSignatures.append(output.signature)
      draft.plan.outputs.append(draft.valueOf[output.base])
    }
    draft.placeInArenas(capabilities, options)
    return draft.plan
  }

  /// Puts the assigned value into the parameter's own memory if no step loses something by it, else notes a copy.
  private mutating func assign(_ value: Node, to parameter: Parameter, _ options: CompilerOptions) {
    guard parameter.signature.shape.count > 0, let value = valueOf[value.base] else { return }
    let target = index(of: parameter)
    let isFree = if case .arena = plan.values[value].storage { true } else { false }
    let producer = plan.steps.lastIndex { $0.writes.contains(value) }
    let users = plan.steps.indices.filter { step in
      plan.steps[step].reads.flatMap(plan.memory(of:)).contains {
        plan.values[$0].storage == .parameter(target)
      }
    }
    let old = plan.values.firstIndex { $0.storage == .parameter(target) }
    let isSafe =
      if let producer {
        overwritable[producer].isMap
          && users.allSatisfy { step in
            step < producer
              || (step == producer
                && old.flatMap { nodeOf[$0] }.map(overwritable[producer].nodes.contains) == true)
          }
          && (old.map { !plan.outputs.contains($0) } ?? true)
      } else {
        false
      }
    if options.updatesInPlace, isFree, isSafe {
      plan.values[value].storage = .parameter(target)
    } else {
      plan.copies.append((value, target))
    }
  }

  private mutating func placeInArenas(_ capabilities: Capabilities, _ options: CompilerOptions) {
    let alignment = max(capabilities.bufferAlignment, 16)
    // Wide enough for kernels that write a vector or a short row too much.
    plan.guardByteCount = options.guardsMemory ? (1024 + alignment - 1) / alignment * alignment : 0
    // Outputs and copied values live to the end.
    let lasting = Set(plan.outputs.compactMap { $0 } + plan.copies.map(\.value))
    var requests: [Allocation.Request] = []
    var indices: [Int] = []
    var uses = [ClosedRange<Int>?](repeating: nil, count: plan.values.count)
    for (number, step) in plan.steps.enumerated() {
      for value in step.bindings.flatMap(plan.memory(of:)) {
        let use = lifetime(ofUseOf: value, at: number)
        let known = uses[value] ?? use
        uses[value] = min(known.lowerBound, use.lowerBound)...max(known.upperBound, use.upperBound)
      }
    }
    // What checks record lasts from run to run.
    if let status = plan.indexStatus { uses[status] = 0...plan.steps.count }
    for index in plan.values.indices {
      guard case .arena = plan.values[index].storage, let use = uses[index] else { continue }
      let (first, last) = (use.lowerBound, use.upperBound)
      let end = lasting.contains(index) ? plan.steps.count : last
      let byteCount = plan.values[index].signature.byteCount.wholeWords + 2 * plan.guardByteCount
      requests.append(Allocation.Request(byteCount: byteCount, lifetime: first...end))
      indices.append(index)
    }
    let allocation = Allocation(
      requests, alignment: alignment, maxByteCount: capabilities.maxBufferByteCount,
      reuses: options.reusesMemory && !options.guardsMemory)
    for (index, place) in zip(indices, allocation.places) {
      plan.values[index].storage = .arena(place.arena, offset: place.offset + plan.guardByteCount)
    }
    plan.arenaByteCounts = allocation.arenaByteCounts
  }

  /// The launches during which a value that launch `step` touches has to be kept for it: what lives longer than an
  /// iteration, throughout the repetitions.
  private func lifetime(ofUseOf value: Int, at step: Int) -> ClosedRange<Int> {
    var result = step...step
    var inner = surroundings[step]
    while let repetition = inner, repetition != homes[value] {
      let steps = plan.repetitions[repetition].steps
      result = steps.lowerBound...(steps.upperBound - 1)
      inner = plan.repetitions[repetition].parent
    }
    return result
  }
}
