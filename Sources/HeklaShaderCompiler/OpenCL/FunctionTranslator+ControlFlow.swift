import HeklaDevices

/// A loop or `switch` that encloses what is translated, for what `break` and `continue` mean there.
struct ControlFrame {
  /// The block behind the construct.
  var merge: UInt32
  /// The block that starts the next round, or nil for a `switch`.
  var next: UInt32?
  /// The number of enclosing bodies, to know whether a branch is at the top of the loop.
  var depth: Int
  /// The condition at the top of the loop.
  var condition: String?
  /// The label behind the loop, once a jump needs one.
  var exitLabel: String?
}

/// Rebuilds structured statements from SPIR-V's structured control flow (SPIR-V 1.3, section 2.11).
///
/// Every construct becomes the statement of C that GLSL had, so control flow that is uniform stays uniform:
/// nothing is duplicated and no flags are introduced.
extension FunctionTranslator {
  /// Translates the function's body.
  func translateBody() throws(DeviceError) -> [OpenCLStatement] {
    guard let entry = function.blocks.first else { return [] }
    _ = try emit(from: entry.label, until: [])
    if case .returnValue(nil)? = statements.last { statements.removeLast() }
    return statements
  }

  /// Translates blocks from `start` on until one of `stops` is next, or control leaves otherwise.
  ///
  /// - Parameter isInside: Whether `start` is entered even when it is a stop or the head of a loop.
  /// - Returns: The stop that was reached.
  private func emit(from start: UInt32, until stops: Set<UInt32>, isInside: Bool = false) throws(DeviceError)
    -> UInt32?
  {
    var label = start
    var isInside = isInside
    while true {
      if !isInside {
        if stops.contains(label) { return label }
        if let jump = jump(to: label) {
          statements.append(jump)
          return nil
        }
      }
      guard let current = blocks[label] else { return nil }
      if !isInside, current.merge?.opcode == .loopMerge {
        label = try emitLoop(current)
        continue
      }
      isInside = false
      block = label
      for instruction in current.instructions { try translate(instruction, in: current) }
      if let circuit = circuits[label] {
        try emitCircuit(circuit)
        label = circuit.merge
        continue
      }
      let terminator = current.terminator
      switch terminator.opcode {
      case .branch:
        try copyPhis(from: label, to: terminator.operands[0])
        label = terminator.operands[0]
      case .branchConditional:
        guard let next = try emitBranch(current, until: stops) else { return nil }
        label = next
      case .switch: label = try emitSwitch(current)
      case .return:
        statements.append(.returnValue(nil))
        return nil
      case .returnValue:
        statements.append(.returnValue(try value(terminator.operands[0]).text))
        return nil
      case .unreachable: return nil
      default: throw refusal.unsupported(terminator)
      }
    }
  }

  /// What `body` writes, apart from what was written before.
  private func nested(_ body: () throws(DeviceError) -> Void) throws(DeviceError) -> [OpenCLStatement] {
    let outer = statements
    statements = []
    depth += 1
    try body()
    depth -= 1
    let inner = statements
    statements = outer
    return inner
  }

  /// The statement that goes to `label`, when it is where an enclosing construct ends or goes on.
  private func jump(to label: UInt32) -> OpenCLStatement? {
    var crossesSwitch = false
    for index in frames.indices.reversed() {
      if frames[index].merge == label {
        if !crossesSwitch { return .breakOut }
        let name = frames[index].exitLabel ?? names.unique("leave")
        frames[index].exitLabel = name
        return .jump(name)
      }
      guard let next = frames[index].next else {
        crossesSwitch = true
        continue
      }
      return next == label ? .continueLoop : nil
    }
    return nil
  }

