import Foundation
import HeklaArrays
import HeklaNN
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

@Suite struct GaussianProcessTests {
  static let (x, y) = ((0..<6).map { Double($0 * $0) / 30 }, numbers(6, seed: 2))
  static let (l, noise) = (0.3, 0.04)

  private static func process(_ l: Tensor) -> GaussianProcess {
    GaussianProcess(squaredExponentialOf: constant(x, [6, 1]), lengthScale: l, noise: noise)
  }

  private static func k(_ a: Double, _ b: Double) -> Double { exp(-(a - b) * (a - b) / (2 * l * l)) }

  /// The determinant of the covariance of the rows, and the solution for `sides`, by elimination.
  private static func solve(_ rows: [Int], _ sides: [Double]) -> (determinant: Double, solution: [Double]) {
    var a = rows.map { i in rows.map { j in k(x[i], x[j]) + (i == j ? noise : 0) } }
    var (b, determinant) = (sides, 1.0)
    for column in rows.indices {
      determinant *= a[column][column]
      for row in rows.indices where row != column {
        let factor = a[row][column] / a[column][column]
        for place in rows.indices { a[row][place] -= factor * a[column][place] }
        b[row] -= factor * b[column]
      }
    }
    return (determinant, rows.indices.map { b[$0] / a[$0][$0] })
  }

  @Test(arguments: [[0, 1, 2, 3], [1, 4], [5], []])
  func `The prediction is that of the observed rows alone`(observed: [Int]) {
    let mask = Tensor((0..<6).map { observed.contains($0) })
    // What is not observed must not be read.
    let seen = Self.y.indices.map { observed.contains($0) ? Self.y[$0] : .nan }
    let found = Self.process(.full([], Self.l, .float64)).prediction(from: constant(seen, [6]), where: mask)
    let density = values(found.negativeLogDensity(at: constant(Self.y, [6])))
    let (mean, variance) = (values(found.mean), values(found.variance))
    let alpha = Self.solve(observed, observed.map { Self.y[$0] }).solution
    for row in 0..<6 {
      let between = observed.map { Self.k(Self.x[row], Self.x[$0]) }
      let gain = Self.solve(observed, between).solution
      let m = zip(between, alpha).map(*).reduce(0, +)
      let v = 1 - zip(between, gain).map(*).reduce(0, +) + Self.noise
      // In float64 elimination of a matrix of condition 100 is good to 1e-13.
      #expect(abs(mean[row] - m) < 1e-11 && abs(variance[row] - v) < 1e-11, "row \(row)")
      let expected = 0.5 * ((Self.y[row] - m) * (Self.y[row] - m) / v + log(2 * Double.pi * v))
      #expect(abs(density[row] - expected) < 1e-10, "row \(row)")
    }
  }

