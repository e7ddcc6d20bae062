extension SPIRVModule.Function {
  /// The function with sums of matrices as one instruction each, where they were one in GLSL.
  ///
  /// SPIR-V adds vectors only, so glslang takes matrices apart: of each column it extracts both terms, adds them,
  /// and then makes a matrix of the sums. Put together again they are sums of long vectors, which a driver for a
  /// processor computes with long registers. What is added to a multiple of a matrix becomes an `Fma` with the
  /// scalar as its first operand, as SPIR-V allows where nothing is `precise`.
  func joiningMatrixSums(in module: SPIRVModule) -> Self {
    let hasMatrices = module.types.values.contains { if case .matrix = $0 { true } else { false } }
    guard hasMatrices else { return self }
    let uses = ValueUses(self, shortCircuits: [])
    var result = self
    for index in blocks.indices {
      let sums = MatrixSums(blocks[index].instructions, uses: uses, module: module)
      result.blocks[index].instructions = sums.joined()
    }
    return result
  }
}

/// The sums of matrices in a block, column by column.
private struct MatrixSums {
  private let instructions: [SPIRVInstruction]
  private let uses: ValueUses
  private let module: SPIRVModule
  private let made: [UInt32: SPIRVInstruction]

  init(_ instructions: [SPIRVInstruction], uses: ValueUses, module: SPIRVModule) {
    self.instructions = instructions
    self.uses = uses
    self.module = module
    made = Dictionary(instructions.map { ($0.result, $0) }) { first, _ in first }
  }

  /// The instructions, with one for each sum.
  func joined() -> [SPIRVInstruction] {
    var consumed: Set<UInt32> = []
    let all = instructions.map { instruction in
      guard let sum = sum(instruction) else { return instruction }
      consumed.formUnion(sum.consumed)
      return sum.instruction
    }
    return all.filter { !consumed.contains($0.result) }
  }

  /// The sum that ends in `construct`, and the values that nothing else needs; nil where it is no sum.
  private func sum(_ construct: SPIRVInstruction) -> (instruction: SPIRVInstruction, consumed: [UInt32])? {
    guard construct.opcode == .compositeConstruct, module.isMatrix(construct.type) else { return nil }
    var consumed: [UInt32] = []
    var terms: [Set<UInt32>] = [[], []]
    for (column, id) in construct.operands.enumerated() {
      guard let sum = made[id], sum.opcode == .fAdd, isFree(sum, uses: 1) else { return nil }
      consumed.append(id)
      for (side, operand) in sum.operands.enumerated() {
        guard let part = made[operand], part.opcode == .compositeExtract, uses.count(operand) == 1,
          part.operands.dropFirst() == [UInt32(column)]
        else { return nil }
        consumed.append(operand)
        terms[side].insert(part.operands[0])
      }
    }
    guard terms[0].count == 1, terms[1].count == 1, let left = terms[0].first, let right = terms[1].first
    else {
      return nil
    }
    var result = construct
    if let product = made[right], product.opcode == .matrixTimesScalar,
      isFree(product, uses: construct.operands.count), module.glslInstructionSet != 0
    {
      consumed.append(right)
      result.code = SPIRVOpcode.extInst.rawValue
      result.operands = [
        module.glslInstructionSet, GLSLInstruction.fma, product.operands[1], product.operands[0], left,
      ]
    } else {
      result.code = SPIRVOpcode.fAdd.rawValue
      result.operands = [left, right]
    }
    return (result, consumed)
  }

  /// Whether `instruction` may be rounded together with others, and is used so often and no more.
  private func isFree(_ instruction: SPIRVInstruction, uses count: Int) -> Bool {
    uses.count(instruction.result) == count
      && module.decoration(.noContraction, of: instruction.result) == nil
  }
}
