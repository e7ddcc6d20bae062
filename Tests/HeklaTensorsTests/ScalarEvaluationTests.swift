import Foundation
import HeklaArrays
import Testing

@testable import HeklaTensors

@Suite struct ScalarEvaluationTests {
  /// What an operation gives on some operands.
  struct Case: CustomTestStringConvertible, Sendable {
    var operation: ScalarOperation
    var operands: [Double]
    var expected: Double
    var type = ElementType.float64
    var result: ElementType?

    var testDescription: String { "\(operation.rawValue)\(operands) of \(type)" }
  }

  private static let real: [Case] = [
    Case(operation: .add, operands: [2, 3], expected: 5),
    Case(operation: .subtract, operands: [2, 3], expected: -1),
    Case(operation: .multiply, operands: [2, 3], expected: 6),
    Case(operation: .divide, operands: [3, 2], expected: 1.5),
    Case(operation: .divide, operands: [1, -0.0], expected: -.infinity),
    Case(operation: .remainder, operands: [-7, 3], expected: -1),
    Case(operation: .remainder, operands: [7, -3], expected: 1),
    Case(operation: .minimum, operands: [2, 3], expected: 2),
    Case(operation: .minimum, operands: [.nan, 3], expected: .nan),
    Case(operation: .minimum, operands: [3, .nan], expected: .nan),
    Case(operation: .maximum, operands: [2, 3], expected: 3),
    Case(operation: .maximum, operands: [.nan, 3], expected: .nan),
    Case(operation: .maximum, operands: [3, .nan], expected: .nan),
    Case(operation: .power, operands: [2, 0.5], expected: 2.0.squareRoot()),
    Case(operation: .power, operands: [-2, 3], expected: -8),
    Case(operation: .atan2, operands: [1, -1], expected: 0.75 * .pi),
    Case(operation: .negate, operands: [0], expected: -0.0),
    Case(operation: .absolute, operands: [-2.5], expected: 2.5),
    Case(operation: .sign, operands: [-2.5], expected: -1),
    Case(operation: .sign, operands: [0], expected: 0),
    Case(operation: .sign, operands: [.nan], expected: .nan),
    Case(operation: .exp, operands: [1], expected: M_E),
    Case(operation: .expm1, operands: [1e-20], expected: 1e-20),
    Case(operation: .log, operands: [M_E], expected: 1),
    Case(operation: .log, operands: [0], expected: -.infinity),
    Case(operation: .log1p, operands: [1e-20], expected: 1e-20),
    Case(operation: .sqrt, operands: [2.25], expected: 1.5),
    Case(operation: .sqrt, operands: [-1], expected: .nan),
    Case(operation: .reciprocalSquareRoot, operands: [4], expected: 0.5),
    Case(operation: .sin, operands: [.pi / 6], expected: 0.5),
    Case(operation: .cos, operands: [.pi / 3], expected: 0.5),
    Case(operation: .tan, operands: [.pi / 4], expected: 1),
    Case(operation: .tanh, operands: [0.5], expected: 0.462_117_157_260_009_8),
    Case(operation: .asin, operands: [0.5], expected: .pi / 6),
    Case(operation: .acos, operands: [0.5], expected: .pi / 3),
    Case(operation: .atan, operands: [1], expected: .pi / 4),
    Case(operation: .sinh, operands: [1], expected: 1.175_201_193_643_801_4),
    Case(operation: .cosh, operands: [1], expected: 1.543_080_634_815_243_7),
    Case(operation: .erf, operands: [1], expected: 0.842_700_792_949_714_9),
    Case(operation: .floor, operands: [-1.5], expected: -2),
    Case(operation: .ceil, operands: [-1.5], expected: -1),
    Case(operation: .round, operands: [2.5], expected: 2),
    Case(operation: .round, operands: [-3.5], expected: -4),
    Case(operation: .less, operands: [1, 2], expected: 1, result: .bool),
    Case(operation: .less, operands: [.nan, 2], expected: 0, result: .bool),
    Case(operation: .lessOrEqual, operands: [2, 2], expected: 1, result: .bool),
    Case(operation: .equal, operands: [.nan, .nan], expected: 0, result: .bool),
    Case(operation: .equal, operands: [0, -0.0], expected: 1, result: .bool),
    Case(operation: .notEqual, operands: [.nan, .nan], expected: 1, result: .bool),
    Case(operation: .isNaN, operands: [.nan], expected: 1, result: .bool),
    Case(operation: .isNaN, operands: [.infinity], expected: 0, result: .bool),
  ]

