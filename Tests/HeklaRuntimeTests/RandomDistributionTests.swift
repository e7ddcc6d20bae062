import Foundation
import HeklaArrays
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// Random numbers of the devices: their moments and distribution functions on the cpu, and that others agree.
@Suite struct RandomDistributionTests {
  /// How far devices may differ.
  enum Agreement: Sendable {
    /// Not at all: the arithmetic is of whole numbers, or exact.
    case bits
    /// The probability of a smaller number by this much.
    case probability(Double)
    /// The same for almost all; a rounding may decide which proposal is taken.
    case almostAll(Double)
  }

  /// One distribution with its exact moments and distribution function.
  struct Distribution: Sendable, CustomTestStringConvertible {
    let name: String
    let mean: Double
    let variance: Double
    var isDiscrete = false
    let agreement: Agreement
    let draw: @Sendable (Shape, RandomKey) -> Tensor
    let cdf: @Sendable (Double) -> Double

    var testDescription: String { name }
  }

  // Vulkan allows an absolute error of 2^-11 in a cosine and of 2^-21 in a logarithm near 1 ("Precision and operation
  // of SPIR-V instructions"). The former is multiplied with a radius of at most 5.8 and a density of at most 0.4, and
  // falls in the tail; the latter is the error of a probability itself, here with some roundings beside it. Numbers by
  // rejection are monotone in normal ones, and some are made of two.
  static let byLogarithm = Agreement.probability(4e-6)
  static let byCosine = Agreement.probability(0x1p-11 * 5.8 * 0.4)
  static let byRejection = Agreement.almostAll(0x1p-11 * 5.8 * 0.4 * 2)

  static let distributions: [Distribution] = continuous + truncated + byGamma + discrete

  static let continuous: [Distribution] = [
    Distribution(
      name: "uniform", mean: 0.5, variance: 1.0 / 12, agreement: .bits,
      draw: { .uniform($0, key: $1) }, cdf: { $0 }),
    Distribution(
      name: "normal", mean: 0, variance: 1, agreement: byCosine, draw: { .normal($0, key: $1) },
      cdf: normalDistribution),
    Distribution(
      name: "exponential", mean: 0.5, variance: 0.25, agreement: byLogarithm,
      draw: { .exponential($0, key: $1, rate: 2) }, cdf: { 1 - exp(-2 * $0) }),
    Distribution(
      name: "laplace", mean: 1, variance: 0.5, agreement: byLogarithm,
      draw: { .laplace($0, key: $1, mean: 1, scale: 0.5) },
      cdf: { $0 < 1 ? exp(2 * ($0 - 1)) / 2 : 1 - exp(-2 * ($0 - 1)) / 2 }),
    Distribution(
      name: "gumbel", mean: 0.577_215_664_901_532_9, variance: .pi * .pi / 6, agreement: byLogarithm,
      draw: { .gumbel($0, key: $1) }, cdf: { exp(-exp(-$0)) }),
    Distribution(
      name: "logistic", mean: -1, variance: 4 * .pi * .pi / 3, agreement: byLogarithm,
      draw: { .logistic($0, key: $1, mean: -1, scale: 2) }, cdf: { 1 / (1 + exp(-($0 + 1) / 2)) }),
  ]

  static let truncated: [Distribution] = {
    let (low, high) = (-1.0, 2.5)
    func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
    let mass = normalDistribution(high) - normalDistribution(low)
    let mean = (density(low) - density(high)) / mass
    let variance = 1 + (low * density(low) - high * density(high)) / mass - mean * mean
    return [
      Distribution(
        name: "truncated normal", mean: mean, variance: variance, agreement: byLogarithm,
        draw: { .truncatedNormal($0, key: $1, range: low...high) },
        cdf: { (normalDistribution($0) - normalDistribution(low)) / mass })
    ]
  }()

  static let byGamma: [Distribution] = [
    Distribution(
      name: "gamma 0.4", mean: 0.4, variance: 0.4, agreement: byRejection,
      draw: { .gamma(.full($0, 0.4), key: $1) }, cdf: { incompleteGamma(0.4, $0) }),
    Distribution(
      name: "gamma 5", mean: 5, variance: 5, agreement: byRejection,
      draw: { .gamma(.full($0, 5), key: $1) }, cdf: { incompleteGamma(5, $0) }),
    Distribution(
      name: "beta", mean: 0.4, variance: 0.04, agreement: byRejection,
      draw: { .beta(.full($0, 2), .full($0, 3), key: $1) }, cdf: { $0 * $0 * (6 - 8 * $0 + 3 * $0 * $0) }),
    // One share of three with unit concentrations is Beta(1, 2).
    Distribution(
      name: "dirichlet", mean: 1.0 / 3, variance: 1.0 / 18, agreement: byRejection,
      draw: { .dirichlet(.full(Shape($0.extents + [3]), 1), key: $1).element(1, along: -1) },
      cdf: { 1 - (1 - $0) * (1 - $0) }),
    Distribution(
      name: "Student's t", mean: 0, variance: 1.2, agreement: byRejection,
      draw: { .studentT(degreesOfFreedom: .full($0, 12), key: $1) }, cdf: { studentT($0, 12) }),
  ]