  /// Translates the two ways out of `current`, and gives the block where they meet.
  private func emitBranch(_ current: SPIRVModule.Block, until stops: Set<UInt32>) throws(DeviceError)
    -> UInt32?
  {
    let condition = try value(current.terminator.operands[0])
    let (then, otherwise) = (current.terminator.operands[1], current.terminator.operands[2])
    let label = current.label
    if let merge = current.merge, merge.opcode == .selectionMerge {
      let target = merge.operands[0]
      // Specialization decided the branch: the other way is not written, so it may use what this device lacks.
      if condition.text == "true" || condition.text == "false" {
        let taken = condition.text == "true" ? then : otherwise
        try copyPhis(from: label, to: taken)
        return try emit(from: taken, until: [target])
      }
      let first = try nested { () throws(DeviceError) in
        try copyPhis(from: label, to: then)
        _ = try emit(from: then, until: [target])
      }
      let second = try nested { () throws(DeviceError) in
        try copyPhis(from: label, to: otherwise)
        _ = try emit(from: otherwise, until: [target])
      }
      if !first.isEmpty {
        statements.append(.conditional(condition.text, then: first, otherwise: second))
      } else if !second.isEmpty {
        statements.append(.conditional(condition.negated.text, then: second, otherwise: []))
      }
      return target
    }
    // No merge: the branch leaves a loop or goes on in it.
    if !stops.contains(otherwise), let jump = jump(to: otherwise) {
      if case .breakOut = jump, statements.isEmpty, let frame = frames.last, frame.next != nil,
        frame.depth == depth, frame.condition == nil
      {
        frames[frames.count - 1].condition = condition.text
      } else {
        statements.append(.conditional(condition.negated.text, then: [jump], otherwise: []))
      }
      return then
    }
    if !stops.contains(then), let jump = jump(to: then) {
      statements.append(.conditional(condition.text, then: [jump], otherwise: []))
      return otherwise
    }
    let first = try nested { () throws(DeviceError) in _ = try emit(from: then, until: stops) }
    let second = try nested { () throws(DeviceError) in _ = try emit(from: otherwise, until: stops) }
    statements.append(.conditional(condition.text, then: first, otherwise: second))
    return stops.first
  }

  /// Translates the loop that `head` heads, and gives the block behind it.
  private func emitLoop(_ head: SPIRVModule.Block) throws(DeviceError) -> UInt32 {
    let operands = head.merge?.operands ?? []
    let (merge, next) = (operands[0], operands[1])
    frames.append(ControlFrame(merge: merge, next: next, depth: depth + 1))
    var body = try nested { () throws(DeviceError) in
      _ = try emit(from: head.label, until: [next], isInside: true)
    }
    let condition = frames[frames.count - 1].condition
    // A condition met from here on is not at the top of the loop.
    frames[frames.count - 1].depth = -1
    var finalCondition: String?
    var step: [OpenCLStatement] = []
    if next != head.label, let tail = blocks[next] {
      step = try nested { () throws(DeviceError) in
        if tail.terminator.opcode == .branchConditional, tail.terminator.operands[1] == head.label,
          tail.merge == nil
        {
          block = next
          for instruction in tail.instructions { try translate(instruction, in: tail) }
          finalCondition = try value(tail.terminator.operands[0]).text
        } else {
          _ = try emit(from: next, until: [head.label], isInside: tail.merge?.opcode != .loopMerge)
        }
      }
    }
    let frame = frames.removeLast()
    if let finalCondition {
      if step.isEmpty, condition == nil {
        statements.append(.doWhile(body: body, condition: finalCondition))
      } else {
        step.append(.conditional("!(\(finalCondition))", then: [.breakOut], otherwise: []))
        statements.append(.loop(condition: condition, step: [], body: join(&body, step)))
      }
    } else if let expressions = step.expressions {
      statements.append(.loop(condition: condition, step: expressions, body: body))
    } else {
      statements.append(.loop(condition: condition, step: [], body: join(&body, step)))
    }
    if let label = frame.exitLabel { statements.append(.label(label)) }
    return merge
  }

  /// The body and behind it the step, to which each `continue` jumps.
  private func join(_ body: inout [OpenCLStatement], _ step: [OpenCLStatement]) -> [OpenCLStatement] {
    guard body.containsContinue else { return body + step }
    let label = names.unique("next")
    return body.replacingContinue(by: label) + [.label(label)] + step
  }

