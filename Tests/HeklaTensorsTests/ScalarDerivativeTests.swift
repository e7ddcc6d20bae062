import HeklaArrays
import Testing

@testable import HeklaTensors

@Suite struct ScalarDerivativeTests {
  /// Operations with a derivative that does not vanish.
  static let smooth = ScalarOperation.allCases.filter { $0.sampleDomain?.isSmooth == true }

  @Test(arguments: smooth)
  func `derivatives agree with central differences over the sampled domain`(_ operation: ScalarOperation)
    throws
  {
    let domain = try #require(operation.sampleDomain)
    let inputs = domain.operands.indices.map { Scalar.input($0, .float64) }
    check(.apply(operation, inputs), over: domain.operands)
  }

  @Test func `the derivative of a remainder is that of the truncated quotient`() {
    let remainder = Scalar.input(0, .float64) % .input(1, .float64)
    check(remainder, over: [-9.5...9.5, 1.3...4.1])
    check(remainder, over: [-9.5...9.5, (-4.1)...(-1.3)])
  }

  @Test func `a choice passes on the derivative of what is chosen`() {
    let x = Scalar.input(0, .float64)
    check(.select(x .< 0.5, x * x, .exp(x)), over: [-2...2])
  }

  @Test func `second derivatives agree too`() {
    let x = Scalar.input(0, .float64)
    for function in [
      Scalar.tanh(x), .exp(x * x), 1 / x, .log(x), .sqrt(x), .erf(x), .sigmoid(x), .power(x, 2.5),
    ] {
      check(function.derivative(withRespectTo: 0), over: [0.3...1.7])
    }
  }

  @Test func `nothing flows through comparisons, rounding and whole numbers`() {
    let x = Scalar.input(0, .float64)
    let flat: [Scalar] = [
      .floor(x), .ceil(x), .round(x), .sign(x), x.converted(to: .int32).converted(to: .float64),
      .select(x .< 1, 2, 3).converted(to: .float64), .input(1, .float64),
    ]
    for expression in flat { #expect(expression.derivative(withRespectTo: 0).constantValue == 0) }
    #expect((x .< 1).derivative(withRespectTo: 0).constantValue == 0)
  }

  @Test func `at a kink the derivative is that of one side`() {
    let (x, y) = (Scalar.input(0, .float64), Scalar.input(1, .float64))
    #expect(Scalar.absolute(x).derivative(withRespectTo: 0).evaluate(inputs: [0]) == 0)
    for extremum in [Scalar.minimum(x, y), .maximum(x, y)] {
      #expect(extremum.derivative(withRespectTo: 0).evaluate(inputs: [1, 1]) == 1)
      #expect(extremum.derivative(withRespectTo: 1).evaluate(inputs: [1, 1]) == 0)
    }
  }

  @Test func `powers have finite derivatives at 0 where mathematics has them`() {
    let x = Scalar.input(0, .float64)
    func slope(_ exponent: Double) -> Double {
      Scalar.power(x, .constant(exponent, .float64)).derivative(withRespectTo: 0).evaluate(inputs: [0])
    }
    #expect(slope(0) == 0)
    #expect(slope(1) == 1)
    #expect(slope(2) == 0)
    #expect(slope(3) == 0)
    let byExponent = Scalar.power(x, .input(1, .float64)).derivative(withRespectTo: 1)
    #expect(byExponent.evaluate(inputs: [0, 2]) == 0)
  }

  /// Compares each partial derivative with central differences at 50 random points.
  private func check(
    _ function: Scalar, over domain: [ClosedRange<Double>], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let key = RandomKey(seed: 1)
    for number in 0..<50 {
      let point = domain.enumerated().map { position, range in
        range.lowerBound
          + (range.upperBound - range.lowerBound) * Double(key.uniform(at: number * domain.count + position))
      }
      for position in domain.indices {
        let step = 1e-5
        func value(_ shift: Double) -> Double {
          var moved = point
          moved[position] += shift
          return function.evaluate(inputs: moved)
        }
        let difference = (value(step) - value(-step)) / (2 * step)
        let slope = function.derivative(withRespectTo: position).evaluate(inputs: point)
        // Truncation leaves step^2 / 6 = 2e-11 of the third derivative, at most some thousand times the first
        // here; rounding leaves 2^-53 / step = 1e-11 of the value.
        let scale = max(abs(slope), abs(value(0)), 1)
        #expect(abs(slope - difference) <= 1e-6 * scale, "at \(point)", sourceLocation: sourceLocation)
      }
    }
  }
}
