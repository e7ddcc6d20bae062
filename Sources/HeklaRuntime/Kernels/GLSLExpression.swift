import HeklaArrays
import HeklaDevices

/// Spells loop instructions as GLSL: one named value per step, so shared subexpressions are computed once.
struct GLSLExpression {
  /// What a device has to support for the text to compile, beyond the core language.
  var types: Set<ElementType> = []

  /// The statements that compute `instructions`, with `prefix` before each value's number.
  /// - Parameters:
  ///   - instructions: The steps.
  ///   - prefix: What value names start with.
  ///   - read: The text of read `i`.
  ///   - coordinate: The text of a coordinate, an `int`.
  ///   - accumulator: The text of accumulator `i`.
  mutating func statements(
    _ instructions: [Loop.Instruction], prefix: String, read: (Int) -> String, readType: (Int) -> ElementType,
    coordinate: (Int) -> String, accumulator: (Int) -> String, accumulatorType: (Int) -> ElementType
  ) throws(DeviceError) -> [String] {
    var lines: [String] = []
    var types: [ElementType] = []
    for (position, instruction) in instructions.enumerated() {
      let text: String
      let type: ElementType
      switch instruction {
      case .constant(let value, let constantType):
        type = constantType
        text = Self.literal(value, constantType)
      case .read(let index):
        type = readType(index)
        text = read(index)
      case .coordinate(let axis):
        type = .int32
        text = coordinate(axis)
      case .accumulator(let index):
        type = accumulatorType(index)
        text = accumulator(index)
      case .apply(let operation, let operands, let resultType):
        type = resultType
        text = try Self.call(
          operation, operands.map { "\(prefix)\($0)" }, operandTypes: operands.map { types[$0] },
          result: resultType)
      }
      types.append(type)
      self.types.insert(type)
      lines.append("\(Self.name(of: type)) \(prefix)\(position) = \(text);")
    }
    return lines
  }

  /// GLSL's name for a type that kernels compute with.
  static func name(of type: ElementType) -> String {
    switch type {
    case .float32, .float16, .bfloat16: "float"
    case .float64: "double"
    case .int32: "int"
    case .uint32, .uint8: "uint"
    case .int64: "int64_t"
    case .bool: "bool"
    }
  }

  /// A number as GLSL writes it, exactly.
  static func literal(_ value: Double, _ type: ElementType) -> String {
    switch type {
    case .float64:
      if value.isNaN { return "double(uintBitsToFloat(0x7FC00000u))" }
      if value.isInfinite {
        return value < 0 ? "double(uintBitsToFloat(0xFF800000u))" : "double(uintBitsToFloat(0x7F800000u))"
      }
      return "\(value)lf"
    case .float32, .float16, .bfloat16:
      let number = Float(value)
      guard number.isFinite else { return "uintBitsToFloat(\(number.bitPattern)u)" }
      return number.description.contains(where: { $0 == "." || $0 == "e" }) ? "\(number)" : "\(number).0"
    // The least signed numbers have no literal of their own in GLSL.
    case .int32:
      let number = held(value, Int32.self)
      return number == .min ? "(\(number + 1) - 1)" : "\(number)"
    case .uint32, .uint8: return "\(held(value, UInt32.self))u"
    case .int64:
      let number = held(value, Int64.self)
      return number == .min ? "(\(number + 1)l - 1l)" : "\(number)l"
    case .bool: return value != 0 ? "true" : "false"
    }
  }

  /// `value` as a whole number, held at the type's bounds.
  private static func held<Whole: ArrayElement & FixedWidthInteger>(_ value: Double, _ type: Whole.Type)
    -> Whole
  {
    HostArray(converting: [value], shape: [], to: Whole.elementType).elements(as: type)[0]
  }

