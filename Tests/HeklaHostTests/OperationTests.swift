import Foundation
import HeklaArrays
import HeklaDevices
import TestSupport
import Testing

@testable import HeklaHost

/// Every operation against the reference, which computes in float64.
@Suite struct OperationTests {
  /// What a unary float operation is tested with: its range of interest, and the error allowed.
  struct RealCase: Sendable {
    var operation: ScalarOperation
    var range: ClosedRange<Double>
    /// In units in the last place of float. One rounding gives 0.5; the polynomials, evaluated in float with a
    /// few roundings near the end, give up to 2; quotients and compositions of two such results up to 4.
    var bound: Double
  }

  static let realCases = [
    RealCase(operation: .negate, range: -100...100, bound: 0),
    RealCase(operation: .absolute, range: -100...100, bound: 0),
    RealCase(operation: .sign, range: -2...2, bound: 0),
    RealCase(operation: .floor, range: -1000...1000, bound: 0),
    RealCase(operation: .ceil, range: -1000...1000, bound: 0),
    RealCase(operation: .round, range: -1000...1000, bound: 0),
    RealCase(operation: .sqrt, range: 0...1e30, bound: 0.5),
    RealCase(operation: .reciprocalSquareRoot, range: 1e-30...1e30, bound: 1.5),
    RealCase(operation: .exp, range: -105...89, bound: 2),
    RealCase(operation: .expm1, range: -20...89, bound: 3),
    RealCase(operation: .log, range: 1e-40...1e38, bound: 2),
    RealCase(operation: .log, range: 0.5...2, bound: 2),
    RealCase(operation: .log1p, range: -0.999...1e10, bound: 3),
    RealCase(operation: .log1p, range: -0.5...0.5, bound: 3),
    RealCase(operation: .sin, range: -1000...1000, bound: 2),
    RealCase(operation: .cos, range: -1000...1000, bound: 2),
    RealCase(operation: .tan, range: -1000...1000, bound: 4),
    RealCase(operation: .sin, range: -3e38...3e38, bound: 2),
    RealCase(operation: .cos, range: -1e6...3e6, bound: 2),
    RealCase(operation: .tanh, range: -12...12, bound: 3),
    RealCase(operation: .asin, range: -1...1, bound: 3),
    RealCase(operation: .acos, range: -1...1, bound: 3),
    RealCase(operation: .atan, range: -50...50, bound: 3),
    RealCase(operation: .sinh, range: -89...89, bound: 4),
    RealCase(operation: .cosh, range: -89...89, bound: 4),
    RealCase(operation: .erf, range: -5...5, bound: 3),
  ]

  static let specials: [Float] = [
    0, -0.0, 1, -1, 0.5, -0.5, 2, .infinity, -.infinity, .nan, .leastNonzeroMagnitude,
    -.leastNonzeroMagnitude,
    .leastNormalMagnitude, 1e-30, -1e-30, 1e-8, -1e-8, 1e-4, 0.62, 0.63, 100, -100, 88.7, 88.8, -87.4, -103.9,
    -104.1, 1e10,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0.70710678, 0.9999999, 1.0000001, 1.5707963,
    3.1415927,
    1_048_575.9, 1_048_577, 2.5, 3.5, -2.5, 0.49999997, 8_388_607.5, 8_388_609, 16_777_216,
  ]

  /// Half of the numbers spread evenly over the range, half over its magnitudes down to tiny ones.
  static func samples(_ range: ClosedRange<Double>, count: Int, seed: UInt64) -> [Float] {
    var generator = Generator(seed: seed)
    return (0..<count).map { index in
      if index % 2 == 0 { return Float(Double.random(in: range, using: &generator)) }
      let largest = max(abs(range.lowerBound), abs(range.upperBound))
      let magnitude = largest * pow(10, Double.random(in: -12...0, using: &generator))
      let signed = Bool.random(using: &generator) ? magnitude : -magnitude
      return Float(min(max(signed, range.lowerBound), range.upperBound))
    }
  }

  /// The distance of `actual` from `expected` in units in the last place of the float nearest to `expected`.
  static func error(_ actual: Float, _ expected: Double) -> Double {
    let rounded = Float(expected)
    if rounded.isNaN || actual.isNaN { return rounded.isNaN && actual.isNaN ? 0 : .infinity }
    if rounded.isInfinite || actual.isInfinite {
      // A result next to the largest number may round either way.
      if rounded == actual { return 0 }
      return abs(Double(actual) - expected) < 4 * Double(Float.greatestFiniteMagnitude.ulp) ? 4 : .infinity
    }
    let unit = max(Double(rounded.ulp), Double(Float.leastNonzeroMagnitude))
    return abs(Double(actual) - expected) / unit
  }

  static let levels: [BlockLibrary] = [0, 1, 2].compactMap { BlockLibrary(level: .init(rawValue: $0)) }

