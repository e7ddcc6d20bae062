/// Asks, in a SPIR-V module, for NaN, infinity and signed zero as IEEE 754 has them.
///
/// Without it a driver may take for granted that no number is any of these; glslang has no switch for it.
/// Source: SPIR-V specification, sections 2.4 (order of instructions), 3.6 (execution mode 4461) and 3.31
/// (capability 4466); Vulkan specification, "Precision and operation of SPIR-V instructions".
struct FloatControls {
  private static let capability: UInt32 = 17
  private static let extensionName: UInt32 = 10
  private static let entryPoint: UInt32 = 15
  private static let executionMode: UInt32 = 16
  private static let floatType: UInt32 = 22
  private static let preserve: (capability: UInt32, mode: UInt32) = (4466, 4461)

  /// The module with the request for those of `widths` whose type it declares; unchanged where there are none.
  static func preservingSpecialValues(in words: [UInt32], widths: [UInt32]) -> [UInt32] {
    var places: (capabilities: Int, modes: Int, main: UInt32)?
    var used: [UInt32] = []
    var (index, lastCapability) = (5, 5)
    while index < words.count {
      let (opcode, length) = (words[index] & 0xFFFF, Int(words[index] >> 16))
      guard length > 0, index + length <= words.count else { return words }
      switch opcode {
      case capability: lastCapability = index + length
      case entryPoint where length > 2: places = (lastCapability, index + length, words[index + 2])
      case floatType where length > 2 && widths.contains(words[index + 2]): used.append(words[index + 2])
      default: break
      }
      index += length
    }
    guard let places, !used.isEmpty else { return words }
    let name = literal("SPV_KHR_float_controls")
    let request: [UInt32] = [
      2 << 16 | capability, preserve.capability, UInt32(name.count + 1) << 16 | extensionName,
    ]
    var result = Array(words[..<places.capabilities]) + request + name
    result += words[places.capabilities..<places.modes]
    for width in used { result += [4 << 16 | executionMode, places.main, preserve.mode, width] }
    return result + words[places.modes...]
  }

  /// A string as SPIR-V holds it: bytes, four a word, with at least one 0 behind.
  private static func literal(_ text: String) -> [UInt32] {
    var bytes = Array(text.utf8) + [0]
    while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }
  }
}
