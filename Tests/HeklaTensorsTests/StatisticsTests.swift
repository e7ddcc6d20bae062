import Foundation
import HeklaArrays
import HeklaTensors
import Testing

@Suite struct StatisticsTests {
  static let values = spread(24, seed: 1)
  let x = Tensor(values, shape: [2, 3, 4])

  /// The elements over which axes 0 and 2 run, for each place of axis 1.
  static let groups: [[Double]] = (0..<3).map { (row: Int) -> [Double] in
    let first = row * 4
    return Array(values[first..<(first + 4)] + values[(first + 12)..<(first + 16)])
  }

  @Test func `Moments along several axes are their definitions`() {
    func expect(_ tensor: Tensor, _ body: ([Double]) -> Double) {
      #expect(agree(numbers(of: tensor), Self.groups.map(body), within: 1e-14))
    }
    func moment(_ x: [Double], _ order: Double) -> Double {
      let mean = x.reduce(0, +) / 8
      return x.map { pow($0 - mean, order) }.reduce(0, +) / 8
    }
    expect(x.product(along: [0, 2])) { $0.reduce(1, *) }
    expect(x.variance(along: [0, -1], degreesOfFreedom: 1)) { moment($0, 2) * 8 / 7 }
    expect(x.standardDeviation(along: [0, 2])) { moment($0, 2).squareRoot() }
    expect(x.centralMoment(3, along: [0, 2])) { moment($0, 3) }
    expect(x.logSumExp(along: [0, 2])) { log($0.map { exp($0) }.reduce(0, +)) }
    expect(x.norm(.l1, along: [0, 2])) { $0.map(abs).reduce(0, +) }
    expect(x.norm(along: [0, 2])) { $0.map { $0 * $0 }.reduce(0, +).squareRoot() }
    expect(x.norm(.power(3), along: [0, 2])) { pow($0.map { pow(abs($0), 3) }.reduce(0, +), 1.0 / 3) }
    expect(x.norm(.maximum, along: [0, 2])) { $0.map(abs).max() ?? 0 }
    let weights = x.squared()
    expect(x.weightedMean(weights, along: [0, 2])) {
      $0.map { $0 * $0 * $0 }.reduce(0, +) / $0.map { $0 * $0 }.reduce(0, +)
    }
    #expect(x.norm(along: [0, 2], keepingAxes: true).shape == [1, 3, 1])
    #expect(x.logSumExp(along: [0, 2], keepingAxes: true).shape == [1, 3, 1])
  }

  @Test func `Statements about all and any elements are counted`() {
    let x = Tensor([0.0, 1, 0, 0, 2, 3], shape: [3, 2])
    #expect(numbers(of: x.any(along: [1])) == [1, 0, 1])
    #expect(numbers(of: x.all(along: [1])) == [0, 0, 1])
    #expect(numbers(of: x.countNonzero(along: [0])) == [1, 2])
    #expect(numbers(of: (x .> 1).any()) == [1])
  }

  @Test func `A sum of exponentials of nothing but minus infinity is minus infinity`() {
    let x = Tensor([-Double.infinity, -.infinity, 1000, 1000], shape: [2, 2])
    #expect(numbers(of: x.logSumExp(along: [1])) == [-.infinity, 1000 + log(2.0)])
  }

