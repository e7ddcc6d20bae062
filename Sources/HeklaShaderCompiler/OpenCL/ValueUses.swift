/// How often and where the values of a function are used, which decides what becomes a variable of its own.
struct ValueUses {
  private var counts: [UInt32: Int] = [:]
  private var blocks: [UInt32: Set<UInt32>] = [:]

  /// Counts the uses in `function`.
  ///
  /// An index into memory counts where the memory is used, as pointers are written out at their uses. The
  /// condition of a short-circuit operator counts once, though branch and phi both name it.
  init(_ function: SPIRVModule.Function, shortCircuits: [ShortCircuit]) {
    let conditions = Dictionary(shortCircuits.map { ($0.phi, $0) }) { first, _ in first }
    for block in function.blocks.reversed() {
      // A phi's operand is used at the end of the block it comes from; collect those first.
      for next in function.blocks {
        for phi in next.instructions where phi.opcode == .phi {
          for pair in stride(from: 0, to: phi.operands.count - 1, by: 2)
          where phi.operands[pair + 1] == block.label {
            if let circuit = conditions[phi.result], circuit.header == block.label { continue }
            use(phi.operands[pair], in: block.label)
          }
        }
      }
      for operand in block.terminator.valueOperands { use(operand, in: block.label) }
      for instruction in block.instructions.reversed() where instruction.opcode != .phi {
        switch instruction.opcode {
        case .accessChain, .inBoundsAccessChain, .copyObject:
          for operand in instruction.operands {
            counts[operand, default: 0] += counts[instruction.result] ?? 0
            blocks[operand, default: []].formUnion(blocks[instruction.result] ?? [])
          }
        default:
          for operand in instruction.valueOperands { use(operand, in: block.label) }
        }
      }
    }
  }

  /// How often `id` is used.
  func count(_ id: UInt32) -> Int { counts[id] ?? 0 }

  /// Whether `id` is used in another block than `block`.
  func leaves(_ block: UInt32, _ id: UInt32) -> Bool { blocks[id].map { $0 != [block] } ?? false }

  private mutating func use(_ id: UInt32, in block: UInt32) {
    counts[id, default: 0] += 1
    blocks[id, default: []].insert(block)
  }
}

extension SPIRVInstruction {
  /// The operands that are ids of values: no literals, no labels.
  fileprivate var valueOperands: ArraySlice<UInt32> {
    switch opcode {
    case .compositeExtract, .branchConditional, .switch: operands.prefix(1)
    case .compositeInsert, .vectorShuffle: operands.prefix(2)
    case .extInst: operands.dropFirst(2)
    case .branch, .label: []
    case .variable: operands.dropFirst()
    default: operands[...]
    }
  }
}

/// The blocks that glslang makes of `a && b` and `a || b`: a header that branches around the evaluation of
/// `b`, and a phi that takes `a` from the header or `b` from the block in between.
struct ShortCircuit {
  /// The block that ends by branching on `a`.
  var header: UInt32
  /// The block that computes `b`.
  var between: UInt32
  /// The block that goes on.
  var merge: UInt32
  /// The value of the whole.
  var phi: UInt32
  /// The id of `a`.
  var left: UInt32
  /// The id of `b`.
  var right: UInt32
  /// Whether this is `||`.
  var isOr: Bool

  /// All of them in `function`, the inner ones also.
  static func all(in function: SPIRVModule.Function) -> [ShortCircuit] {
    let blocks = Dictionary(function.blocks.map { ($0.label, $0) }) { first, _ in first }
    return function.blocks.compactMap { header -> ShortCircuit? in
      let branch = header.terminator.operands
      guard header.merge?.opcode == .selectionMerge, header.terminator.opcode == .branchConditional,
        let label = header.merge?.operands[0], branch[2] == label, let merge = blocks[label],
        let phi = merge.instructions.first, phi.opcode == .phi, phi.operands.count == 4
      else { return nil }
      let fromHeader = phi.operands[1] == header.label ? 0 : 2
      let left = phi.operands[fromHeader]
      let fromBetween = 2 - fromHeader
      guard phi.operands[fromHeader + 1] == header.label, blocks[phi.operands[fromBetween + 1]] != nil,
        merge.instructions.dropFirst().first?.opcode != .phi
      else { return nil }
      // For `||` the branch is on the negation of what the phi takes.
      let negation = header.instructions.last
      let isOr =
        negation?.opcode == .logicalNot && negation?.result == branch[0] && negation?.operands[0] == left
      guard isOr || branch[0] == left else { return nil }
      return ShortCircuit(
        header: header.label, between: branch[1], merge: label, phi: phi.result, left: left,
        right: phi.operands[fromBetween], isOr: isOr)
    }
  }
}
