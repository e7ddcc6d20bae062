import HeklaArrays
import HeklaDevices
import HeklaTensors

/// A plan whose values have no place yet.
struct PlanDraft {
  private let computation: Computation
  private var plan = Plan()
  private var valueOf: [Node: Int] = [:]
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
  mutating func append(_ kernel: FormedKernel, calls: [LoweredCall], temporaries: [Int]) {
    let firstTemporary = plan.values.count
    for byteCount in temporaries {
      plan.values.append(
        Plan.Value(
          signature: Signature([byteCount], .uint8), storage: .arena(0, offset: 0),
          label: "t\(plan.values.count)"))
    }
    for call in calls {
      var bindings: [Int] = []
      for operand in call.operands {
        switch operand {
        case .node(let node): bindings.append(value(of: node))
        case .temporary(let index): bindings.append(firstTemporary + index)
        }
      }
      plan.steps.append(
        Plan.Step(
          label: call.label, variant: call.variant, source: call.source, bindings: bindings,
          writtenCount: call.writtenCount, groupCount: call.groupCount, pushConstants: call.pushConstants))
      overwritable.append((kernel.isMap, kernel.pointwiseReads))
    }
  }

  private mutating func value(of node: Node) -> Int {
    if let known = valueOf[node] { return known }
    let storage: Plan.Storage
    switch node.primitive as? Leaf {
    case .input(let position, _): storage = .input(position)
    case .constant(let array, _):
      storage = .constant(plan.constants.count)
      plan.constants.append(array)
    case .parameter(let parameter):
      storage = .parameter(index(of: parameter))
    case nil: storage = .arena(0, offset: 0)
    }
    let index = plan.values.count
    plan.values.append(Plan.Value(signature: node.signature, storage: storage, label: "v\(index)"))
    valueOf[node] = index
    nodeOf[index] = node
    return index
  }

  private mutating func index(of parameter: Parameter) -> Int {
    if let known = parameterIndex[parameter] { return known }
    parameterIndex[parameter] = plan.parameters.count
    plan.parameters.append(parameter)
    return plan.parameters.count - 1
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
      plan.steps[step].reads.contains { plan.values[$0].storage == .parameter(target) }
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
      for value in step.bindings { uses[value] = (uses[value]?.lowerBound ?? number)...number }
    }
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
}
