/// One instruction, its words taken apart as far as every instruction has them.
struct SPIRVInstruction {
  /// The instruction's number.
  var code: UInt16
  /// The result's type id, or 0.
  var type: UInt32 = 0
  /// The result id, or 0.
  var result: UInt32 = 0
  /// The words after type and result.
  var operands: [UInt32]

  /// The instruction, where it is one that this module knows.
  var opcode: SPIRVOpcode? { SPIRVOpcode(rawValue: code) }

  /// The instruction with number `code` whose words behind the first are `words`.
  init(code: UInt16, words: ArraySlice<UInt32>) {
    self.code = code
    switch SPIRVOpcode(rawValue: code)?.header ?? .none {
    case .typedResult where words.count >= 2:
      type = words[words.startIndex]
      result = words[words.startIndex + 1]
      operands = Array(words.dropFirst(2))
    case .result where words.count >= 1:
      result = words[words.startIndex]
      operands = Array(words.dropFirst(1))
    default:
      operands = Array(words)
    }
  }

  /// The null-terminated text that starts at operand `index`, and the index behind it.
  func text(at index: Int) -> (text: String, next: Int) {
    var bytes: [UInt8] = []
    var next = index
    while next < operands.count {
      let word = operands[next]
      next += 1
      for shift in [UInt32(0), 8, 16, 24] {
        let byte = UInt8(truncatingIfNeeded: word >> shift)
        if byte == 0 { return (String(decoding: bytes, as: UTF8.self), next) }
        bytes.append(byte)
      }
    }
    return (String(decoding: bytes, as: UTF8.self), next)
  }
}
