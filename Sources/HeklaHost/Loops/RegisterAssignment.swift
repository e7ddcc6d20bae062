import CHostLoops

/// Which values of a register program share memory: as few registers as the order of its instructions allows.
struct RegisterAssignment {
  /// The bytes of an element of each register.
  private(set) var sizes: [Int] = []
  /// The register of each slot that has one.
  private(set) var ofSlots: [Int: Int] = [:]

  /// - Parameters:
  ///   - virtualRegisters: The bytes of an element of each slot that needs a register.
  ///   - code: The instructions in their order.
  ///   - filled: The slots that are filled before the first of them.
  ///   - kept: The slots that are read after the last of them.
  init(_ virtualRegisters: [Int: Int], of code: [HostInstruction], filled: [Int], kept: Set<Int>) {
    var lastUse: [Int: Int] = [:]
    for (index, step) in code.enumerated() { for slot in step.operandSlots { lastUse[slot] = index } }
    for slot in kept { lastUse[slot] = code.count }

    // Free ones by size, since a step may write over an operand only if both advance alike.
    var free: [Int: [Int]] = [:]
    func take(_ size: Int) -> Int {
      if let register = free[size]?.popLast() { return register }
      sizes.append(size)
      return sizes.count - 1
    }
    for slot in filled { if let size = virtualRegisters[slot] { ofSlots[slot] = take(size) } }
    for (index, step) in code.enumerated() {
      for slot in Set(step.operandSlots).sorted() where lastUse[slot] == index {
        if let register = ofSlots[slot] { free[sizes[register], default: []].append(register) }
      }
      let result = Int(step.result)
      if let size = virtualRegisters[result] { ofSlots[result] = take(size) }
    }
  }
}
