import CHostLoops

extension HostInstruction {
  /// A call of `function` on the values in slots `operands`, one to four, whose result goes to slot `result`.
  init(_ function: HostBlockFunction, _ result: Int, _ operands: [Int]) {
    func operand(_ position: Int) -> Int32 {
      Int32(position < operands.count ? operands[position] : operands[0])
    }
    self.init(
      function: function, result: Int32(result), operands: (operand(0), operand(1), operand(2), operand(3)))
  }

  /// The slots of its operands.
  var operandSlots: [Int] { [Int(operands.0), Int(operands.1), Int(operands.2), Int(operands.3)] }

  /// Does it now, for one element. Its operands and its result are constants; `spare` stands for other slots, which it
  /// does not touch.
  func run(on slots: [Stage.SlotKind], sparing spare: UnsafeMutableRawPointer) {
    let addresses = slots.map { kind in if case .constant(let address) = kind { address } else { spare } }
    withUnsafePointer(to: self) { step in
      addresses.withUnsafeBufferPointer { addresses in
        if let base = addresses.baseAddress { host_run(step, 1, base, 1) }
      }
    }
  }
}
