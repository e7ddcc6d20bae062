import HeklaArrays
import HeklaData
import Testing

@Suite("Splits")
struct DataSplitTests {
  let key = RandomKey(seed: 3)

  @Test("A split deals out disjoint shuffled rows, and a later count does not change earlier parts")
  func split() throws {
    let parts = try DataSplit.rows(of: 100, counts: [60, 0, 30], key: key)
    #expect(parts.map(\.count) == [60, 0, 30])
    #expect(Set(parts.joined()).count == 90)
    #expect(parts.joined().allSatisfy { (0..<100).contains($0) })
    #expect(parts[0] != parts[0].sorted())
    #expect(try DataSplit.rows(of: 100, counts: [60, 40], key: key)[0] == parts[0])
    #expect(try DataSplit.rows(of: 100, counts: [60], key: key) == [parts[0]])
    #expect(try DataSplit.rows(of: 100, counts: [60], key: RandomKey(seed: 4)) != [parts[0]])
    #expect(try DataSplit.rows(of: 0, counts: [], key: key).isEmpty)
  }

  @Test(
    "A split larger than the set or with a negative part is an error",
    arguments: [[101], [60, 41], [-1], [.max, .max]])
  func impossibleSplit(counts: [Int]) throws {
    #expect(
      try dataError { try DataSplit.rows(of: 100, counts: counts, key: key) }
        == .impossibleSplit(requested: counts, available: 100))
  }

  @Test("Images keep their labels through a split")
  func splitImages() throws {
    let parts = try Digits.labeledImages.split(counts: [1500, 297], key: key)
    let rows = try DataSplit.rows(of: 1797, counts: [1500, 297], key: key)
    let pixels = Digits.images.elements(as: UInt8.self)
    let labels = Digits.labels.elements(as: Int32.self)
    for (part, rows) in zip(parts, rows) {
      #expect(part.images.elements(as: UInt8.self) == rows.flatMap { pixels[($0 * 64)..<($0 * 64 + 64)] })
      #expect(part.labels.elements(as: Int32.self) == rows.map { labels[$0] })
    }
    #expect(zip(parts[0].countPerClass, parts[1].countPerClass).map(+) == Digits.labeledImages.countPerClass)
  }
}
