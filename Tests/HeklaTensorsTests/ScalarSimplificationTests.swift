import HeklaArrays
import Testing

@testable import HeklaTensors

@Suite struct ScalarSimplificationTests {
  private static let specials: [Double] = [
    0, -0.0, 1, -1, 2, 0.5, -3.75, .infinity, -.infinity, .nan, 1e300, .leastNonzeroMagnitude,
  ]

  @Test(arguments: ScalarOperation.allCases.filter { $0.arity == 2 && $0.sampleDomain?.type == .float32 })
  func `a constant operand changes no value, not even NaN or the sign of 0`(_ operation: ScalarOperation) {
    let x = Scalar.input(0, .float64)
    for number in Self.specials {
      let constant = Scalar.constant(number, .float64)
      let left = Scalar.apply(operation, [constant, x])
      let right = Scalar.apply(operation, [x, constant])
      for value in Self.specials {
        let wantedLeft = operation.evaluate([number, value], type: .float64, result: .float64)
        let wantedRight = operation.evaluate([value, number], type: .float64, result: .float64)
        #expect(
          isSame(left.evaluate(inputs: [value]), wantedLeft), "\(operation.rawValue)(\(number), \(value))")
        #expect(
          isSame(right.evaluate(inputs: [value]), wantedRight), "\(operation.rawValue)(\(value), \(number))")
      }
    }
  }

  @Test func `what changes nothing is left out`() {
    let x = Scalar.input(0)
    for expression in [x * 1, 1 * x, x / 1, x - 0, -(-x), .power(x, 1), x.converted(to: .float32)] {
      #expect(expression.identity == x.identity)
    }
    #expect(Scalar.select(.constant(1, .bool), x, 2).identity == x.identity)
    #expect(Scalar.select(.input(1, .bool), x, x).identity == x.identity)
    let n = Scalar.input(0, .int32)
    #expect((n + 0).identity == n.identity && (0 + n).identity == n.identity)
    #expect(Scalar.power(x, 2).description == (x * x).description)
  }

  @Test func `what could change a value stays`() {
    let x = Scalar.input(0)
    // -0 + 0 is 0, NaN * 0 is NaN, and x - (-0) is x + 0.
    for expression in [x + 0, x * 0, x - -0.0, 0 / x, x / x, x - x, -(x - 1)] {
      #expect(expression.identity != x.identity && expression.constantValue == nil)
    }
  }

  @Test func `constants fold in the precision of their type`() {
    let third = Scalar.constant(1, .float32) / .constant(3, .float32)
    #expect(third.constantValue == Double(Float(1) / 3))
    let wide = Scalar.constant(1, .float64) / .constant(3, .float64)
    #expect(wide.constantValue == 1.0 / 3)
    let wrapped = Scalar.constant(4_294_967_295, .uint32) + .constant(2, .uint32)
    #expect(wrapped.constantValue == 1)
  }

  @Test func `literals take the type of what they meet, also after they were combined`() {
    let x = Scalar.input(0, .float64)
    #expect((x * 0.1).type == .float64)
    #expect((x * 0.1).evaluate(inputs: [1]) == 0.1)
    let third: Scalar = 1 / 3
    #expect((third * x).type == .float64)
    #expect((third * x).evaluate(inputs: [1]) == 1.0 / 3)
    #expect((Scalar.input(0, .int32) + 3).type == .int32)
    #expect(Scalar(2).type == .float32)
  }

  @Test func `a literal with a fraction stops the program where a whole number is needed`() async {
    await #expect(processExitsWith: .failure) { _ = Scalar.input(0, .int32) * 0.5 }
  }

  @Test func `operands of different types stop the program`() async {
    await #expect(processExitsWith: .failure) { _ = Scalar.input(0, .int32) + .input(1, .float32) }
  }

  @Test func `equal text means equal expressions, and tells types apart`() {
    func build(_ type: ElementType) -> Scalar {
      let x = Scalar.input(0, type)
      return x * x + Scalar.input(1, type)
    }
    #expect(build(.float32).description == build(.float32).description)
    #expect(build(.float32).description != build(.float64).description)
    #expect(
      build(.float32).description == "x0:float32; multiply(0, 0):float32; x1:float32; add(1, 2):float32")
  }

  @Test func `substitution replaces inputs and simplifies again`() {
    let x = Scalar.input(0)
    let y = Scalar.input(1)
    let product = (x * y + 2).substituting(inputs: [.constant(1), y])
    #expect(product.description == (y + 2).description)
  }

  private func isSame(_ left: Double, _ right: Double) -> Bool {
    left.isNaN ? right.isNaN : left == right && left.sign == right.sign
  }
}