  @Test("Functions of a float are within their error bounds at every vector level", arguments: realCases)
  func realFunctions(_ test: RealCase) throws {
    let values = Self.samples(test.range, count: 20_000, seed: 7) + Self.specials
    let loop = loop(test.operation, inputs: [.float32], result: .float32, count: values.count)
    let input = HostArray(values)
    for library in Self.levels {
      let output = try run(loop, on: [input, HostArray(zeros: [values.count])], library: library)[1]
      var worst = (error: 0.0, at: Float(0), got: Float(0))
      for (value, result) in zip(values, output.elements(as: Float.self)) {
        let expected = TestSupport.apply(test.operation, [ReferenceValue(Double(value), .float32)], .float32)
          .real
        let error = Self.error(result, expected)
        if error > worst.error { worst = (error, value, result) }
      }
      #expect(
        worst.error <= max(test.bound, 0),
        "\(library.name) \(test.operation.rawValue)(\(worst.at)) = \(worst.got): \(worst.error) units off")
    }
  }

  @Test("Odd functions keep the sign of zero and denormal numbers")
  func signOfZero() throws {
    let operations: [ScalarOperation] = [.expm1, .log1p, .sin, .tan, .tanh, .asin, .atan, .sinh, .erf]
    for operation in operations {
      let values: [Float] = [0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude]
      let loop = loop(operation, inputs: [.float32], result: .float32, count: 4)
      let output = try run(loop, on: [HostArray(values), HostArray(zeros: [4])])[1].elements(as: Float.self)
      for (value, result) in zip(values, output) {
        #expect(
          result.sign == value.sign && (value == 0) == (result == 0),
          "\(operation.rawValue)(\(value)) = \(result)")
      }
    }
  }

  @Test("Power agrees with the reference on numbers and special values")
  func power() throws {
    var pairs: [(Float, Float)] = []
    for a in Self.specials { for b in Self.specials { pairs.append((a, b)) } }
    let bases = Self.samples(0...50, count: 10_000, seed: 1)
    let exponents = Self.samples(-20...20, count: 10_000, seed: 2)
    pairs += zip(bases, exponents)
    pairs += (0..<1_000).map { (-Float($0) / 10, Float($0 % 21 - 10)) }
    try check(.power, pairs, bound: 1)  // Double inside; one rounding at the end, and 2^-35 of the exponent.
  }

  @Test("The angle of a point agrees with the reference in every quadrant")
  func atan2() throws {
    var pairs: [(Float, Float)] = []
    for a in Self.specials { for b in Self.specials { pairs.append((a, b)) } }
    pairs += zip(Self.samples(-9...9, count: 10_000, seed: 3), Self.samples(-9...9, count: 10_000, seed: 4))
    try check(.atan2, pairs, bound: 4)
  }

  @Test(
    "Arithmetic on floats is correctly rounded",
    arguments: [ScalarOperation.add, .subtract, .multiply, .divide, .remainder, .minimum, .maximum])
  func arithmetic(_ operation: ScalarOperation) throws {
    var pairs: [(Float, Float)] = []
    for a in Self.specials { for b in Self.specials { pairs.append((a, b)) } }
    pairs += zip(Self.samples(-9...9, count: 5_000, seed: 5), Self.samples(-9...9, count: 5_000, seed: 6))
    // A float64 result rounds again to float: at most half a unit from the exact one.
    try check(operation, pairs, bound: 0.5)
  }

  private func check(_ operation: ScalarOperation, _ pairs: [(Float, Float)], bound: Double) throws {
    let loop = loop(operation, inputs: [.float32, .float32], result: .float32, count: pairs.count)
    for library in Self.levels {
      let output = try run(
        loop, on: [HostArray(pairs.map(\.0)), HostArray(pairs.map(\.1)), HostArray(zeros: [pairs.count])],
        library: library)[2].elements(as: Float.self)
      for (pair, result) in zip(pairs, output) {
        let expected = TestSupport.apply(
          operation, [ReferenceValue(Double(pair.0), .float32), ReferenceValue(Double(pair.1), .float32)],
          .float32
        ).real
        let error = Self.error(result, expected)
        // 0.5001: the reference itself is rounded to float64.
        #expect(
          error <= bound + 1e-4,
          "\(library.name) \(operation.rawValue)(\(pair.0), \(pair.1)) = \(result), not \(expected)")
        if error > bound + 1e-4 { return }
      }
    }
  }

  @Test("Every operation on every other type agrees with the reference")
  func otherTypes() throws {
    let arithmetic: [ScalarOperation] = [.add, .subtract, .multiply, .divide, .remainder, .minimum, .maximum]
    let unary: [ScalarOperation] = [.negate, .absolute, .sign]
    let bits: [ScalarOperation] = [.bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight]
    let comparisons: [ScalarOperation] = [.less, .lessOrEqual, .equal, .notEqual]
    for type in [ElementType.int32, .uint32, .int64, .float64] {
      for operation in arithmetic { try compare(operation, [type, type], type) }
      for operation in unary { try compare(operation, [type], type) }
      for operation in comparisons { try compare(operation, [type, type], .bool) }
      if type != .float64 { for operation in bits { try compare(operation, [type, type], type) } }
      try compare(.select, [.bool, type, type], type)
    }
    for operation in comparisons { try compare(operation, [.float32, .float32], .bool) }
    for type in [ElementType.float32, .float64] { try compare(.isNaN, [type], .bool) }
    try compare(.select, [.bool, .float32, .float32], .float32)
    for operation in [ScalarOperation.and, .or, .equal, .notEqual] {
      try compare(operation, [.bool, .bool], .bool)
    }
    try compare(.not, [.bool], .bool)
    try compare(.select, [.bool, .bool, .bool], .bool)
    let functions: [ScalarOperation] = [
      .exp, .expm1, .log, .log1p, .sqrt, .reciprocalSquareRoot, .sin, .cos, .tan, .tanh, .asin, .acos, .atan,
      .sinh,
      .cosh, .erf, .floor, .ceil, .round,
    ]
    for operation in functions { try compare(operation, [.float64], .float64) }
    for operation in [ScalarOperation.power, .atan2] {
      try compare(operation, [.float64, .float64], .float64)
    }
  }

  @Test("Every conversion between memory types agrees with the reference")
  func conversions() throws {
    for from in ElementType.allCases {
      for to in ElementType.allCases { try compare(.convert, [from], to, output: to) }
    }
  }

  @Test("Bitcasts keep the bits")
  func bitcasts() throws {
    try compare(.bitcast, [.float32], .uint32)
    try compare(.bitcast, [.float32], .int32)
    try compare(.bitcast, [.int64], .float64)
    try compare(.bitcast, [.uint32], .int32)
  }

  @Test("Random words are those of RandomKey")
  func threefry() throws {
    let types = [ElementType](repeating: .uint32, count: 4)
    try compare(.threefryFirst, types, .uint32)
    try compare(.threefrySecond, types, .uint32)
    // As generated loops use it: constant key, counter from the coordinate.
    let loop = Loop(
      extents: [100], reads: [],
      body: [
        .constant(7, .uint32), .constant(9, .uint32), .constant(0, .uint32), .coordinate(0),
        .apply(.convert, [3], .uint32), .apply(.threefryFirst, [0, 1, 2, 4], .uint32),
      ],
      writes: [
        Loop.Write(binding: 0, elementType: .uint32, index: Loop.Affine(offset: 0, strides: [1]), value: 5)
      ])
    let words = try run(loop, on: [HostArray(zeros: [100], of: .uint32)])[0].elements(as: UInt32.self)
    let key = RandomKey(words: [7, 9])
    #expect(words == (0..<100).map { key.word(at: $0) })
  }

  /// Compares exactly, but for results of float64 functions, which come from the same library.
  private func compare(
    _ operation: ScalarOperation, _ inputs: [ElementType], _ result: ElementType, output: ElementType? = nil
  ) throws {
    let count = 700
    let bindings = inputs.enumerated().map { Self.array($1, count: count, seed: UInt64($0) + 11) }
    let loop = loop(operation, inputs: inputs, result: result, output: output, count: count)
    let all = bindings + [HostArray(zeros: [count], of: output ?? result)]
    let expected = evaluate(loop, bindings: all)[inputs.count]
    for library in Self.levels {
      let actual = try run(loop, on: all, library: library)[inputs.count]
      if Self.isSame(actual, expected) { continue }
      let (got, wanted) = (actual.doubles(), expected.doubles())
      let position = got.indices.first { got[$0] != wanted[$0] && !(got[$0].isNaN && wanted[$0].isNaN) } ?? 0
      Issue.record(
        """
        \(library.name) \(operation.rawValue) \(inputs) -> \(result): \(bindings.map { $0.doubles()[position] }) gives \
        \(got[position]), not \(wanted[position])
        """)
    }
  }

  /// Whether all numbers are equal, every NaN being equal to every other.
  static func isSame(_ a: HostArray, _ b: HostArray) -> Bool {
    a == b || zip(a.doubles(), b.doubles()).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
  }

  static func array(_ type: ElementType, count: Int, seed: UInt64) -> HostArray {
    var generator = Generator(seed: seed)
    let wholes: [Int64] = [
      0, 1, -1, 2, 7, 31, -7, 63, Int64(Int32.min), Int64(Int32.max), .min, .max, 255, 256,
    ]
    let numbers: [Int64] = (0..<count).map { index in
      index < 200
        ? wholes[Int.random(in: 0..<wholes.count, using: &generator)]
        : Int64.random(in: -99...99, using: &generator)
    }
    switch type {
    case .float32:
      return HostArray(
        (0..<count).map {
          $0 < 200
            ? specials.randomElement(using: &generator) ?? 0 : Float.random(in: -300...300, using: &generator)
        })
    case .float64: return array(.float32, count: count, seed: seed).converted(to: .float64)
    case .float16: return array(.float32, count: count, seed: seed).converted(to: .float16)
    case .bfloat16: return array(.float32, count: count, seed: seed).converted(to: .bfloat16)
    case .int32: return HostArray(numbers.map { Int32(truncatingIfNeeded: $0) })
    case .uint32: return HostArray(numbers.map { UInt32(truncatingIfNeeded: $0) })
    case .int64: return HostArray(numbers)
    case .uint8: return HostArray(numbers.map { UInt8(truncatingIfNeeded: $0) })
    case .bool: return HostArray(numbers.map { $0 & 1 == 1 })
    }
  }
}
