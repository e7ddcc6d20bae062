import Foundation
import HeklaArrays
import HeklaTensors
import Testing

@Suite struct SpecialFunctionTests {
  static let points = stride(from: -7.93, to: 12, by: 0.037).map { $0 }

  /// The largest error of `found`, relative to the larger of the value and `floor`.
  static func error(_ found: [Double], _ expected: [Double], floor: Double = 0) -> Double {
    zip(found, expected).map { abs($0 - $1) / max(abs($1), floor) }.max() ?? .nan
  }

  @Test func `Whole powers are products, also of negative numbers and at 0`() {
    for exponent in [-3, -1, 0, 1, 2, 5, 12] {
      let found = numbers(of: Tensor([-1.5, 2, 0.7]).power(exponent))
      let wanted = [-1.5, 2, 0.7].map { pow($0, Double(exponent)) }
      #expect(Self.error(found, wanted) < 1e-14)
    }
    #expect(numbers(of: Tensor([0.0, -0.0]).power(0)) == [1, 1])
    #expect(numbers(of: Tensor([3, -2] as [Int32]).power(5)) == [243, -32])
    #expect(gradientError(at: [-1.2, 0, 0.4], [3]) { $0.power(3) } < 1e-8)
    #expect(gradientError(at: [-1.2, 0.4], [2]) { $0.power(-2) } < 1e-8)
  }

  @Test func `The complementary error function keeps its digits far out`() {
    let found = numbers(of: Tensor(Self.points).complementaryErf())
    // Cody claims 1e-18 for the approximation; the rest is rounding in some ten operations.
    #expect(Self.error(found, Self.points.map { erfc($0) }) < 5e-15)
    #expect(numbers(of: Tensor([-Double.infinity, 0, .infinity]).complementaryErf()) == [2, 1, 0])
    #expect(gradientError(at: [-2, -0.4, 0.1, 0.7, 3], [5]) { $0.complementaryErf() } < 1e-8)
  }

  @Test func `The expression itself has the derivative of the complementary error function`() {
    let x = Scalar.input(0, .float64)
    let derivative = Scalar.complementaryErf(x).derivative(withRespectTo: 0)
    for point in [-5.0, -1, 0.2, 0.9, 2, 3.9, 6, 9] {
      let expected = -2 / Double.pi.squareRoot() * exp(-point * point)
      #expect(abs(derivative.evaluate(inputs: [point]) / expected - 1) < 1e-11)
    }
  }

