import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct DivergenceTests {
  static let p = [0.2, 0.3, 0.5, 0, 1, 0, 0.4, 0.6, 0]
  static let q = [0.1, 0.9, 0, 0.3, 0.3, 0.4, 0.4, 0.6, 0]

  static func divergence(_ p: ArraySlice<Double>, _ q: [Double]) -> Double {
    zip(p, q).reduce(0) { $1.0 > 0 ? $0 + $1.0 * log($1.0 / $1.1) : $0 }
  }

  @Test func `The Jensen-Shannon divergence is the mean of both from the middle`() {
    let wanted = (0..<3).map { row -> Double in
      let (p, q) = (Self.p[(row * 3)..<(row * 3 + 3)], Self.q[(row * 3)..<(row * 3 + 3)])
      let middle = zip(p, q).map { ($0 + $1) / 2 }
      return (Self.divergence(p, middle) + Self.divergence(q, middle)) / 2
    }
    let (x, y) = (constant(Self.p, [3, 3]), constant(Self.q, [3, 3]))
    #expect(agree(values(jensenShannonDivergence(x, y, reduction: .none)), wanted, within: 1e-14))
    let apart = jensenShannonDivergence(constant([1, 0], [2]), constant([0, 1], [2]))
    #expect(agree(values(apart), [log(2.0)], within: 1e-15))
    let error = gradientError(numbers(9, seed: 1), [3, 3]) { jensenShannonDivergence($0.softmax(), y) }
    #expect(error < 1e-8)
  }

  @Test func `Entropy leaves out excluded classes`() {
    let logits: [Double] = [log(0.2), log(0.3), log(0.5), -.infinity, 7, -.infinity, 2, 2, 2]
    let wanted = [-(0.2 * log(0.2) + 0.3 * log(0.3) + 0.5 * log(0.5)), 0, log(3.0)]
    #expect(
      agree(values(entropy(logits: constant(logits, [3, 3]), reduction: .none)), wanted, within: 1e-14))
    #expect(gradientError(numbers(9, seed: 2), [3, 3]) { entropy(logits: $0) } < 1e-8)
    let x = Tensor.input(0, Signature([3], .float64))
    let slope = gradients(of: entropy(logits: x), withRespectTo: [x])[0]
    let found = values(slope, feeding: [x.node: HostArray([1, -Double.infinity, 1])])
    #expect(agree(found, [0, 0, 0], within: 1e-15))
  }

  @Test func `Divergence and likelihood of normal distributions agree with integrals of their densities`() {
    let (mean, deviation, otherMean, otherDeviation) = (0.4, 0.7, -0.3, 1.3)
    func logDensity(_ x: Double, _ mean: Double, _ deviation: Double) -> Double {
      -pow((x - mean) / deviation, 2) / 2 - log(deviation * (2 * Double.pi).squareRoot())
    }
    let step = 0.01
    let integral = stride(from: -9.0, through: 9, by: step).reduce(0) { sum, x in
      let density = exp(logDensity(x, mean, deviation))
      return sum + density
        * (logDensity(x, mean, deviation) - logDensity(x, otherMean, otherDeviation)) * step
    }
    func tensor(_ number: Double) -> Tensor { constant([number], [1]) }
    let found = normalDivergence(
      mean: tensor(mean), logVariance: tensor(2 * log(deviation)), fromMean: tensor(otherMean),
      logVariance: tensor(2 * log(otherDeviation)))
    #expect(agree(values(found), [integral], within: 1e-12))
    #expect(values(normalDivergence(mean: tensor(0), logVariance: tensor(0))) == [0])
    let likelihood = normalNegativeLogLikelihood(
      of: tensor(1.1), mean: tensor(mean), logVariance: tensor(2 * log(deviation)))
    #expect(agree(values(likelihood), [-logDensity(1.1, mean, deviation)], within: 1e-14))
    let targets = constant(numbers(4, seed: 3), [4])
    #expect(gradientError(numbers(4, seed: 4), [4]) { normalDivergence(mean: $0, logVariance: $0) } < 1e-8)
    let error = gradientError(numbers(4, seed: 5), [4]) {
      normalNegativeLogLikelihood(of: targets, mean: $0, logVariance: $0)
    }
    #expect(error < 1e-8)
  }

  @Test func `Overlaps are twice the common share`() {
    let (p, t) = (numbers(24, seed: 6).map { ($0 + 1) / 2 }, numbers(24, seed: 7).map { $0 > 0 ? 1.0 : 0 })
    func coefficient(_ range: Range<Int>, _ smoothing: Double) -> Double {
      let common = range.reduce(0) { $0 + p[$1] * t[$1] }
      return (2 * common + smoothing) / (range.reduce(0) { $0 + p[$1] + t[$1] } + smoothing)
    }
    let (x, y) = (constant(p, [2, 3, 2, 2]), constant(t, [2, 3, 2, 2]))
    let found = diceLoss(probabilities: x, targets: y, along: [2, 3], reduction: .none)
    #expect(found.shape == [2, 3])
    let wanted = (0..<6).map { 1 - coefficient(($0 * 4)..<($0 * 4 + 4), 1) }
    #expect(agree(values(found), wanted, within: 1e-14))
    #expect(agree(values(diceCoefficient(x, y)), [coefficient(0..<24, 0)], within: 1e-14))
    #expect(values(diceCoefficient(constant([0, 0], [2]), constant([0, 0], [2]))) == [1])
    #expect(
      gradientError(p, [2, 3, 2, 2]) { diceLoss(probabilities: $0, targets: y, along: [2, 3]) } < 1e-8)
  }

  @Test func `A positive weight multiplies the part of positive targets`() {
    let (z, y) = (numbers(8, seed: 8).map { $0 * 30 }, numbers(8, seed: 9).map { ($0 + 1) / 2 })
    let weights = (0..<4).map { 0.5 + Double($0) }
    let found = binaryCrossEntropy(
      logits: constant(z, [2, 4]), targets: constant(y, [2, 4]), positiveWeight: constant(weights, [4]),
      reduction: .none)
    let wanted = (0..<8).map { index -> Double in
      weights[index % 4] * y[index] * log1p(exp(-z[index])) + (1 - y[index]) * log1p(exp(z[index]))
    }
    #expect(agree(values(found), wanted, within: 1e-13))
    #expect(agree(values(constant(z, [8]).logSigmoid()), z.map { -log1p(exp(-$0)) }, within: 1e-14))
    #expect(values(constant([-1, 3, 7], [3]).relu6()) == [0, 3, 6])
  }
}
