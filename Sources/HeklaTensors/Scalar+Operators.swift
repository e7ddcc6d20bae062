import HeklaArrays

extension Scalar {
  /// The sum.
  public static func + (left: Scalar, right: Scalar) -> Scalar { .apply(.add, [left, right]) }
  /// The difference.
  public static func - (left: Scalar, right: Scalar) -> Scalar { .apply(.subtract, [left, right]) }
  /// The product.
  public static func * (left: Scalar, right: Scalar) -> Scalar { .apply(.multiply, [left, right]) }
  /// The quotient; of integers, truncated toward zero.
  public static func / (left: Scalar, right: Scalar) -> Scalar { .apply(.divide, [left, right]) }
  /// The remainder of the truncated quotient.
  public static func % (left: Scalar, right: Scalar) -> Scalar { .apply(.remainder, [left, right]) }
  /// The number with the other sign.
  public static prefix func - (operand: Scalar) -> Scalar { .apply(.negate, [operand]) }

  /// Whether the left is less, a `bool`.
  public static func .< (left: Scalar, right: Scalar) -> Scalar { .apply(.less, [left, right]) }
  /// Whether the left is less or equal, a `bool`.
  public static func .<= (left: Scalar, right: Scalar) -> Scalar { .apply(.lessOrEqual, [left, right]) }
  /// Whether the left is greater, a `bool`.
  public static func .> (left: Scalar, right: Scalar) -> Scalar { .apply(.less, [right, left]) }
  /// Whether the left is greater or equal, a `bool`.
  public static func .>= (left: Scalar, right: Scalar) -> Scalar { .apply(.lessOrEqual, [right, left]) }
  /// Whether both are equal, a `bool`.
  public static func .== (left: Scalar, right: Scalar) -> Scalar { .apply(.equal, [left, right]) }
  /// Whether both differ, a `bool`.
  public static func .!= (left: Scalar, right: Scalar) -> Scalar { .apply(.notEqual, [left, right]) }
  /// Whether both are true.
  public static func .& (left: Scalar, right: Scalar) -> Scalar { .apply(.and, [left, right]) }
  /// Whether one is true.
  public static func .| (left: Scalar, right: Scalar) -> Scalar { .apply(.or, [left, right]) }
  /// Whether the operand is false.
  public static prefix func .! (operand: Scalar) -> Scalar { .apply(.not, [operand]) }

  /// `chosen` where `condition`, a `bool`, is true, else `other`.
  public static func select(_ condition: Scalar, _ chosen: Scalar, _ other: Scalar) -> Scalar {
    .apply(.select, [condition, chosen, other])
  }

  /// The value as another type; see `ScalarOperation.convert`.
  public func converted(to type: ElementType) -> Scalar { .apply(.convert, [self], type: type) }

  /// The value's bits as another type of the same size.
  public func bitcast(to type: ElementType) -> Scalar { .apply(.bitcast, [self], type: type) }

  /// The smaller; NaN if either is NaN.
  public static func minimum(_ left: Scalar, _ right: Scalar) -> Scalar { .apply(.minimum, [left, right]) }
  /// The larger; NaN if either is NaN.
  public static func maximum(_ left: Scalar, _ right: Scalar) -> Scalar { .apply(.maximum, [left, right]) }
  /// `base` to the power of `exponent`.
  public static func power(_ base: Scalar, _ exponent: Scalar) -> Scalar { .apply(.power, [base, exponent]) }
  /// The angle of the point (`x`, `y`).
  public static func atan2(_ y: Scalar, _ x: Scalar) -> Scalar { .apply(.atan2, [y, x]) }
  /// The absolute value.
  public static func absolute(_ x: Scalar) -> Scalar { .apply(.absolute, [x]) }
  /// -1, 0 or 1.
  public static func sign(_ x: Scalar) -> Scalar { .apply(.sign, [x]) }
  /// e to the power of `x`.
  public static func exp(_ x: Scalar) -> Scalar { .apply(.exp, [x]) }
  /// e to the power of `x`, less 1, exact near 0.
  public static func expm1(_ x: Scalar) -> Scalar { .apply(.expm1, [x]) }
  /// The natural logarithm.
  public static func log(_ x: Scalar) -> Scalar { .apply(.log, [x]) }
  /// The natural logarithm of 1 + `x`, exact near 0.
  public static func log1p(_ x: Scalar) -> Scalar { .apply(.log1p, [x]) }
  /// The square root.
  public static func sqrt(_ x: Scalar) -> Scalar { .apply(.sqrt, [x]) }
  /// 1 divided by the square root.
  public static func reciprocalSquareRoot(_ x: Scalar) -> Scalar { .apply(.reciprocalSquareRoot, [x]) }
  /// The sine.
  public static func sin(_ x: Scalar) -> Scalar { .apply(.sin, [x]) }
  /// The cosine.
  public static func cos(_ x: Scalar) -> Scalar { .apply(.cos, [x]) }
  /// The tangent.
  public static func tan(_ x: Scalar) -> Scalar { .apply(.tan, [x]) }
  /// The hyperbolic tangent.
  public static func tanh(_ x: Scalar) -> Scalar { .apply(.tanh, [x]) }
  /// The arc sine.
  public static func asin(_ x: Scalar) -> Scalar { .apply(.asin, [x]) }
  /// The arc cosine.
  public static func acos(_ x: Scalar) -> Scalar { .apply(.acos, [x]) }
  /// The arc tangent.
  public static func atan(_ x: Scalar) -> Scalar { .apply(.atan, [x]) }
  /// The hyperbolic sine.
  public static func sinh(_ x: Scalar) -> Scalar { .apply(.sinh, [x]) }
  /// The hyperbolic cosine.
  public static func cosh(_ x: Scalar) -> Scalar { .apply(.cosh, [x]) }
  /// The error function.
  public static func erf(_ x: Scalar) -> Scalar { .apply(.erf, [x]) }
  /// The largest whole number that is not greater.
  public static func floor(_ x: Scalar) -> Scalar { .apply(.floor, [x]) }
  /// The smallest whole number that is not less.
  public static func ceil(_ x: Scalar) -> Scalar { .apply(.ceil, [x]) }
  /// The nearest whole number, ties to even.
  public static func round(_ x: Scalar) -> Scalar { .apply(.round, [x]) }
  /// Whether the number is NaN, a `bool`.
  public static func isNaN(_ x: Scalar) -> Scalar { .apply(.isNaN, [x]) }

  /// The logistic function 1 / (1 + e^-x).
  public static func sigmoid(_ x: Scalar) -> Scalar { 1 / (1 + .exp(-x)) }
}

prefix operator .!