  @Test func `A product's gradient is right where factors are 0`() {
    // Rows with no, one and two zeros: the product is linear in each factor, so differences are exact.
    let values = [2.0, -3, 0.5, 4, 0, -5, 3, 0, 0]
    let x = Tensor.input(0, Signature([3, 3], .float64))
    let slope = gradients(of: x.product(along: 1).sum(), withRespectTo: [x])[0]
    let found = numbers(of: slope, feeding: [x.node: HostArray(values, shape: [3, 3])])
    #expect(agree(found, [-1.5, 1, -6, 0, -20, 0, 0, 0, 0], within: 1e-15))
    let both = gradients(of: x.product().squared() + x.product(along: [1, 0]), withRespectTo: [x])[0]
    let ones = [1.0, 2, 1, 1, 0, 1, 3, 1, 1]
    #expect(
      numbers(of: both, feeding: [x.node: HostArray(ones, shape: [3, 3])]) == [0, 0, 0, 0, 6, 0, 0, 0, 0])
  }

  @Test func `Sums of signed numbers in logarithms do not overflow`() {
    let logarithms: [Double] = [1000, 999, -2, -1, 3, 3, -.infinity, -.infinity]
    let signs = [1.0, -1, -1, -1, 1, -1, 1, 0]
    let (sum, sign) = Tensor(logarithms, shape: [4, 2])
      .logSumExp(signs: Tensor(signs, shape: [4, 2]), along: [1])
    let wanted: [Double] = [1000 + log(1 - exp(-1.0)), log(exp(-2.0) + exp(-1.0)), -.infinity, -.infinity]
    #expect(agree(numbers(of: sum), wanted, within: 1e-14))
    #expect(numbers(of: sign) == [1, -1, 0, 0])
    let weights = Tensor([1.0, -1, 1, 1], shape: [4])
    #expect(gradientError(at: [0.2, -1, 0.5, 0.1], [4]) { $0.logSumExp(signs: weights).logarithm } < 1e-8)
  }

  @Test func `Distances and angles agree with their definitions`() {
    let (a, b) = (spread(6, seed: 2), spread(9, seed: 3))
    let (x, y) = (Tensor(a, shape: [2, 3]), Tensor(b, shape: [3, 3]))
    var (squares, cosines): ([Double], [Double]) = ([], [])
    for row in 0..<2 {
      for column in 0..<3 {
        let (u, v) = (a[(row * 3)..<(row * 3 + 3)], b[(column * 3)..<(column * 3 + 3)])
        squares.append(zip(u, v).map { ($0 - $1) * ($0 - $1) }.reduce(0, +))
        let lengths = u.map { $0 * $0 }.reduce(0, +) * v.map { $0 * $0 }.reduce(0, +)
        cosines.append(zip(u, v).map { $0 * $1 }.reduce(0, +) / lengths.squareRoot())
      }
    }
    #expect(agree(numbers(of: x.squaredDistances(to: y)), squares, within: 1e-14))
    #expect(agree(numbers(of: x.pairwiseDistances(to: y)), squares.map { $0.squareRoot() }, within: 1e-14))
    #expect(agree(numbers(of: x.expanded(at: 1).cosineSimilarity(y)), cosines, within: 1e-14))
  }

  @Test func `The Euclidean norm of zeros has gradient zero`() {
    let x = Tensor.input(0, Signature([2, 2], .float64))
    let gradient = gradients(of: x.norm(along: [1]).sum(), withRespectTo: [x])[0]
    let found = numbers(of: gradient, feeding: [x.node: HostArray([0.0, 0, 3, 4], shape: [2, 2])])
    #expect(agree(found, [0, 0, 0.6, 0.8], within: 1e-15))
  }

  @Test func `Gradients agree with central differences`() {
    let bodies: [(String, (Tensor) -> Tensor)] = [
      ("product", { $0.product(along: [0, 2]) }),
      ("variance", { $0.variance(along: [0, 2], degreesOfFreedom: 1) }),
      ("deviation", { $0.standardDeviation(along: [0, 2]) }), ("moment", { $0.centralMoment(4, along: [1]) }),
      ("logarithm", { $0.logSumExp(along: [0, 2]) }), ("norm", { $0.norm(along: [0, 2]) }),
      ("l1", { $0.norm(.l1, along: [0]) }), ("power", { $0.norm(.power(2.5), along: [0]) }),
      ("maximum", { $0.norm(.maximum, along: [0]) }), ("normalized", { $0.normalized() }),
      ("weighted", { $0.weightedMean($0.exp(), along: [2]) }),
      ("distances", { $0.element(0, along: 0).pairwiseDistances(to: $0.element(1, along: 0)) }),
      ("squares", { $0.element(0, along: 0).squaredDistances(to: $0.element(1, along: 0)) }),
      ("cosine", { $0.cosineSimilarity($0.exp()) }),
    ]
    for (name, body) in bodies { #expect(gradientError(at: Self.values, [2, 3, 4], body) < 1e-7, "\(name)") }
  }
}