  @Test(arguments: [1, 4, 6])
  func `Observing the first rows by a slice is observing them by a mask`(count: Int) {
    let mask = Tensor((0..<6).map { $0 < count })
    let (process, y) = (Self.process(.full([], Self.l, .float64)), constant(Self.y, [6]))
    let first = y.sliced(0..<count, along: 0)
    let (found, expected) = (process.prediction(fromFirst: first), process.prediction(from: y, where: mask))
    #expect(agree(values(found.mean), values(expected.mean), within: 1e-12))
    #expect(agree(values(found.variance), values(expected.variance), within: 1e-12))
    func own(_ l: Tensor) -> Tensor {
      GaussianProcess(
        squaredExponentialOf: constant(Array(Self.x.prefix(count)), [count, 1]), lengthScale: l,
        noise: Self.noise
      ).logMarginalLikelihood(of: first)
    }
    let masked = process.logMarginalLikelihood(of: y, where: mask)
    #expect(agree(values(own(.full([], Self.l, .float64))), values(masked), within: 1e-12))
    if count > 1 { #expect(gradientError([Self.l], []) { own($0) } < 1e-7) }
  }

  @Test(arguments: [[0, 1, 2, 3], [1, 4]])
  func `The marginal likelihood is that of the observed rows, with the gradient of l`(observed: [Int]) {
    let mask = Tensor((0..<6).map { observed.contains($0) })
    func likelihood(_ l: Tensor) -> Tensor {
      Self.process(l).logMarginalLikelihood(of: constant(Self.y, [6]), where: mask)
    }
    let y = observed.map { Self.y[$0] }
    let (determinant, alpha) = Self.solve(observed, y)
    let squares = zip(y, alpha).map(*).reduce(0, +)
    let expected = -0.5 * (squares + log(determinant) + Double(y.count) * log(2 * Double.pi))
    #expect(agree(values(likelihood(.full([], Self.l, .float64))), [expected], within: 1e-11))
    #expect(gradientError([Self.l], []) { likelihood($0) } < 1e-7)
  }

  @Test func `In float32 on the processor it is as close to float64 as rounding allows`() throws {
    let x = Tensor.uniform([4, 30, 1], key: RandomKey(seed: 4))
    let process = GaussianProcess(squaredExponentialOf: x, lengthScale: .full([], 0.2), noise: 1e-2)
    let y = process.sample(key: RandomKey(seed: 5))
    let isObserved = Tensor.range(30).map { $0 .< .constant(20, .int32) }
    let loss = process.prediction(from: y, where: isObserved).negativeLogDensity(at: y)
    let found = try TestDevice.cpu.run { try $0.values(of: [loss])[0].doubles() }
    // The condition is up to 20 / 0.01 = 2,000, so variances of 0.01 are off by up to 2,000 half-units of 1,
    // 1e-4, and so the quadratic term by 1e-2 of itself, where it is a few.
    #expect(agree(found, values(loss), within: 2e-2))
  }

  @Test func `Samples have the covariance and the noise`() throws {
    let count = 4000
    let process = GaussianProcess(
      squaredExponentialOf: Tensor([0, 0.2] as [Float], shape: [2, 1]).broadcast(to: [count, 2, 1]),
      lengthScale: .full([], 0.2), noise: 1)
    let y = try TestDevice.cpu.run {
      try $0.values(of: [process.sample(key: RandomKey(seed: 6))])[0].doubles()
    }
    let pairs = (0..<count).map { row -> (Double, Double) in (y[2 * row], y[2 * row + 1]) }
    let variance = pairs.map { $0.0 * $0.0 }.reduce(0, +) / Double(count)
    let covariance = pairs.map { $0.0 * $0.1 }.reduce(0, +) / Double(count)
    // The standard error of a variance of 2 is 2 sqrt(2 / 4,000), that of the covariance below 0.034: five of each.
    // Without the noise the variance would be 1.
    #expect(abs(variance - 2) < 0.23 && abs(covariance - exp(-0.5)) < 0.17)
  }

  /// -log of a normal density of precision [[2, 0.8], [0.8, 1]], whose covariance is [[1, -0.8], [-0.8, 2]] / 1.36.
  @Sendable private static func potential(_ q: Tensor) -> Tensor {
    let (a, b) = (q.element(0, along: 1), q.element(1, along: 1))
    return a.squared() + a * b * 0.8 + b.squared() * 0.5
  }

  @Test func `A Hamiltonian step is a leapfrog trajectory, or nothing where that is rejected`() throws {
    // Long steps, so that many are rejected: the stability limit is 2 / sqrt(2.44) = 1.28.
    let (count, stepSize) = (200, 1.2)
    let start = Tensor.normal([count, 2], key: RandomKey(seed: 3))
    let chains = HamiltonianMonteCarlo(
      from: start, stepSize: stepSize, leapfrogs: 3, potential: Self.potential)
    let key = RandomKey(seed: 4)
    let next = chains.next(key: Tensor(key))
    let momenta = Tensor.normal([count, 2], key: Tensor(key).folded(in: 0))
    let found = referenceValues(of: [next.position, next.isAccepted, start, momenta]).map { $0.doubles() }
    var accepted = 0
    for chain in 0..<count {
      var (q, p) = (Array(found[2][2 * chain..<2 * chain + 2]), Array(found[3][2 * chain..<2 * chain + 2]))
      func force() -> [Double] { [2 * q[0] + 0.8 * q[1], 0.8 * q[0] + q[1]] }
      for number in 0..<3 {
        if number == 0 { for axis in 0..<2 { p[axis] -= 0.5 * stepSize * force()[axis] } }
        q = [q[0] + stepSize * p[0], q[1] + stepSize * p[1]]
        let slope = force()
        for axis in 0..<2 { p[axis] -= (number == 2 ? 0.5 : 1) * stepSize * slope[axis] }
      }
      let moved = found[1][chain] != 0
      accepted += moved ? 1 : 0
      let wanted = moved ? q : Array(found[2][2 * chain..<2 * chain + 2])
      #expect(agree(Array(found[0][2 * chain..<2 * chain + 2]), wanted, within: 1e-12), "chain \(chain)")
    }
    #expect((count / 10..<count * 9 / 10).contains(accepted), "\(accepted) of \(count)")
  }

  @Test func `Hamiltonian chains sample a correlated normal distribution`() throws {
    // A step that rejects often: without the rejections second moments would be off by a factor of
    // 1 / (1 - 0.9^2 2.44 / 4) = 2 along the narrow axis.
    let chains = HamiltonianMonteCarlo(
      from: .zeros([2_000, 2]), stepSize: 0.9, leapfrogs: 3, potential: Self.potential)
    try TestDevice.cpu.run { executor in
      let step = try executor.compile(inputs: [Signature([2], .uint32)]) { key in
        let next = chains.next(key: key[0])
        return StepDescription(
          outputs: [next.position, next.isAccepted.converted(to: .float32).mean()],
          assignments: [chains.position.assigning(next.position)])
      }
      var moments = [0.0, 0, 0, 0, 0]
      var accepted = 0.0
      for number in 0..<60 {
        let result = try step.run([HostArray(RandomKey(seed: 8).folded(in: UInt64(number)))])
        guard number >= 20 else { continue }
        accepted += result[1].doubles()[0] / 40
        let q = result[0].doubles()
        for chain in 0..<2_000 {
          let (a, b) = (q[2 * chain], q[2 * chain + 1])
          for (place, value) in [a, b, a * a, a * b, b * b].enumerated() { moments[place] += value / 80_000 }
        }
      }
      let (first, second, both) = (1 / 1.36, 2 / 1.36, -0.8 / 1.36)
      // At least 2,000 independent chains: five standard errors of means, and of products x y, whose variance is
      // var(x) var(y) + cov(x, y)^2.
      let wanted = [0, 0, first, both, second]
      let variances = [first, second, 2 * first * first, first * second + both * both, 2 * second * second]
      for (place, (found, wanted)) in zip(moments, wanted).enumerated() {
        #expect(
          abs(found - wanted) < 5 * (variances[place] / 2_000).squareRoot(), "moment \(place): \(found)")
      }
      #expect(accepted > 0.5 && accepted < 0.95, "\(accepted)")
    }
  }
}
