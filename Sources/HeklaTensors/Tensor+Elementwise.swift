import HeklaArrays

extension Tensor {
  /// `expression` at each point of `operands`, which already share one shape.
  static func elementwise(_ expression: Scalar, _ operands: [Tensor], elementType: ElementType? = nil)
    -> Tensor
  {
    // Where no type is given, narrow operands of one type (float16, uint8) give a result of that type, though the
    // arithmetic is wider.
    let types = Set(operands.map(\.elementType))
    let common = types.count == 1 ? types.first : nil
    let elementType = elementType ?? (common?.computed == expression.type ? common : nil)
    // A derivative often uses only some of the operands; the others would be computed and read for nothing.
    let used = expression.inputs.sorted()
    var kept = expression
    if used.count < operands.count {
      let positions = Dictionary(uniqueKeysWithValues: used.enumerated().map { ($1, $0) })
      kept = expression.substituting { form in
        guard case .input(let index) = form, let position = positions[index] else { return nil }
        return .input(position, operands[index].elementType)
      }
    }
    let shape = operands.first?.shape ?? []
    return Tensor(Map(kept, shape: shape, elementType: elementType), used.map { operands[$0] })
  }

  /// The same expression at every element.
  ///
  /// ```swift
  /// let softplus = x.map { x in .log1p(.exp(x)) }
  /// ```
  /// - Returns: A tensor of the same shape.
  public func map(_ body: (Scalar) -> Scalar) -> Tensor {
    .elementwise(body(.input(0, elementType)), [self])
  }

  /// The same expression at every element of two tensors, which broadcast to one shape.
  public static func map(
    _ x: Tensor, _ y: Tensor, file: StaticString = #fileID, line: UInt = #line,
    _ body: (Scalar, Scalar) -> Scalar
  ) -> Tensor {
    let both = broadcasting([x, y], for: "map", file: file, line: line)
    return .elementwise(body(.input(0, x.elementType), .input(1, y.elementType)), both)
  }

  /// The same expression at every element of three tensors, which broadcast to one shape.
  public static func map(
    _ x: Tensor, _ y: Tensor, _ z: Tensor, file: StaticString = #fileID, line: UInt = #line,
    _ body: (Scalar, Scalar, Scalar) -> Scalar
  ) -> Tensor {
    let all = broadcasting([x, y, z], for: "map", file: file, line: line)
    return .elementwise(
      body(.input(0, x.elementType), .input(1, y.elementType), .input(2, z.elementType)), all)
  }

  /// The same expression at every element of any number of tensors, which broadcast to one shape.
  public static func map(
    _ operands: [Tensor], file: StaticString = #fileID, line: UInt = #line, _ body: ([Scalar]) -> Scalar
  ) -> Tensor {
    let all = broadcasting(operands, for: "map", file: file, line: line)
    return .elementwise(body(operands.enumerated().map { .input($0, $1.elementType) }), all)
  }

  /// `operands` broadcast to their common shape; stops the program when they have none.
  static func broadcasting(
    _ operands: [Tensor], for operation: String, file: StaticString, line: UInt
  ) -> [Tensor] {
    var shape = operands.first?.shape ?? []
    for operand in operands.dropFirst() {
      guard let common = shape.broadcast(with: operand.shape) else {
        stop(
          "\(operation): shapes \(operands.map(\.shape.description).joined(separator: " and ")) do not broadcast",
          file: file, line: line)
      }
      shape = common
    }
    return operands.map { $0.broadcast(to: shape) }
  }

  private static func binary(
    _ operation: ScalarOperation, _ x: Tensor, _ y: Tensor, file: StaticString, line: UInt
  ) -> Tensor {
    require(
      x.elementType == y.elementType,
      "\(operation.rawValue): \(x.signature) and \(y.signature) differ in type; convert one with converted(to:)",
      file: file, line: line)
    let both = broadcasting([x, y], for: operation.rawValue, file: file, line: line)
    let expression = Scalar.apply(operation, [.input(0, x.elementType), .input(1, y.elementType)])
    return .elementwise(expression, both, elementType: expression.type == .bool ? .bool : x.elementType)
  }

