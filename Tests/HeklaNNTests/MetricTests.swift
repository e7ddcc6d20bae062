import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct MetricTests {
  // Rounded, so that there are equal scores.
  static let scores = numbers(40, seed: 1).map { ($0 * 6).rounded() }
  static let labels = numbers(40, seed: 2).map { $0 > 0.2 }

  @Test func `The area under the curve counts the pairs in order`() {
    var (won, pairs) = (0.0, 0.0)
    for (score, label) in zip(Self.scores, Self.labels) where label {
      for (other, otherLabel) in zip(Self.scores, Self.labels) where !otherLabel {
        pairs += 1
        won += score > other ? 1 : score == other ? 0.5 : 0
      }
    }
    let found = areaUnderCurve(scores: constant(Self.scores, [40]), labels: Tensor(Self.labels))
    #expect(agree(values(found), [won / pairs], within: 1e-14))
    #expect(values(areaUnderCurve(scores: constant([1, 2], [2]), labels: Tensor([true, true])))[0].isNaN)
  }

  static func pearson(_ x: [Double], _ y: [Double]) -> Double {
    let (meanX, meanY) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
    func sum(_ body: (Double, Double) -> Double) -> Double {
      zip(x, y).reduce(0) { $0 + body($1.0 - meanX, $1.1 - meanY) }
    }
    return sum { $0 * $1 } / (sum { a, _ in a * a } * sum { _, b in b * b }).squareRoot()
  }

  @Test func `Correlations are those of the numbers and of their ranks`() {
    let other = numbers(40, seed: 3)
    let (x, y) = (constant(Self.scores, [2, 20]), constant(other, [2, 20]))
    func ranks(_ values: [Double]) -> [Double] {
      values.map { value in
        Double(values.filter { $0 < value }.count) + Double(values.filter { $0 == value }.count + 1) / 2
      }
    }
    let rows = (0..<2).map { row in
      (Array(Self.scores[(row * 20)..<(row * 20 + 20)]), Array(other[(row * 20)..<(row * 20 + 20)]))
    }
    #expect(agree(values(correlation(x, y)), rows.map { Self.pearson($0.0, $0.1) }, within: 1e-13))
    #expect(
      agree(
        values(rankCorrelation(x, y)), rows.map { Self.pearson(ranks($0.0), ranks($0.1)) }, within: 1e-13)
    )
    let columns = values(rankCorrelation(x.transposed(), y.transposed(), along: 0))
    #expect(columns == values(rankCorrelation(x, y)))
  }

  @Test func `Explained variance, relative errors and hits are their definitions`() {
    let (targets, predictions) = (numbers(12, seed: 4), numbers(12, seed: 5))
    let (t, p) = (constant(targets, [3, 2, 2]), constant(predictions, [3, 2, 2]))
    let mean = targets.reduce(0, +) / 12
    let residual = zip(targets, predictions).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let total = targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    #expect(agree(values(coefficientOfDetermination(p, t)), [1 - residual / total], within: 1e-13))
    let squares = (0..<3).map { example -> Double in
      let range = (example * 4)..<(example * 4 + 4)
      let difference = range.reduce(0) { $0 + pow(targets[$1] - predictions[$1], 2) }
      return difference / range.reduce(0) { $0 + targets[$1] * targets[$1] }
    }
    #expect(agree(values(relativeError(p, t, isSquared: true, reduction: .none)), squares, within: 1e-13))
    let errors = squares.map { $0.squareRoot() }
    #expect(agree(values(relativeError(p, t)), [errors.reduce(0, +) / 3], within: 1e-13))
    let hits = hitRate(
      positives: constant([5, 3, 3.5, 0], [4]), negatives: constant([1, 4, 3, 2], [4]), above: 2)
    #expect(values(hits) == [0.5])
  }
}
