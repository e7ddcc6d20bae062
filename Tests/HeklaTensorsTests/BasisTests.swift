import Foundation
import HeklaArrays
import HeklaTensors
import Testing

@Suite struct BasisTests {
  static let points = stride(from: -0.97, to: 1, by: 0.11).map { $0 }

  @Test func `Chebyshev polynomials are cosines of multiples of an angle`() {
    let found = numbers(of: Tensor(Self.points).chebyshevBasis(8))
    let wanted = Self.points.flatMap { x in (0..<8).map { cos(Double($0) * acos(x)) } }
    #expect(agree(found, wanted, within: 1e-13))
    #expect(numbers(of: Tensor([3.0, 4]).chebyshevBasis(1)) == [1, 1])
    #expect(Tensor.zeros([2, 3]).chebyshevBasis(4).shape == [2, 3, 4])
    #expect(gradientError(at: Self.points, [Self.points.count]) { $0.chebyshevBasis(6) } < 1e-7)
  }

  @Test func `Hermite polynomials are orthonormal under the normal distribution`() {
    // The trapezoidal rule is exact to rounding for a function that falls like a normal density.
    let step = 0.05
    let nodes = stride(from: -12.0, through: 12, by: step).map { $0 }
    let count = 6
    let found = numbers(of: Tensor(nodes).hermiteBasis(count))
    for i in 0..<count {
      for j in 0..<count {
        let sum = nodes.indices.map { node in
          exp(-nodes[node] * nodes[node] / 2) * found[node * count + i] * found[node * count + j]
        }.reduce(0, +)
        #expect(abs(sum * step / (2 * Double.pi).squareRoot() - (i == j ? 1 : 0)) < 1e-12)
      }
    }
    #expect(agree(numbers(of: Tensor([2.0]).hermiteBasis(3)), [1, 2, 3 / 2.0.squareRoot()], within: 1e-15))
    #expect(gradientError(at: Self.points, [Self.points.count]) { $0.hermiteBasis(5) } < 1e-7)
  }

  /// Cox and de Boor's recurrence on knots, as it is written.
  static func spline(_ x: Double, _ index: Int, _ degree: Int, _ knots: [Double]) -> Double {
    if degree == 0 { return x >= knots[index] && x < knots[index + 1] ? 1 : 0 }
    let left = (x - knots[index]) / (knots[index + degree] - knots[index])
    let right = (knots[index + degree + 1] - x) / (knots[index + degree + 1] - knots[index + 1])
    return left * spline(x, index, degree - 1, knots) + right * spline(x, index + 1, degree - 1, knots)
  }

  @Test(arguments: [0, 1, 3]) func `B-splines follow the recurrence on their knots and sum to 1`(
    _ degree: Int
  ) {
    let knots = (0...(5 + 2 * degree)).map { -1 + 0.4 * Double($0 - degree) }
    let points = Self.points + [-1.7, -1.05, 1.3, 2.9]
    let found = numbers(of: Tensor(points).bSplineBasis(degree: degree, intervals: 5, in: -1...1))
    let count = 5 + degree
    let wanted = points.flatMap { x in (0..<count).map { Self.spline(x, $0, degree, knots) } }
    #expect(agree(found, wanted, within: 1e-13))
    for row in Self.points.indices {
      #expect(abs(found[(row * count)..<(row * count + count)].reduce(0, +) - 1) < 1e-13)
    }
    #expect(found.suffix(count) == [Double](repeating: 0, count: count)[...])
  }

  @Test func `Gradients of splines agree with central differences`() {
    #expect(
      gradientError(at: Self.points, [Self.points.count]) { $0.bSplineBasis(intervals: 5, in: -1...1) } < 1e-7
    )
  }

  @Test func `Values are interpolated between knots and held beyond them`() {
    let knots = Tensor([0.0, 1, 1, 4])
    let values = Tensor([0.0, 10, 2, 20, 5, 50, 8, 0], shape: [4, 2])
    let points = Tensor([-1.0, 0.5, 1, 2.5, 9])
    let found = numbers(of: values.interpolated(at: points, knots: knots))
    #expect(agree(found, [0, 10, 1, 15, 5, 50, 6.5, 25, 8, 0], within: 1e-15))
    #expect(numbers(of: Tensor([7.0]).interpolated(at: points, knots: Tensor([1.0]))) == [7, 7, 7, 7, 7])
    // To the values, the points and the knots.
    let places = Tensor([0.3, 1.7, 2.2])
    let line = Tensor([0.0, 1, 2, 3])
    let heights = Tensor([2.0, -1, 4, 0])
    #expect(gradientError(at: [2, -1, 4, 0], [4]) { $0.interpolated(at: places, knots: line) } < 1e-8)
    #expect(gradientError(at: [0.3, 1.7, 2.2], [3]) { heights.interpolated(at: $0, knots: line) } < 1e-8)
    #expect(gradientError(at: [0, 1, 2, 3], [4]) { heights.interpolated(at: places, knots: $0) } < 1e-8)
  }
}
