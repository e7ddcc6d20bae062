import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct SparseSoftmaxTests {
  static let logits = numbers(20, seed: 4).map { $0 * 3 }

  /// The projection onto the simplex by sorting. Source: Martins & Astudillo 2016, algorithm 1.
  static func sparsemax(_ z: [Double]) -> [Double] {
    let sorted = z.sorted(by: >)
    var (sum, threshold) = (0.0, 0.0)
    for (index, value) in sorted.enumerated() {
      sum += value
      if 1 + Double(index + 1) * value > sum { threshold = (sum - 1) / Double(index + 1) }
    }
    return z.map { max($0 - threshold, 0) }
  }

  @Test func `Sparsemax is the projection onto the simplex`() {
    let found = values(constant(Self.logits, [4, 5]).sparsemax())
    let expected = (0..<4).flatMap { Self.sparsemax(Array(Self.logits[($0 * 5)..<($0 * 5 + 5)])) }
    #expect(agree(found, expected, within: 1e-14))
    #expect(found.contains(0))
    #expect(values(constant([7, 7, 7, 7], [4]).sparsemax()) == [0.25, 0.25, 0.25, 0.25])
    #expect(values(constant([700, 0], [2]).sparsemax()) == [1, 0])
  }

  @Test(arguments: [1.3, 1.5, 2]) func `Entmax satisfies the equation of its threshold`(_ alpha: Double) {
    let found = values(constant(Self.logits, [4, 5]).entmax(alpha: alpha))
    for row in 0..<4 {
      let p = found[(row * 5)..<(row * 5 + 5)].map { $0 }
      let z = Self.logits[(row * 5)..<(row * 5 + 5)].map { $0 }
      #expect(abs(p.reduce(0, +) - 1) < 1e-13)
      // Where p > 0 the threshold (alpha - 1) z - p^(alpha - 1) is the same, and elsewhere z lies below it.
      let thresholds = zip(p, z).filter { $0.0 > 0 }.map { (alpha - 1) * $0.1 - pow($0.0, alpha - 1) }
      let threshold = thresholds[0]
      #expect(thresholds.allSatisfy { abs($0 - threshold) < 1e-12 })
      for (p, z) in zip(p, z) where p == 0 { #expect((alpha - 1) * z <= threshold + 1e-12) }
    }
  }

  @Test(arguments: [1.3, 1.5, 2]) func `Its gradient is the solution's`(_ alpha: Double) {
    let weights = constant(numbers(20, seed: 5), [4, 5])
    let error = gradientError(Self.logits, [4, 5]) { ($0.entmax(alpha: alpha) * weights).sum() }
    #expect(error < 1e-7)
  }
}
