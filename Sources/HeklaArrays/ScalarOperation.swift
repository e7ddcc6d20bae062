/// What a scalar expression can do in one step: the vocabulary that every device implements.
///
/// Operands have one type unless said otherwise, and the result has it too. Floating-point results follow
/// IEEE 754: NaN and infinity propagate, except where a case says what it does instead.
public enum ScalarOperation: String, Sendable, Hashable, Codable, CaseIterable {
  // Arithmetic. Integers wrap around; `divide` truncates toward zero, and by zero gives an unspecified value.
  case add, subtract, multiply, divide
  /// The remainder of `divide`, with the sign of the dividend.
  case remainder
  /// The smaller operand; NaN if either is NaN.
  case minimum
  /// The larger operand; NaN if either is NaN.
  case maximum
  /// The first operand to the power of the second; floating only.
  case power
  /// The angle of the point (second, first), in -pi...pi; floating only.
  case atan2
  case negate
  case absolute
  /// -1, 0 or 1; NaN for NaN.
  case sign

  // Functions of one real number; floating only.
  case exp, expm1, log, log1p, sqrt
  /// 1 / sqrt(x).
  case reciprocalSquareRoot
  case sin, cos, tan, tanh, asin, acos, atan, sinh, cosh
  /// The error function.
  case erf
  case floor, ceil
  /// To the nearest whole number, ties to even.
  case round

  // Comparisons: two operands of one type, result `bool`. With NaN all are false but `notEqual`.
  case less, lessOrEqual, equal, notEqual
  /// Whether a number is NaN; result `bool`.
  case isNaN

  // Logic on `bool`.
  case and, or, not

  // Bits of integers. `shiftRight` keeps the sign of signed types; the amount is in 0..<bits.
  case bitAnd, bitOr, bitXor, shiftLeft, shiftRight

  /// The second operand where the first, a `bool`, is true, else the third.
  case select
  /// The operand as the result's type: real numbers truncate toward zero and stay within the integer's bounds, NaN
  /// becomes 0; `bool` becomes 0 or 1, and to `bool` everything but 0 is true.
  case convert
  /// The operand's bits as the result's type, of equal size.
  case bitcast
  /// The first word of Threefry-2x32-20 on four `uint32`: two key words, two counter words.
  case threefryFirst
  /// The second word of the same.
  case threefrySecond

  /// The number of operands.
  public var arity: Int {
    switch self {
    case .add, .subtract, .multiply, .divide, .remainder, .minimum, .maximum, .power, .atan2: 2
    case .less, .lessOrEqual, .equal, .notEqual, .and, .or: 2
    case .bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight: 2
    case .select: 3
    case .threefryFirst, .threefrySecond: 4
    case .negate, .absolute, .sign, .exp, .expm1, .log, .log1p, .sqrt, .reciprocalSquareRoot: 1
    case .sin, .cos, .tan, .tanh, .asin, .acos, .atan, .sinh, .cosh, .erf, .floor, .ceil, .round: 1
    case .isNaN, .not, .convert, .bitcast: 1
    }
  }
}