  /// The sum; shapes broadcast.
  public static func + (x: Tensor, y: Tensor) -> Tensor { binary(.add, x, y, file: #fileID, line: #line) }
  /// The difference; shapes broadcast.
  public static func - (x: Tensor, y: Tensor) -> Tensor {
    binary(.subtract, x, y, file: #fileID, line: #line)
  }
  /// The elementwise product; shapes broadcast.
  public static func * (x: Tensor, y: Tensor) -> Tensor {
    binary(.multiply, x, y, file: #fileID, line: #line)
  }
  /// The elementwise quotient; shapes broadcast.
  public static func / (x: Tensor, y: Tensor) -> Tensor { binary(.divide, x, y, file: #fileID, line: #line) }
  /// The elements with the other sign.
  public static prefix func - (x: Tensor) -> Tensor { x.map { -$0 } }

  /// The sum with a number.
  public static func + (x: Tensor, y: Double) -> Tensor { x.map { $0 + Scalar(y) } }
  /// The sum with a number.
  public static func + (x: Double, y: Tensor) -> Tensor { y.map { Scalar(x) + $0 } }
  /// The difference with a number.
  public static func - (x: Tensor, y: Double) -> Tensor { x.map { $0 - Scalar(y) } }
  /// The difference from a number.
  public static func - (x: Double, y: Tensor) -> Tensor { y.map { Scalar(x) - $0 } }
  /// The product with a number.
  public static func * (x: Tensor, y: Double) -> Tensor { x.map { $0 * Scalar(y) } }
  /// The product with a number.
  public static func * (x: Double, y: Tensor) -> Tensor { y.map { Scalar(x) * $0 } }
  /// The quotient by a number.
  public static func / (x: Tensor, y: Double) -> Tensor { x.map { $0 / Scalar(y) } }
  /// A number divided by each element.
  public static func / (x: Double, y: Tensor) -> Tensor { y.map { Scalar(x) / $0 } }

  /// Where the left element is less, a `bool`; shapes broadcast.
  public static func .< (x: Tensor, y: Tensor) -> Tensor { binary(.less, x, y, file: #fileID, line: #line) }
  /// Where the left element is less or equal, a `bool`; shapes broadcast.
  public static func .<= (x: Tensor, y: Tensor) -> Tensor {
    binary(.lessOrEqual, x, y, file: #fileID, line: #line)
  }
  /// Where the left element is greater, a `bool`; shapes broadcast.
  public static func .> (x: Tensor, y: Tensor) -> Tensor { binary(.less, y, x, file: #fileID, line: #line) }
  /// Where the left element is greater or equal, a `bool`; shapes broadcast.
  public static func .>= (x: Tensor, y: Tensor) -> Tensor {
    binary(.lessOrEqual, y, x, file: #fileID, line: #line)
  }
  /// Where both elements are equal, a `bool`; shapes broadcast.
  public static func .== (x: Tensor, y: Tensor) -> Tensor { binary(.equal, x, y, file: #fileID, line: #line) }
  /// Where the elements differ, a `bool`; shapes broadcast.
  public static func .!= (x: Tensor, y: Tensor) -> Tensor {
    binary(.notEqual, x, y, file: #fileID, line: #line)
  }

  /// The elements of `chosen` where `condition`, a `bool`, is true, else those of `other`; shapes broadcast.
  public static func select(_ condition: Tensor, _ chosen: Tensor, _ other: Tensor) -> Tensor {
    require(condition.elementType == .bool, "select: the condition is \(condition.elementType), not bool")
    return .map(condition, chosen, other) { .select($0, $1, $2) }
  }

  /// The elements as another type; see `ScalarOperation.convert`.
  public func converted(to type: ElementType) -> Tensor {
    type == elementType
      ? self : .elementwise(.input(0, elementType).converted(to: type), [self], elementType: type)
  }

  /// The same values, through which no gradient flows.
  public func stoppingGradient() -> Tensor { Tensor(StopGradient(), [self]) }

  /// e to the power of each element.
  public func exp() -> Tensor { map { .exp($0) } }
  /// The natural logarithm of each element.
  public func log() -> Tensor { map { .log($0) } }
  /// The square root of each element.
  public func squareRoot() -> Tensor { map { .sqrt($0) } }
  /// Each element times itself.
  public func squared() -> Tensor { map { $0 * $0 } }
  /// The absolute value of each element.
  public func absolute() -> Tensor { map { .absolute($0) } }
  /// The hyperbolic tangent of each element.
  public func tanh() -> Tensor { map { .tanh($0) } }
  /// 1 / (1 + e^-x) for each element.
  public func sigmoid() -> Tensor { map { .sigmoid($0) } }
  /// The elements, and 0 for those that are negative.
  public func relu() -> Tensor { map { .maximum($0, 0) } }
  /// The Gaussian error linear unit, tanh form. Source: Hendrycks & Gimpel 2016, section 2.
  public func gelu() -> Tensor {
    map { x in 0.5 * x * (1 + .tanh(0.797_884_560_8 * (x + 0.044_715 * x * x * x))) }
  }
  /// Each element to the power of `exponent`.
  public func power(_ exponent: Double) -> Tensor { map { .power($0, Scalar(exponent)) } }
}

extension Tensor {
  /// The same values in memory of their own, even where nothing is computed.
  public var copied: Tensor {
    .elementwise(.input(0, elementType), [self], elementType: elementType)
  }
}