  static let discrete: [Distribution] = [
    Distribution(
      name: "poisson 6", mean: 6, variance: 6, isDiscrete: true, agreement: byRejection,
      draw: { .poisson(.full($0, 6), key: $1) }, cdf: { 1 - incompleteGamma($0 + 1, 6) }),
    Distribution(
      name: "poisson 300", mean: 300, variance: 300, isDiscrete: true, agreement: byRejection,
      draw: { .poisson(.full($0, 300), key: $1) }, cdf: { 1 - incompleteGamma($0 + 1, 300) }),
    Distribution(
      name: "bernoulli", mean: 0.3, variance: 0.21, isDiscrete: true, agreement: .bits,
      draw: { .bernoulli($0, key: $1, probability: 0.3) }, cdf: { $0 < 1 ? 0.7 : 1 }),
    Distribution(
      name: "categorical", mean: 1.4, variance: 1.24, isDiscrete: true, agreement: byRejection,
      draw: { shape, key in
        let logits = Tensor([log(0.2), log(0.5), -.infinity, log(0.3)].map(Float.init))
        return .categorical(logits: logits.broadcast(to: Shape(shape.extents + [4])), key: key)
      }, cdf: { (0...3).contains($0) ? [0.2, 0.7, 0.7, 1][Int($0)] : .nan }),
  ]

  /// Student's distribution function for an even number of degrees of freedom. Source: Abramowitz & Stegun 1964,
  /// 26.7.4.
  static func studentT(_ t: Double, _ degrees: Int) -> Double {
    let cosine = 1 / (1 + t * t / Double(degrees))
    var (term, sum) = (1.0, 0.0)
    for j in 0..<(degrees / 2) {
      sum += term
      term *= cosine * Double(2 * j + 1) / Double(2 * j + 2)
    }
    return 0.5 + 0.5 * t / (Double(degrees) + t * t).squareRoot() * sum
  }

  @Test(arguments: distributions.indices)
  func `moments and the distribution function are right`(index: Int) throws {
    let distribution = Self.distributions[index]
    let count = 20_000
    let tensor = distribution.draw([count], RandomKey(seed: 100 + UInt64(index)))
    let values = try tensor.values(on: TestDevice.cpu.executor()).doubles()
    let n = Double(count)
    let mean = values.reduce(0, +) / n
    // Four and a half standard errors: exceeded by chance once in 150,000 keys.
    #expect(abs(mean - distribution.mean) < 4.5 * (distribution.variance / n).squareRoot())
    let squares = values.map { ($0 - distribution.mean) * ($0 - distribution.mean) }
    let variance = squares.reduce(0, +) / n
    let spread = squares.reduce(0) { $0 + ($1 - variance) * ($1 - variance) } / n
    #expect(abs(variance - distribution.variance) < 4.5 * (spread / n).squareRoot())
    #expect(
      kolmogorovDistance(values, isDiscrete: distribution.isDiscrete, from: distribution.cdf) < 1.95,
      "\(distribution.name)")
  }

  @Test(arguments: TestDevice.shading)
  func `other devices draw the same numbers`(device: TestDevice) throws {
    let count = 2000
    let outputs = Self.distributions.enumerated().map { index, distribution in
      distribution.draw([count], RandomKey(seed: 200 + UInt64(index)))
    }
    let wanted = try TestDevice.cpu.executor().values(of: outputs)
    try device.run { executor in
      let got = try executor.values(of: outputs)
      for (distribution, (got, wanted)) in zip(Self.distributions, zip(got, wanted)) {
        let label = "\(device.name) \(distribution.name)"
        let differences = zip(got.doubles(), wanted.doubles()).map { got, wanted in
          got == wanted ? 0 : abs(distribution.cdf(got) - distribution.cdf(wanted))
        }
        #expect(!differences.contains { $0.isNaN }, "\(label)")
        switch distribution.agreement {
        case .bits: #expect(got == wanted, "\(label)")
        case .probability(let limit): #expect(differences.max() ?? 0 <= limit, "\(label)")
        case .almostAll(let limit):
          // Proposals close to the border of acceptance: its rounding, 2^-11 of a normal number, decides about one in
          // two thousand otherwise.
          #expect(differences.count { $0 > limit } <= 1 + count / 400, "\(label)")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `permutations and numbers of folded keys are the same everywhere`(device: TestDevice) throws {
    try device.run { executor in
      let key = RandomKey(seed: 9)
      let count = 5000
      let got = try executor.values(of: [
        .permutation(count, key: key), .uniform([count], key: Tensor(key).folded(in: .full([], 7, .int32))),
      ])
      let order = got[0].elements(as: Int32.self)
      #expect(order.sorted() == (0..<Int32(count)).map { $0 })
      let uniform = (0..<count).map { key.uniform(at: $0) }
      // Equal bits keep their order.
      #expect(order == (0..<count).sorted { (uniform[$0], $0) < (uniform[$1], $1) }.map(Int32.init))
      // Spearman's correlation with the identity has standard deviation 1 / sqrt(n - 1).
      let middle = Double(count - 1) / 2
      let product = order.enumerated().reduce(0.0) {
        $0 + (Double($1.offset) - middle) * (Double($1.element) - middle)
      }
      let square = (0..<count).reduce(0.0) { $0 + (Double($1) - middle) * (Double($1) - middle) }
      #expect(abs(product / square) < 4.5 / Double(count - 1).squareRoot())
      let folded = key.folded(in: 7)
      #expect(got[1].elements(as: Float.self) == (0..<count).map { folded.uniform(at: $0) })
    }
  }
}
