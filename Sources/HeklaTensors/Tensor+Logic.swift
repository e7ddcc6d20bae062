import HeklaArrays

extension Tensor {
  private func compared(_ operation: ScalarOperation, _ number: Double, isSwapped: Bool = false) -> Tensor {
    map { x in
      .apply(operation, isSwapped ? [.constant(number, x.type), x] : [x, .constant(number, x.type)])
    }
  }

  /// Where elements are less than a number, a `bool`.
  public static func .< (x: Tensor, y: Double) -> Tensor { x.compared(.less, y) }
  /// Where elements are less than or equal to a number, a `bool`.
  public static func .<= (x: Tensor, y: Double) -> Tensor { x.compared(.lessOrEqual, y) }
  /// Where elements are greater than a number, a `bool`.
  public static func .> (x: Tensor, y: Double) -> Tensor { x.compared(.less, y, isSwapped: true) }
  /// Where elements are greater than or equal to a number, a `bool`.
  public static func .>= (x: Tensor, y: Double) -> Tensor { x.compared(.lessOrEqual, y, isSwapped: true) }
  /// Where elements equal a number, a `bool`.
  public static func .== (x: Tensor, y: Double) -> Tensor { x.compared(.equal, y) }
  /// Where elements differ from a number, a `bool`.
  public static func .!= (x: Tensor, y: Double) -> Tensor { x.compared(.notEqual, y) }

  private func requireBool(_ operation: String) {
    require(elementType == .bool, "\(operation): the operand is \(signature), not bool; compare it first")
  }

  /// Where both `bool` tensors are true; shapes broadcast.
  public static func .& (x: Tensor, y: Tensor) -> Tensor {
    x.requireBool("and")
    y.requireBool("and")
    return .map(x, y) { $0 .& $1 }
  }

  /// Where one of two `bool` tensors is true; shapes broadcast.
  public static func .| (x: Tensor, y: Tensor) -> Tensor {
    x.requireBool("or")
    y.requireBool("or")
    return .map(x, y) { $0 .| $1 }
  }

  /// Where a `bool` tensor is false.
  public static prefix func .! (x: Tensor) -> Tensor {
    x.requireBool("not")
    return x.map { .!$0 }
  }

  /// Where elements are NaN, a `bool`.
  public func isNaN() -> Tensor { map { .isNaN($0) } }
  /// Where elements are neither infinite nor NaN, a `bool`.
  public func isFinite() -> Tensor { map { .isFinite($0) } }

  /// The elements, and `value` where `mask`, a `bool`, is true; shapes broadcast.
  public func filled(with value: Double, where mask: Tensor) -> Tensor {
    mask.requireBool("fill")
    return .map(self, mask) { x, isFilled in .select(isFilled, .constant(value, x.type), x) }
  }

  /// The larger of two elements; shapes broadcast.
  public static func maximum(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .maximum($0, $1) } }
  /// The smaller of two elements; shapes broadcast.
  public static func minimum(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .minimum($0, $1) } }
  /// Elements to the power of other elements; shapes broadcast.
  public static func power(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .power($0, $1) } }

  /// The remainder with the sign of the dividend; shapes broadcast.
  public static func % (x: Tensor, y: Tensor) -> Tensor { .map(x, y) { $0 % $1 } }
  /// The remainder with the sign of the divisor, x - y floor(x / y); shapes broadcast.
  public static func floorRemainder(_ x: Tensor, _ y: Tensor) -> Tensor {
    .map(x, y) { .floorRemainder($0, $1) }
  }

  /// The bits that both integers have; shapes broadcast.
  public static func bitAnd(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .bitAnd($0, $1) } }
  /// The bits that one of the integers has; shapes broadcast.
  public static func bitOr(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .bitOr($0, $1) } }
  /// The bits that exactly one of the integers has; shapes broadcast.
  public static func bitXor(_ x: Tensor, _ y: Tensor) -> Tensor { .map(x, y) { .bitXor($0, $1) } }
  /// The integers' bits moved up by `count`.
  public func shiftedLeft(by count: Int) -> Tensor {
    map { .shiftLeft($0, .constant(Double(count), $0.type)) }
  }
  /// The integers' bits moved down by `count`; signed types keep their sign.
  public func shiftedRight(by count: Int) -> Tensor {
    map { .shiftRight($0, .constant(Double(count), $0.type)) }
  }
}
