import HeklaArrays
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// Operations that are compositions, with their gradients, in one step on every device against the references.
@Suite struct CompositionTests {
  static func random(_ shape: Shape, in range: ClosedRange<Double> = -2...2, seed: UInt64) -> Tensor {
    var random = RandomNumbers(seed: seed)
    return Tensor((0..<shape.count).map { _ in Float(random.real(in: range)) }, shape: shape)
  }

  /// The operation's value and, where there is one, its gradient, as one row.
  static func withGradient(_ x: Tensor, _ operation: (Tensor) -> Tensor) -> Tensor {
    let y = operation(x)
    let weights = random(y.shape, seed: 5)
    let slope = gradients(of: (y * weights).sum(), withRespectTo: [x])[0]
    return .concatenating([y.reshaped(to: [-1]), slope.reshaped(to: [-1])], along: 0)
  }

  /// Results of whole numbers and truth values, which are equal, and of numbers of size 1 after some roundings.
  static func results() -> (exact: [(String, Tensor)], rounded: [(String, Tensor)]) {
    let x = random([6, 9], seed: 1)
    let coarse = x.rounded()
    let mask = random([6, 9], seed: 2) .> 0
    let zeros = x.map { .select($0 .> 0.5, $0, .select($0 .> -0.5, 0, $0)) }
    let knots = Tensor([-2, -1, 0, 0.5, 2] as [Float])
    let exact: [(String, Tensor)] = [
      ("mask of the largest", coarse.topKMask(4).converted(to: .int32)),
      ("mask of the smallest", coarse.topKMask(2, along: 0, smallest: true).converted(to: .int32)),
      ("ranks", (coarse.ranks(along: 0) * 2).converted(to: .int32)),
      ("different numbers", coarse.distinctCount()),
      ("lengths", Tensor.mask(lengths: Tensor([0, 3, 9] as [Int32]), extent: 8).converted(to: .int32)),
      ("zeros of a product's gradient", withGradient(zeros) { $0.product(along: 1) } .== 0),
    ]
    let rounded: [(String, Tensor)] = [
      ("product", withGradient(zeros) { $0.product(along: 1) }),
      ("cumulative logarithm", withGradient(x) { $0.cumulativeLogSumExp(along: 1) }),
      (
        "signed logarithm",
        withGradient(x) {
          $0.logSumExp(signs: Tensor([1, 1, 1, 1, -1, 1, 1, 1, 1] as [Float]), along: [1]).logarithm
        }
      ),
      ("masked softmax", withGradient(x) { $0.softmax(where: mask) }),
      ("masked mean", withGradient(x) { $0.mean(along: [0], where: mask) }),
      ("quantiles", withGradient(x) { $0.quantiles([0.1, 0.5, 1]) }),
      ("whole power", withGradient(x) { $0.power(3) }),
      ("chebyshev", withGradient(x * 0.4) { $0.chebyshevBasis(5) }),
      ("splines", withGradient(x) { $0.bSplineBasis(intervals: 4, in: -2...2) }),
      (
        "interpolation",
        withGradient(x.element(0, along: 0)) { x.sliced(0..<5, along: 0).interpolated(at: $0, knots: knots) }
      ),
    ]
    return (exact, rounded)
  }

  @Test(arguments: TestDevice.present)
  func `compositions and their gradients agree with the references`(device: TestDevice) throws {
    let (exact, rounded) = Self.results()
    let outputs = (exact + rounded).map(\.1)
    let wanted = referenceValues(of: outputs)
    try device.run { executor in
      let step = try executor.compile(StepDescription(outputs: outputs))
      let got = try step.run()
      #expect(try step.run() == got)
      for (index, (name, _)) in (exact + rounded).enumerated() {
        // Values and slopes of size up to 30 after at most some 20 roundings and, in the functions, what
        // `ScalarOperation.sampleDomain` allows: 24 units in the last place of exponentials.
        let limit = index < exact.count ? 0 : 1e-4
        let difference = disagreement(got[index], wanted[index], within: limit)
        #expect(difference == nil, "\(device.name) \(name): \(difference ?? "")")
      }
    }
  }
}