  /// Translates `a && b` or `a || b`.
  private func emitCircuit(_ circuit: ShortCircuit) throws(DeviceError) {
    guard let phi = blocks[circuit.merge]?.instructions.first else { return }
    let left = try value(circuit.left)
    var right = left
    let computation = try nested { () throws(DeviceError) in
      _ = try emit(from: circuit.between, until: [circuit.merge])
      right = try value(circuit.right)
    }
    block = circuit.merge
    guard !computation.isEmpty else {
      return try define(
        phi,
        .binary(
          circuit.isOr ? "||" : "&&", circuit.isOr ? .logicalOr : .logicalAnd, left, right, type: left.type))
    }
    let name = try phiVariable(phi)
    statements.append(.expression("\(name) = \(left.text)"))
    statements.append(
      .conditional(
        circuit.isOr ? "!\(name)" : name, then: computation + [.expression("\(name) = \(right.text)")],
        otherwise: []))
  }

  /// Sets the phis of block `target` to their values on the way from `label`.
  private func copyPhis(from label: UInt32, to target: UInt32) throws(DeviceError) {
    var copies: [(name: String, value: OpenCLExpression)] = []
    let operators = circuits.values.map(\.phi)
    for phi in blocks[target]?.instructions ?? [] where phi.opcode == .phi && !operators.contains(phi.result)
    {
      for pair in stride(from: 0, to: phi.operands.count - 1, by: 2) where phi.operands[pair + 1] == label {
        let name = try phiVariable(phi)
        var incoming = try value(phi.operands[pair])
        // All phis of a block change at once.
        if copies.contains(where: { incoming.text.contains($0.name) }) {
          incoming = try reference(incoming)
        }
        copies.append((name, incoming))
      }
    }
    for copy in copies { statements.append(.expression("\(copy.name) = \(copy.value.text)")) }
  }

  /// Translates the `switch` at the end of `current`, and gives the block behind it.
  private func emitSwitch(_ current: SPIRVModule.Block) throws(DeviceError) -> UInt32 {
    let operands = current.terminator.operands
    guard let merge = current.merge?.operands[0] else { throw refusal.unsupported(current.terminator) }
    let selector = try value(operands[0])
    guard let type = selector.type, type.width <= 32 else {
      throw refusal.unsupported("a switch on 64-bit integers", "Compare with if, or switch on 32 bits.")
    }
    var targets: [UInt32] = []
    var values: [UInt32: [String?]] = [:]
    for pair in stride(from: 2, to: operands.count - 1, by: 2) {
      let literal = type.kind == .signed ? "\(Int32(bitPattern: operands[pair]))" : "\(operands[pair])u"
      if values[operands[pair + 1]] == nil { targets.append(operands[pair + 1]) }
      values[operands[pair + 1], default: []].append(literal)
    }
    if operands[1] != merge {
      if values[operands[1]] == nil { targets.append(operands[1]) }
      values[operands[1], default: []].append(nil)
    }
    frames.append(ControlFrame(merge: merge, next: nil, depth: depth))
    var bodies: [UInt32: [OpenCLStatement]] = [:]
    var ends: [UInt32: UInt32?] = [:]
    for target in targets {
      var end: UInt32?
      bodies[target] = try nested { () throws(DeviceError) in
        guard target != merge else {
          end = merge
          return
        }
        end = try emit(
          from: target, until: Set(targets).union([merge]),
          isInside: blocks[target]?.merge?.opcode != .loopMerge)
      }
      ends[target] = .some(end)
    }
    let frame = frames.removeLast()
    // Whoever is fallen into comes right behind whoever falls.
    let fallenInto = Set(ends.values.compactMap { $0 }).subtracting([merge])
    var cases: [(values: [String?], body: [OpenCLStatement], fallsThrough: Bool)] = []
    for head in targets where !fallenInto.contains(head) {
      var next: UInt32? = head
      while let target = next {
        let end = ends[target] ?? nil
        next = end == merge ? nil : end
        cases.append((values[target] ?? [], bodies[target] ?? [], end != merge))
      }
    }
    statements.append(.selection(selector.text, cases: cases))
    if let label = frame.exitLabel { statements.append(.label(label)) }
    return merge
  }
}

extension OpenCLExpression {
  /// The truth value turned round.
  var negated: Self {
    Self("!\(text(atLeast: .prefix))", type, precedence: .prefix, regions: regions)
  }
}
