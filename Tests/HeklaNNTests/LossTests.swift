import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct LossTests {
  // Four examples of three classes, far apart enough that no form without a shift would survive 2,000.
  static let logits = numbers(12, seed: 1).map { $0 * 5 }
  static let labels: [Int32] = [2, 0, 1, 2]

  /// log softmax by its definition.
  static func logProbabilities(_ row: Int) -> [Double] {
    let values = Array(logits[(row * 3)..<(row * 3 + 3)])
    let total = log(values.map { exp($0) }.reduce(0, +))
    return values.map { $0 - total }
  }

  static let picked = labels.enumerated().map { -logProbabilities($0)[Int($1)] }

  func tensors() -> (logits: Tensor, labels: Tensor) { (constant(Self.logits, [4, 3]), Tensor(Self.labels)) }

  // Sums of a few terms of size 10 in float64.
  let tolerance = 1e-13

  @Test func `Cross-entropy is the negative logarithm of the label's probability`() {
    let (logits, labels) = tensors()
    let losses = crossEntropy(logits: logits, labels: labels, reduction: .none)
    #expect(losses.shape == [4])
    #expect(agree(values(losses), Self.picked, within: tolerance))
    let sum = Self.picked.reduce(0, +)
    let mean = crossEntropy(logits: logits, labels: labels)
    #expect(mean.shape == [])
    #expect(agree(values(mean), [sum / 4], within: tolerance))
    #expect(
      agree(values(crossEntropy(logits: logits, labels: labels, reduction: .sum)), [sum], within: tolerance))
  }

  @Test func `Cross-entropy takes more outer axes`() {
    let losses = crossEntropy(
      logits: constant(Self.logits, [2, 2, 3]), labels: Tensor(Self.labels, shape: [2, 2]), reduction: .none)
    #expect(losses.shape == [2, 2])
    #expect(agree(values(losses), Self.picked, within: tolerance))
  }

  @Test func `Label smoothing mixes the label with all classes`() {
    let (logits, labels) = tensors()
    let found = values(crossEntropy(logits: logits, labels: labels, smoothing: 0.3, reduction: .none))
    let expected = (0..<4).map { row -> Double in
      0.7 * Self.picked[row] - 0.3 * Self.logProbabilities(row).reduce(0, +) / 3
    }
    #expect(agree(found, expected, within: tolerance))
  }

  @Test func `An ignored label counts neither in the sum nor in the mean`() {
    let logits = constant(Self.logits, [4, 3])
    let labels = Tensor([2, -1, 1, -1] as [Int32])
    func loss(_ reduction: LossReduction) -> [Double] {
      values(crossEntropy(logits: logits, labels: labels, ignoring: -1, reduction: reduction))
    }
    let (first, third) = (Self.picked[0], Self.picked[2])
    #expect(agree(loss(.none), [first, 0, third, 0], within: tolerance))
    #expect(agree(loss(.sum), [first + third], within: tolerance))
    #expect(agree(loss(.mean), [(first + third) / 2], within: tolerance))
    let all = Tensor([-1, -1, -1, -1] as [Int32])
    #expect(values(crossEntropy(logits: logits, labels: all, ignoring: -1)) == [0])
  }

  @Test func `Soft labels weigh the classes`() {
    let weights = (0..<12).map { 0.1 + Double($0 % 5) }
    let found = values(
      crossEntropy(
        logits: constant(Self.logits, [4, 3]), probabilities: constant(weights, [4, 3]), reduction: .none))
    let expected = (0..<4).map { row in
      let logarithms = Self.logProbabilities(row)
      var sum = 0.0
      for label in 0..<3 { sum -= weights[row * 3 + label] * logarithms[label] }
      return sum
    }
    #expect(agree(found, expected, within: tolerance))
  }

  @Test func `Cross-entropies stay finite for huge logits`() {
    let logits = constant([2000, 0, -2000, 0, 3000, 0], [2, 3])
    let found = values(crossEntropy(logits: logits, labels: Tensor([0, 2] as [Int32]), reduction: .none))
    #expect(found == [0, 3000])
    let binary = values(
      binaryCrossEntropy(
        logits: constant([2000, -2000, 2000], [3]), targets: constant([1, 0, 0], [3]), reduction: .none))
    #expect(binary == [0, 0, 2000])
  }

  @Test func `Binary cross-entropy is its definition`() {
    let targets = numbers(12, seed: 5).map { ($0 + 1) / 2 }
    let found = values(
      binaryCrossEntropy(
        logits: constant(Self.logits, [12]), targets: constant(targets, [12]), reduction: .none))
    let expected = zip(Self.logits, targets).map { z, y -> Double in
      let p = 1 / (1 + exp(-z))
      return -(y * log(p) + (1 - y) * log(1 - p))
    }
    #expect(agree(found, expected, within: tolerance))
  }

  @Test func `Regression losses are their definitions`() {
    let (x, y) = (numbers(20, seed: 1).map { $0 * 4 }, numbers(20, seed: 2))
    let (predictions, targets) = (constant(x, [4, 5]), constant(y, [4, 5]))
    let squares = zip(x, y).map { ($0 - $1) * ($0 - $1) }
    #expect(
      agree(values(meanSquaredError(predictions, targets)), [squares.reduce(0, +) / 20], within: tolerance))
    let huber = zip(x, y).map { x, y -> Double in
      let size = abs(x - y)
      return size <= 0.7 ? size * size / 2 : 0.7 * size - 0.7 * 0.7 / 2
    }
    let found = huberLoss(predictions, targets, threshold: 0.7, reduction: .none)
    #expect(found.shape == [4, 5])
    #expect(agree(values(found), huber, within: tolerance))
  }

  @Test func `Accuracy counts the largest logits that are the label's`() {
    let logits = constant([1, 2, 0, 5, 5, 1, -3, -2, -1, 0, 0, 9], [4, 3])
    #expect(values(accuracy(logits: logits, labels: Tensor([1, 0, 1, 2] as [Int32]))) == [0.75])
  }

  @Test func `Gradients of losses agree with central differences`() {
    let start = numbers(12, seed: 8)
    let labels = Tensor([2, -1, 1, 0] as [Int32])
    let targets = constant(numbers(12, seed: 9).map { ($0 + 1) / 2 }, [4, 3])
    let losses: [(name: String, loss: (Tensor) -> Tensor)] = [
      ("labels", { crossEntropy(logits: $0, labels: labels, smoothing: 0.1, ignoring: -1) }),
      ("soft", { crossEntropy(logits: $0, probabilities: targets) }),
      ("binary", { binaryCrossEntropy(logits: $0, targets: targets) }),
      ("squared", { meanSquaredError($0, targets) }),
      ("huber", { huberLoss($0, targets, threshold: 0.5) }),
    ]
    for (name, loss) in losses {
      // Central differences are good to about 1e-10 of the gradient's size here; see `gradientError`.
      #expect(gradientError(start, [4, 3], .float64, loss) < 1e-8, "\(name)")
    }
  }

  @Test func `The gradient of cross-entropy is the softmax less the label`() {
    let x = Tensor.input(0, Signature([4, 3], .float64))
    let loss = crossEntropy(logits: x, labels: Tensor(Self.labels), reduction: .sum)
    let gradient = gradients(of: loss, withRespectTo: [x])[0]
    let found = values(gradient, feeding: [x.node: HostArray(Self.logits, shape: [4, 3])])
    let expected = (0..<4).flatMap { row in
      let label = Int(Self.labels[row])
      return Self.logProbabilities(row).enumerated().map { index, logarithm -> Double in
        exp(logarithm) - (index == label ? 1 : 0)
      }
    }
    #expect(agree(found, expected, within: tolerance))
  }
}
