import CHostLoops
import HeklaArrays
import HeklaDevices

extension HostType {
  /// The type that registers have for values of `type`: narrow ones are widened.
  init(_ type: ElementType) {
    self =
      switch type {
      case .float32, .float16, .bfloat16: HOST_FLOAT32
      case .float64: HOST_FLOAT64
      case .int32: HOST_INT32
      case .uint32, .uint8: HOST_UINT32
      case .int64: HOST_INT64
      case .bool: HOST_BOOL
      }
  }

  /// The size of one element in a register, in bytes.
  var byteCount: Int {
    switch self {
    case HOST_FLOAT64, HOST_INT64: 8
    case HOST_BOOL: 1
    default: 4
    }
  }

  /// The position in the tables of a library.
  var index: Int { Int(rawValue) }
}

extension HostStorage {
  /// How memory of `type` is filled from and spilled to.
  init(_ type: ElementType) {
    self =
      switch type {
      case .float32, .int32, .uint32: HOST_STORAGE_32
      case .float64, .int64: HOST_STORAGE_64
      case .float16: HOST_STORAGE_FLOAT16
      case .bfloat16: HOST_STORAGE_BFLOAT16
      case .uint8: HOST_STORAGE_UINT8
      case .bool: HOST_STORAGE_8
      }
  }

  /// Whether memory and registers hold the same bytes.
  var isPlain: Bool { self == HOST_STORAGE_8 || self == HOST_STORAGE_32 || self == HOST_STORAGE_64 }
}

extension HostOperation {
  /// The block operation of `operation`, or nil for those that are no operation on blocks.
  init?(_ operation: ScalarOperation) {
    switch operation {
    case .add: self = HOST_ADD
    case .subtract: self = HOST_SUBTRACT
    case .multiply: self = HOST_MULTIPLY
    case .divide: self = HOST_DIVIDE
    case .remainder: self = HOST_REMAINDER
    case .minimum: self = HOST_MINIMUM
    case .maximum: self = HOST_MAXIMUM
    case .power: self = HOST_POWER
    case .atan2: self = HOST_ATAN2
    case .negate: self = HOST_NEGATE
    case .absolute: self = HOST_ABSOLUTE
    case .sign: self = HOST_SIGN
    case .exp: self = HOST_EXP
    case .expm1: self = HOST_EXPM1
    case .log: self = HOST_LOG
    case .log1p: self = HOST_LOG1P
    case .sqrt: self = HOST_SQRT
    case .reciprocalSquareRoot: self = HOST_RECIPROCAL_SQUARE_ROOT
    case .sin: self = HOST_SIN
    case .cos: self = HOST_COS
    case .tan: self = HOST_TAN
    case .tanh: self = HOST_TANH
    case .asin: self = HOST_ASIN
    case .acos: self = HOST_ACOS
    case .atan: self = HOST_ATAN
    case .sinh: self = HOST_SINH
    case .cosh: self = HOST_COSH
    case .erf: self = HOST_ERF
    case .floor: self = HOST_FLOOR
    case .ceil: self = HOST_CEIL
    case .round: self = HOST_ROUND
    case .less: self = HOST_LESS
    case .lessOrEqual: self = HOST_LESS_OR_EQUAL
    case .equal: self = HOST_EQUAL
    case .notEqual: self = HOST_NOT_EQUAL
    case .isNaN: self = HOST_IS_NAN
    case .and: self = HOST_AND
    case .or: self = HOST_OR
    case .not: self = HOST_NOT
    case .bitAnd: self = HOST_BIT_AND
    case .bitOr: self = HOST_BIT_OR
    case .bitXor: self = HOST_BIT_XOR
    case .shiftLeft: self = HOST_SHIFT_LEFT
    case .shiftRight: self = HOST_SHIFT_RIGHT
    case .select: self = HOST_SELECT
    case .threefryFirst: self = HOST_THREEFRY_FIRST
    case .threefrySecond: self = HOST_THREEFRY_SECOND
    case .convert, .bitcast: return nil
    }
  }

  /// The position in the tables of a library.
  var index: Int { Int(rawValue) }
}

extension HostFoldKind {
  init(_ fold: Loop.Fold) {
    self =
      switch fold {
      case .sum: HOST_SUM
      case .product: HOST_PRODUCT
      case .maximum: HOST_FOLD_MAXIMUM
      case .minimum: HOST_FOLD_MINIMUM
      case .argumentMaximum: HOST_ARGUMENT_MAXIMUM
      case .argumentMinimum: HOST_ARGUMENT_MINIMUM
      }
  }
}
