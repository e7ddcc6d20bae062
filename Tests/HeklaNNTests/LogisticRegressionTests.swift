import Foundation
import HeklaArrays
import HeklaNN
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

@Suite struct LogisticRegressionTests {
  @Test func `At the weights found the penalized loss has no slope, problem by problem`() {
    let (x, y) = (numbers(24, seed: 1), [1.0, 0, 0, 1, 1, 0, 1, 0])
    let weights = [[1.0, 1, 1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0.5, 1, 1, 1]]
    let penalties = [[0.1, 0.1, 0.1], [10, 1, 0.01]]
    let w = values(
      logisticRegression(
        constant(x, [8, 3]), labels: constant(y, [8]),
        rowWeights: constant(weights.flatMap(\.self), [2, 1, 8]),
        penalty: constant(penalties.flatMap(\.self), [2, 3])))
    #expect(w.count == 12)
    for problem in 0..<4 {
      let own = Array(w[problem * 3..<problem * 3 + 3])
      for column in 0..<3 {
        var slope = penalties[problem % 2][column] * own[column]
        for row in 0..<8 {
          let score = (0..<3).map { x[row * 3 + $0] * own[$0] }.reduce(0, +)
          slope += weights[problem / 2][row] * (1 / (1 + exp(-score)) - y[row]) * x[row * 3 + column]
        }
        #expect(abs(slope) < 1e-10, "problem \(problem), column \(column)")
      }
    }
  }

  @Test func `A plane that separates the classes leads nowhere, thanks to the penalty`() {
    let w = values(
      logisticRegression(
        constant([-2, -1, 1, 2], [4, 1]), labels: constant([0, 0, 1, 1], [4]),
        rowWeights: constant([1, 1, 1, 1], [4]),
        penalty: constant([0.1], [1])))
    #expect(w[0] > 1 && w[0] < 10)
  }

  @Test(arguments: TestDevice.present)
  func `The area counts pairs, equal scores by half`(device: TestDevice) throws {
    let scores: [Float] = [0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 7, 7, 7, 7, 7, 7, 1, 2, 3, 4, 5, 6]
    let labels =
      [false, false, true, true, true, false, true, true, false, false, true, false, true, true] + [
        true, false, false, false,
      ]
    let area = areaUnderCurve(scores: Tensor(scores, shape: [3, 6]), labels: Tensor(labels, shape: [3, 6]))
    let expected = (0..<3).map { row -> Double in
      let own = (row * 6)..<(row * 6 + 6)
      var (won, count) = (0.0, 0.0)
      for positive in own where labels[positive] {
        for negative in own where !labels[negative] {
          count += 1
          won += scores[positive] > scores[negative] ? 1 : scores[positive] == scores[negative] ? 0.5 : 0
        }
      }
      return won / count
    }
    #expect(expected[1] == 0.5 && expected[2] == 0)
    let found = try device.run { try $0.values(of: [area])[0].doubles() }
    #expect(agree(found, expected, within: 1e-6))
  }
}
