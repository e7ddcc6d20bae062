import HeklaArrays
import HeklaData
import Testing

@Suite("Digits")
struct DigitsTests {
  @Test("There are 1,797 images of 8 x 8 with values 0 to 16, and their labels")
  func shapes() {
    #expect(Digits.images.shape == [1797, 8, 8])
    #expect(Digits.images.elementType == .uint8)
    #expect(Digits.labels.shape == [1797])
    #expect(Digits.labels.elementType == .int32)
    let pixels = Digits.images.elements(as: UInt8.self)
    #expect(pixels.min() == 0 && pixels.max() == 16)
  }

  @Test("Each digit is as frequent as in the published file")
  func frequencies() {
    #expect(Digits.labeledImages.countPerClass == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    #expect(Digits.labeledImages.classCount == 10)
  }

  // The hashes are FNV-1a, 64 bits, of the values in the published CSV file, computed by another program.
  @Test("All pixels and labels are those of the published file")
  func checksums() {
    func hash(_ values: some Sequence<UInt8>) -> UInt64 {
      values.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
    let pixels = Digits.images.elements(as: UInt8.self)
    #expect(pixels.reduce(0) { $0 + Int($1) } == 561_718)
    #expect(hash(pixels) == 0x493f_a2f6_7df5_50a1)
    #expect(hash(Digits.labels.elements(as: Int32.self).map { UInt8($0) }) == 0x5c66_ed87_5b0a_9785)
  }

  @Test("The first image is a zero, upright")
  func firstImage() {
    let ink = Digits.images.elements(as: UInt8.self).prefix(64).map { $0 > 7 ? "#" : "." }
    let drawing = stride(from: 0, to: 64, by: 8).map { ink[$0..<($0 + 8)].joined() }.joined(separator: "\n")
    #expect(
      drawing == """
        ...##...
        ..####..
        ..#..##.
        ..#..##.
        ..#..##.
        ..#..#..
        ..#.##..
        ...##...
        """)
    #expect(Digits.labels.elements(as: Int32.self).prefix(10) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  }
}
