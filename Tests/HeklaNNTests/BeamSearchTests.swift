import Foundation
import HeklaNN
import Testing

@Suite struct BeamSearchTests {
  /// Log-probabilities of three symbols, 0 the end, after each beginning: a table whose greedy path is not the best.
  private static let table: [[Int]: [Double]] = [
    [-1]: [0.1, 0.5, 0.4], [1]: [0.4, 0.3, 0.3], [2]: [0.9, 0.05, 0.05], [1, 1]: [0.6, 0.2, 0.2],
    [1, 2]: [0.8, 0.1, 0.1], [2, 1]: [0.5, 0.25, 0.25], [2, 2]: [0.5, 0.25, 0.25],
  ]

  /// The best of `count` examples alike; beginnings are looked up by rows, as a device would keep its states.
  private func best(
    width: Int, end: Int? = 0, count: Int = 2, length: Int = 3,
    allowing allows: ([Int], Int) -> Bool = { _, _ in true }
  ) -> [[Int]] {
    var beginnings = [[Int]](repeating: [], count: width * count)
    return BeamSearch(width: width, end: end).sequences(count: count, length: length, allowing: allows) {
      parents, symbols in
      beginnings = zip(parents, symbols).map { beginnings[$0] + ($1 < 0 ? [] : [$1]) }
      return beginnings.flatMap { beginning in
        (Self.table[beginning.isEmpty ? [-1] : beginning] ?? [1, 0, 0]).map { Float(log($0)) }
      }
    }
  }

  @Test func `One beam takes the likeliest symbol, more find the likelier sequence`() {
    // 0.5 * 0.4 against 0.4 * 0.9.
    #expect(best(width: 1) == [[1, 0], [1, 0]])
    #expect(best(width: 2) == [[2, 0], [2, 0]])
    #expect(best(width: 5, count: 3) == [[2, 0], [2, 0], [2, 0]])
  }

  @Test func `What is not allowed is not chosen, and without an end all symbols are used`() {
    #expect(best(width: 3, allowing: { !$0.isEmpty || $1 != 2 }) == [[1, 0], [1, 0]])
    let orders = best(width: 3, end: nil, length: 2, allowing: { $1 > 0 && !$0.contains($1) })
    #expect(orders == [[1, 2], [1, 2]])
  }

  @Test func `A sequence ends at the greatest length, and is empty where nothing is allowed`() {
    #expect(best(width: 2, length: 1) == [[1], [1]])
    #expect(best(width: 2, allowing: { _, _ in false }) == [[], []])
    // Of probability 0, as padding is.
    #expect(
      best(width: 2, length: 4, allowing: { beginning, symbol in beginning.count > 2 || symbol == 1 }) == [
        [1, 1, 1, 0], [1, 1, 1, 0],
      ])
  }

  @Test func `Wide beams find the best of all sequences of a random table`() {
    let words = 3, length = 4
    var state: UInt64 = 9
    var scores: [[Int]: [Float]] = [:]
    func table(_ beginning: [Int]) -> [Float] {
      if let known = scores[beginning] { return known }
      let drawn = (0..<words).map { _ -> Float in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return -Float(state >> 40) * 0x1p-24 * 3
      }
      scores[beginning] = drawn
      return drawn
    }
    func all(_ beginning: [Int]) -> [(Float, [Int])] {
      guard beginning.count < length, beginning.last != 0 else { return [(0, beginning)] }
      return (0..<words).flatMap { word in
        all(beginning + [word]).map { ($0.0 + table(beginning)[word], $0.1) }
      }
    }
    let wanted = all([]).max { $0.0 < $1.0 }?.1
    let width = 81
    var beginnings = [[Int]](repeating: [], count: width)
    let found = BeamSearch(width: width, end: 0).sequences(count: 1, length: length) { parents, symbols in
      beginnings = zip(parents, symbols).map { beginnings[$0] + ($1 < 0 ? [] : [$1]) }
      return beginnings.flatMap(table)
    }
    #expect(found == [wanted])
  }
}
