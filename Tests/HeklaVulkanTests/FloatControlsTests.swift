import Testing

@testable import HeklaVulkan

@Suite struct FloatControlsTests {
  /// A header, Shader, a memory model, entry point 7 called "main", its local size, and a float type of `width` bits.
  private func module(width: UInt32) -> [UInt32] {
    let header: [UInt32] = [0x0723_0203, 0x0001_0300, 0, 20, 0]
    let head: [UInt32] = [2 << 16 | 17, 1, 3 << 16 | 14, 0, 1, 5 << 16 | 15, 5, 7, 0x6E69_616D, 0]
    return header + head + [6 << 16 | 16, 7, 17, 64, 1, 1] + [3 << 16 | 22, 8, width]
  }

  @Test func `a module that computes with float32 asks for its special values`() {
    let words = module(width: 32)
    let asked = FloatControls.preservingSpecialValues(in: words, widths: [16, 32])
    // Behind the last capability the new one and its extension, whose name of 22 bytes takes six words.
    #expect(Array(asked[5..<7]) == Array(words[5..<7]))
    #expect(Array(asked[7..<10]) == [2 << 16 | 17, 4466, 7 << 16 | 10])
    #expect(asked[10] == 0x5F56_5053)
    // Behind the entry point the mode.
    #expect(Array(asked[24..<28]) == [4 << 16 | 16, 7, 4461, 32])
    #expect(Array(asked[28...]) == Array(words[15...]))
  }

  @Test func `a module without such a type, and one that is cut off, stay as they are`() {
    for widths in [[], [64]] as [[UInt32]] {
      #expect(
        FloatControls.preservingSpecialValues(in: module(width: 32), widths: widths) == module(width: 32))
    }
    let cut = Array(module(width: 32).dropLast())
    #expect(FloatControls.preservingSpecialValues(in: cut, widths: [32]) == cut)
  }
}