  /// The text of one operation.
  static func call(
    _ operation: ScalarOperation, _ x: [String], operandTypes: [ElementType], result: ElementType
  ) throws(DeviceError) -> String {
    let type = operandTypes.last ?? result
    if type == .float64, let missing = operation.doubleGap {
      throw .unsupported(
        device: "GLSL", feature: "\(missing) of float64",
        remedy: "Convert to float32 with converted(to:), or run on the cpu device.")
    }
    switch operation {
    case .add: return "\(x[0]) + \(x[1])"
    case .subtract: return "\(x[0]) - \(x[1])"
    case .multiply: return "\(x[0]) * \(x[1])"
    case .divide: return type.isFloating ? "\(x[0]) / \(x[1])" : "hekla_divide(\(x[0]), \(x[1]))"
    case .remainder: return "hekla_remainder(\(x[0]), \(x[1]))"
    case .minimum: return "hekla_minimum(\(x[0]), \(x[1]))"
    case .maximum: return "hekla_maximum(\(x[0]), \(x[1]))"
    case .power: return "hekla_power(\(x[0]), \(x[1]))"
    case .atan2: return "hekla_atan2(\(x[0]), \(x[1]))"
    case .negate: return type == .uint32 ? "0u - \(x[0])" : "-\(x[0])"
    case .absolute: return type == .uint32 ? x[0] : "abs(\(x[0]))"
    case .sign: return type == .uint32 ? "min(\(x[0]), 1u)" : "hekla_sign(\(x[0]))"
    case .exp, .log, .sqrt, .sin, .cos, .tan, .floor, .ceil:
      return "\(operation.rawValue)(\(x[0]))"
    case .expm1, .log1p, .tanh, .sinh, .cosh, .asin, .acos, .atan, .erf:
      return "hekla_\(operation.rawValue)(\(x[0]))"
    case .reciprocalSquareRoot: return "inversesqrt(\(x[0]))"
    case .round: return "roundEven(\(x[0]))"
    case .less: return "\(x[0]) < \(x[1])"
    case .lessOrEqual: return "\(x[0]) <= \(x[1])"
    case .equal: return "\(x[0]) == \(x[1])"
    case .notEqual: return "\(x[0]) != \(x[1])"
    case .isNaN: return type.isFloating ? "hekla_is_nan(\(x[0]))" : "false"
    case .and: return "\(x[0]) && \(x[1])"
    case .or: return "\(x[0]) || \(x[1])"
    case .not: return "!\(x[0])"
    case .bitAnd: return "\(x[0]) & \(x[1])"
    case .bitOr: return "\(x[0]) | \(x[1])"
    case .bitXor: return "\(x[0]) ^ \(x[1])"
    case .shiftLeft: return "\(x[0]) << \(x[1])"
    case .shiftRight: return "\(x[0]) >> \(x[1])"
    case .select: return "\(x[0]) ? \(x[1]) : \(x[2])"
    case .convert: return convert(x[0], from: type, to: result)
    case .bitcast: return bitcast(x[0], from: type, to: result)
    case .threefryFirst: return "hekla_threefry(\(x.joined(separator: ", "))).x"
    case .threefrySecond: return "hekla_threefry(\(x.joined(separator: ", "))).y"
    }
  }

  private static func convert(_ value: String, from type: ElementType, to result: ElementType) -> String {
    switch result {
    case .bool: "\(value) != \(literal(0, type))"
    case .int32 where type.isFloating: "hekla_to_int(\(value))"
    case .uint32 where type.isFloating: "hekla_to_uint(\(value))"
    case .int64 where type.isFloating: "hekla_to_int64(\(value))"
    default: "\(name(of: result))(\(value))"
    }
  }

  private static func bitcast(_ value: String, from type: ElementType, to result: ElementType) -> String {
    switch (type, result) {
    case (.float32, .int32): "floatBitsToInt(\(value))"
    case (.float32, .uint32): "floatBitsToUint(\(value))"
    case (.int32, .float32): "intBitsToFloat(\(value))"
    case (.uint32, .float32): "uintBitsToFloat(\(value))"
    case (.float64, .int64): "doubleBitsToInt64(\(value))"
    case (.int64, .float64): "int64BitsToDouble(\(value))"
    default: "\(name(of: result))(\(value))"
    }
  }
}

extension ScalarOperation {
  /// What GLSL cannot do in double precision, or nil.
  fileprivate var doubleGap: String? {
    switch self {
    case .exp, .expm1, .log, .log1p, .sin, .cos, .tan, .tanh, .asin, .acos, .atan, .sinh, .cosh, .erf, .power,
      .atan2, .remainder:
      rawValue
    default: nil
    }
  }
}