  @Test func `The inverse error function inverts to float64 and to float32`() {
    let x = [-0.999_999_99, -0.97, -0.5, -1e-9, 0, 1e-5, 0.3, 0.8, 0.9966, 0.999_999_999_9, 1 - 0x1p-52]
    let y = numbers(of: Tensor(x).inverseErf())
    // Compared on the side where the function is steep: |dy| = |dx| / erf'(y).
    for (x, y) in zip(x, y) {
      #expect(abs(erf(y) - x) <= 4e-16)
      if abs(x) > 0.5 { #expect(abs(erfc(abs(y)) / (1 - abs(x)) - 1) < 1e-14) }
    }
    let single = numbers(of: Tensor(x.map(Float.init)).inverseErf())
    // Giles states 3e-7 relative; the reference evaluates the single-precision polynomials without rounding.
    let rounded = x.map { Double(Float($0)) }
    for (x, y) in zip(rounded, single) where abs(x) < 1 { #expect(abs(erf(y) - x) <= 3e-7 * abs(x)) }
    #expect(numbers(of: Tensor([1.0, -1]).inverseErf()) == [.infinity, -.infinity])
    #expect(numbers(of: Tensor([1.1]).inverseErf())[0].isNaN)
    #expect(gradientError(at: [-0.9, -0.2, 0.4, 0.95], [4]) { $0.inverseErf() } < 1e-7)
  }

  @Test func `The logarithm of the gamma function follows the C library's`() {
    let points = Self.points + [1e-8, 0.5, 1, 1.5, 2, 2.5, 7.5, 30, 1e5, -0.5, -3.000_001]
    let found = numbers(of: Tensor(points).logGamma())
    // Near 1 and 2 the value itself vanishes; measured against 0.1 elsewhere this is a few units in the last place.
    #expect(Self.error(found, points.map { lgamma($0) }, floor: 0.1) < 2e-13)
    let special = numbers(of: Tensor([0.0, -1, -7, .infinity, -.infinity, 1, 2]).logGamma())
    #expect(special == [.infinity, .infinity, .infinity, .infinity, .infinity, 0, 0])
    #expect(numbers(of: Tensor([Double.nan]).logGamma())[0].isNaN)
  }

  /// The polygamma function by its recurrence to a large argument and the asymptotic series there.
  static func digamma(_ x: Double) -> Double {
    if x < 0 { return digamma(1 - x) - .pi / tan(.pi * x) }
    var (x, sum) = (x, 0.0)
    while x < 40 {
      sum -= 1 / x
      x += 1
    }
    let square = 1 / (x * x)
    return sum + log(x) - 0.5 / x - square * (1.0 / 12 - square * (1.0 / 120 - square / 252))
  }

  static func trigamma(_ x: Double) -> Double {
    if x < 0 { return pow(.pi / sin(.pi * x), 2) - trigamma(1 - x) }
    var (x, sum) = (x, 0.0)
    while x < 40 {
      sum += 1 / (x * x)
      x += 1
    }
    let square = 1 / (x * x)
    return sum + 1 / x + square / 2 + square / x * (1.0 / 6 - square * (1.0 / 30 - square / 42))
  }

  @Test func `Digamma and trigamma are the derivatives, to nearly all digits`() {
    let points = Self.points + [1e-3, 100, -2.5]
    let digamma = numbers(of: Tensor(points).digamma())
    #expect(Self.error(digamma, points.map(Self.digamma), floor: 1) < 1e-12)
    let trigamma = numbers(of: Tensor(points).trigamma())
    // Nothing cancels from 0 on; some twenty operations. Below, terms of up to 1e5 at poles do.
    #expect(Self.error(trigamma, points.map(Self.trigamma), floor: 1) < 1e-11)
    let positive = points.filter { $0 > 0 }
    #expect(Self.error(numbers(of: Tensor(positive).trigamma()), positive.map(Self.trigamma)) < 5e-15)
    #expect(gradientError(at: [-1.3, 0.2, 0.9, 1.7, 5, 9], [6]) { $0.logGamma() } < 1e-8)
    #expect(gradientError(at: [0.4, 0.9, 1.7, 5, 9], [5]) { $0.digamma() } < 1e-8)
    #expect(gradientError(at: [0.7, 0.9, 1.7, 5, 9], [5]) { $0.trigamma() } < 1e-7)
  }

  @Test
  func `Derivatives of digamma and trigamma keep their digits where those of the logarithm would cancel`() {
    // -2 times the sum of 1 / (x + k)^3, to 40 and by the asymptotic series from there.
    func tetragamma(_ x: Double) -> Double {
      var (x, sum) = (x, 0.0)
      while x < 40 {
        sum += 2 / (x * x * x)
        x += 1
      }
      let square = 1 / (x * x)
      return -(sum + square + square / x + square * square * (0.5 - square * (1.0 / 6 - square / 6)))
    }
    let points = [0.3, 1, 2.2, 3.7, 5.1, 6.4, 9.999, 10.001, 12]
    let x = Tensor.input(0, Signature([points.count], .float64))
    let feeds = [x.node: HostArray(points)]
    let slope = gradients(of: x.digamma().sum(), withRespectTo: [x])[0]
    let curvature = gradients(of: slope.sum(), withRespectTo: [x])[0]
    #expect(Self.error(numbers(of: slope, feeding: feeds), points.map(Self.trigamma)) < 5e-15)
    #expect(Self.error(numbers(of: curvature, feeding: feeds), points.map(tetragamma)) < 1e-14)
  }

  @Test func `The sum of exponentials neither overflows nor turns infinities into NaN`() {
    let x = Tensor([1000.0, -1000, 1, -.infinity, .infinity, -.infinity])
    let y = Tensor([1000.0, 0, 2, -.infinity, 3, 5])
    let expected = [1000 + log(2.0), 0, log(exp(1.0) + exp(2)), -.infinity, .infinity, 5]
    #expect(agree(numbers(of: .logAddExp(x, y)), expected, within: 1e-14))
    let other = Tensor([0.3, -2, 1])
    #expect(gradientError(at: [0.3, 1, -4], [3]) { .logAddExp($0, other) } < 1e-8)
  }

  @Test func `The normal distribution and its quantile invert each other`() {
    let shares = [1e-6, 0.1, 0.5, 0.77, 0.999]
    let quantiles = Tensor(shares).normalQuantile()
    #expect(agree(numbers(of: quantiles.normalDistribution()), shares, within: 1e-14))
    #expect(abs(numbers(of: Tensor([0.975]).normalQuantile())[0] - 1.959_963_984_540_054) < 1e-13)
    #expect(gradientError(at: [0.1, 0.3, 0.5, 0.9], [4]) { $0.normalQuantile() } < 1e-7)
  }

  @Test func `The quantiles of small shares keep their digits`() {
    // 2 p - 1 is -1 to float64 from 1e-17 on.
    let shares = [1e-300, 1e-40, 1e-17, 1e-9, 0.004]
    let found = numbers(of: Tensor(shares).normalQuantile())
    // A quantile y that is off by a unit in the last place changes the share by y^2 of them.
    for (y, share) in zip(found, shares) {
      #expect(abs(0.5 * erfc(-y / 2.0.squareRoot()) / share - 1) < 4e-16 * (4 + y * y))
    }
    #expect(numbers(of: Tensor([0.0, 1]).normalQuantile()) == [-.infinity, .infinity])
    #expect(numbers(of: Tensor([-0.1, 1.1]).normalQuantile()).allSatisfy { $0.isNaN })
    // Symmetric about a half, exactly where p and 1 - p both are.
    #expect(numbers(of: Tensor([0.25, 0.5, 0.75]).normalQuantile()).reduce(0, +) == 0)
  }

  @Test func `A stated derivative takes the place of the derived one, at every order`() {
    let x = Tensor.input(0, Signature([1], .float64))
    let doubled = x.map {
      $0
    } derivative: { x, _ in
      x * x * x
    }
    let first = gradients(of: doubled.sum(), withRespectTo: [x])[0]
    let second = gradients(of: first.sum(), withRespectTo: [x])[0]
    let feeds = [x.node: HostArray([2.0])]
    #expect(numbers(of: first, feeding: feeds) == [8])
    #expect(numbers(of: second, feeding: feeds) == [12])
  }

  @Test func `Steps have the surrogate's gradient`() {
    let x = Tensor.input(0, Signature([3], .float64))
    let feeds = [x.node: HostArray([-2.0, 0, 0.5])]
    func gradient(_ body: (Tensor) -> Tensor) -> [Double] {
      numbers(of: gradients(of: body(x).sum(), withRespectTo: [x])[0], feeding: feeds)
    }
    #expect(numbers(of: x.step(), feeding: feeds) == [0, 1, 1])
    #expect(gradient { $0.step() } == [0, 0, 0])
    #expect(gradient { $0.stepStraightThrough(within: 1) } == [0, 1, 1])
    #expect(gradient { $0.roundedStraightThrough() } == [1, 1, 1])
    #expect(gradient { $0.step().straightThrough(to: 3 * $0) } == [3, 3, 3])
    #expect(gradient { $0.stepSurrogate(slope: 2) }[1] == 0.5)
  }

  @Test func `Comparisons, logic, bits and remainders do what they say`() {
    let x = Tensor([-3.0, 0, 2, .nan, .infinity])
    #expect(numbers(of: x .< 0) == [1, 0, 0, 0, 0])
    #expect(numbers(of: x .>= 0) == [0, 1, 1, 0, 1])
    #expect(numbers(of: (x .> 0) .| .!(x .<= 0)) == [0, 0, 1, 1, 1])
    #expect(numbers(of: (x .!= 2) .& (x .<= 0)) == [1, 1, 0, 0, 0])
    #expect(numbers(of: x.isFinite()) == [1, 1, 1, 0, 0])
    #expect(numbers(of: x.isNaN()) == [0, 0, 0, 1, 0])
    #expect(numbers(of: x.filled(with: 7, where: .!x.isFinite())) == [-3, 0, 2, 7, 7])
    let whole = Tensor([-7, 7, -7, 7, 6] as [Int32])
    let divisor = Tensor([3, 3, -3, -3, 3] as [Int32])
    #expect(numbers(of: .floorRemainder(whole, divisor)) == [2, 1, -1, -2, 0])
    #expect(numbers(of: whole % divisor) == [-1, 1, -1, 1, 0])
    let bits = Tensor([12, 10] as [UInt32])
    #expect(numbers(of: .bitXor(bits, Tensor([10, 10] as [UInt32]))) == [6, 0])
    #expect(numbers(of: bits.shiftedLeft(by: 2).shiftedRight(by: 1)) == [24, 20])
  }
}
