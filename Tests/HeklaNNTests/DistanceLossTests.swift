import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct DistanceLossTests {
  static let a = numbers(12, seed: 1).map { $0 * 3 }
  static let b = numbers(12, seed: 2)
  static let c = numbers(12, seed: 3)
  let x = constant(a, [4, 3])
  let y = constant(b, [4, 3])
  let z = constant(c, [4, 3])

  static func row(_ values: [Double], _ row: Int) -> [Double] { Array(values[(row * 3)..<(row * 3 + 3)]) }
  static func distance(_ u: [Double], _ v: [Double]) -> Double {
    zip(u, v).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
  }

  @Test func `Losses of single elements are their definitions`() {
    let cosh = values(logCoshLoss(x, y, reduction: .none))
    #expect(agree(cosh, zip(Self.a, Self.b).map { log(Foundation.cosh($0 - $1)) }, within: 1e-14))
    #expect(values(logCoshLoss(constant([1e5], [1]), constant([0], [1]))) == [1e5 - log(2.0)])
    let labels = Self.b.map { $0 < 0 ? -1.0 : 1 }
    let hinge = values(hingeLoss(x, labels: constant(labels, [4, 3]), reduction: .none))
    #expect(agree(hinge, zip(Self.a, labels).map { max(0, 1 - $0 * $1) }, within: 1e-14))
    let absolute = zip(Self.a, Self.b).map { abs($0 - $1) }.reduce(0, +) / 12
    #expect(agree(values(meanAbsoluteError(x, y)), [absolute], within: 1e-14))
  }

  @Test func `Losses of vectors are their definitions`() {
    let triplet = (0..<4).map { row in
      let near = Self.distance(Self.row(Self.a, row), Self.row(Self.b, row))
      return max(0, near - Self.distance(Self.row(Self.a, row), Self.row(Self.c, row)) + 0.5)
    }
    let found = tripletLoss(anchors: x, positives: y, negatives: z, margin: 0.5, reduction: .none)
    #expect(agree(values(found), triplet, within: 1e-14))
    let cosines = (0..<4).map { row -> Double in
      let (u, v) = (Self.row(Self.a, row), Self.row(Self.b, row))
      let lengths = Self.distance(u, [0, 0, 0]) * Self.distance(v, [0, 0, 0])
      return zip(u, v).map { $0 * $1 }.reduce(0, +) / lengths
    }
    let same = Tensor([true, false, true, false])
    let wanted = cosines.enumerated().map { $0 % 2 == 0 ? 1 - $1 : max(0, $1 - 0.1) }
    let cosine = cosineLoss(x, y, isSame: same, margin: 0.1, reduction: .none)
    #expect(agree(values(cosine), wanted, within: 1e-14))
  }

  @Test func `Likelihood and divergence follow from cross-entropy`() {
    let labels = Tensor([2, 0, 1, 1] as [Int32])
    let logarithms = x.logSoftmax()
    let likelihood = negativeLogLikelihood(logProbabilities: logarithms, labels: labels)
    #expect(agree(values(likelihood), values(crossEntropy(logits: x, labels: labels)), within: 1e-14))
    let targets = constant([0.2, 0.3, 0.5, 0, 1, 0, 0.4, 0.6, 0, 0.1, 0.1, 0.8], [4, 3])
    let p = values(targets)
    let q = values(logarithms)
    let divergence = zip(p, q).map { $0 > 0 ? $0 * (log($0) - $1) : 0 }.reduce(0, +) / 4
    #expect(agree(values(klDivergence(of: targets, from: logarithms)), [divergence], within: 1e-14))
  }

  @Test func `Gradients agree with central differences`() {
    let (y, z) = (y, z)
    let losses: [(String, (Tensor) -> Tensor)] = [
      ("log-cosh", { logCoshLoss($0, y) }), ("hinge", { hingeLoss($0, labels: y.sign()) }),
      ("triplet", { tripletLoss(anchors: $0, positives: y, negatives: z) }),
      ("cosine", { cosineLoss($0, y) }),
      ("divergence", { klDivergence(of: y.softmax(), from: $0.logSoftmax()) }),
    ]
    for (name, loss) in losses { #expect(gradientError(Self.a, [4, 3], .float64, loss) < 1e-7, "\(name)") }
  }
}