  private static let whole: [Case] = [
    Case(operation: .add, operands: [2_147_483_647, 1], expected: -2_147_483_648, type: .int32),
    Case(operation: .add, operands: [4_294_967_295, 1], expected: 0, type: .uint32),
    Case(operation: .subtract, operands: [0, 1], expected: 4_294_967_295, type: .uint32),
    Case(operation: .multiply, operands: [65_536, 65_537], expected: 65_536, type: .uint32),
    Case(operation: .divide, operands: [-7, 2], expected: -3, type: .int32),
    Case(operation: .divide, operands: [-2_147_483_648, -1], expected: -2_147_483_648, type: .int32),
    Case(operation: .remainder, operands: [-7, 2], expected: -1, type: .int32),
    Case(operation: .minimum, operands: [-7, 2], expected: -7, type: .int32),
    Case(operation: .maximum, operands: [-7, 2], expected: 2, type: .int32),
    Case(operation: .negate, operands: [1], expected: 4_294_967_295, type: .uint32),
    Case(operation: .absolute, operands: [-7], expected: 7, type: .int32),
    Case(operation: .sign, operands: [-7], expected: -1, type: .int32),
    Case(operation: .bitAnd, operands: [12, 10], expected: 8, type: .uint32),
    Case(operation: .bitOr, operands: [12, 10], expected: 14, type: .uint32),
    Case(operation: .bitXor, operands: [12, 10], expected: 6, type: .uint32),
    Case(operation: .shiftLeft, operands: [0x8000_0001, 1], expected: 2, type: .uint32),
    Case(operation: .shiftRight, operands: [-8, 1], expected: -4, type: .int32),
    Case(operation: .shiftRight, operands: [0x8000_0000, 31], expected: 1, type: .uint32),
    Case(operation: .less, operands: [-1, 0], expected: 1, type: .int32, result: .bool),
    Case(operation: .and, operands: [1, 0], expected: 0, type: .bool),
    Case(operation: .or, operands: [1, 0], expected: 1, type: .bool),
    Case(operation: .not, operands: [0], expected: 1, type: .bool),
    Case(operation: .add, operands: [9.3e18, 1], expected: -0x1p63, type: .int64),
  ]

  private static let others: [Case] = [
    Case(operation: .select, operands: [1, 5, 7], expected: 5),
    Case(operation: .select, operands: [0, 5, 7], expected: 7),
    Case(operation: .convert, operands: [-2.7], expected: -2, result: .int32),
    Case(operation: .convert, operands: [1e30], expected: 2_147_483_647, result: .int32),
    Case(operation: .convert, operands: [.nan], expected: 0, result: .int32),
    Case(operation: .convert, operands: [0.25], expected: 1, result: .bool),
    Case(operation: .convert, operands: [0.1], expected: Double(Float(0.1)), result: .float32),
    // Between integers the low bits stay.
    Case(operation: .convert, operands: [-1], expected: 4_294_967_295, type: .int32, result: .uint32),
    Case(operation: .convert, operands: [4_294_967_295], expected: -1, type: .uint32, result: .int32),
    Case(operation: .convert, operands: [1], expected: 1, type: .bool, result: .float32),
    Case(operation: .bitcast, operands: [1], expected: 0x3F80_0000, type: .float32, result: .uint32),
    Case(operation: .bitcast, operands: [0x3F80_0000], expected: 1, type: .int32, result: .float32),
    // The first of Random123's known answers.
    Case(operation: .threefryFirst, operands: [0, 0, 0, 0], expected: 0x6b20_0159, type: .uint32),
    Case(operation: .threefrySecond, operands: [0, 0, 0, 0], expected: 0x99ba_4efe, type: .uint32),
  ]

  static let cases = real + whole + others

  @Test(arguments: cases)
  func `an operation has its mathematical value`(_ example: Case) {
    let value = example.operation.evaluate(
      example.operands, type: example.type, result: example.result ?? example.type)
    if example.expected.isNaN {
      #expect(value.isNaN)
    } else if example.expected == 0 || !example.expected.isFinite {
      #expect(value == example.expected && value.sign == example.expected.sign)
    } else {
      // Two roundings: that of the library's function, and that of the argument.
      #expect(abs(value / example.expected - 1) <= 4 * .ulpOfOne)
    }
  }

  @Test func `every operation is among the cases`() {
    let known = Set(Self.cases.map(\.operation))
    #expect(ScalarOperation.allCases.filter { !known.contains($0) } == [])
  }

  @Test func `an expression evaluates its inputs, coordinates and constants`() {
    let x = Scalar.input(0, .float64)
    let y = Scalar.input(1, .float64)
    let position = Scalar.coordinate(1).converted(to: .float64)
    let expression = Scalar.exp(x - x) * (x + 2 * y) + position
    #expect(expression.evaluate(inputs: [3, 4], coordinates: [7, 5]) == 16)
  }

  @Test func `a subexpression that is shared is evaluated once`() {
    var x = Scalar.input(0, .float64)
    for _ in 0..<200 { x = x + x }
    #expect(x.evaluate(inputs: [1]) == 0x1p200)
    #expect(x.cost == 200)
    #expect(x.derivative(withRespectTo: 0).evaluate(inputs: [1]) == 0x1p200)
  }
}
