import HeklaArrays

extension Scalar {
  /// The partial derivative with respect to input `index`, an expression over the same inputs; 0 where nothing flows.
  ///
  /// At kinks the derivative is that of one side: 0 for `absolute` at 0; `minimum` and `maximum` give equal
  /// operands to the first; comparisons, rounding and integers pass nothing on.
  public func derivative(withRespectTo index: Int) -> Scalar {
    var done: [ObjectIdentifier: Scalar?] = [:]
    return partial(index, &done) ?? .constant(0, type)
  }

  /// The derivative, or nil where it is identically 0.
  private func partial(_ index: Int, _ done: inout [ObjectIdentifier: Scalar?]) -> Scalar? {
    guard type.isFloating else { return nil }
    if let known = done[identity] { return known }
    let result: Scalar?
    switch form {
    case .input(let position): result = position == index ? .constant(1, type) : nil
    case .constant, .coordinate: result = nil
    case .apply(.select, let operands):
      let (yes, no) = (operands[1].partial(index, &done), operands[2].partial(index, &done))
      result =
        yes == nil && no == nil
        ? nil : .select(operands[0], yes ?? .constant(0, type), no ?? .constant(0, type))
    case .apply(let operation, let operands):
      var sum: Scalar?
      for (position, operand) in operands.enumerated() {
        guard let inner = operand.partial(index, &done),
          let outer = operation.derivative(operands, position, value: self)
        else { continue }
        let term = outer.converted(to: type) * inner.converted(to: type)
        sum = sum.map { $0 + term } ?? term
      }
      result = sum
    }
    done[identity] = result
    return result
  }
}

extension ScalarOperation {
  /// The derivative of the operation with respect to one operand, or nil where it is 0 everywhere.
  /// - Parameters:
  ///   - x: The operands.
  ///   - position: Which operand.
  ///   - value: The operation's own value, for derivatives that reuse it.
  func derivative(_ x: [Scalar], _ position: Int, value: Scalar) -> Scalar? {
    let one = Scalar.constant(1, value.type)
    let zero = Scalar.constant(0, value.type)
    switch (self, position) {
    case (.add, _), (.subtract, 0), (.convert, _): return one
    case (.subtract, _), (.negate, _): return .constant(-1, value.type)
    case (.multiply, 0): return x[1]
    case (.multiply, _): return x[0]
    case (.divide, 0): return one / x[1]
    // Of a reciprocal without another division.
    case (.divide, _): return x[0].constantValue == 1 ? -(value * value) : -(value / x[1])
    case (.remainder, 0): return one
    case (.remainder, _):
      let quotient = x[0] / x[1]
      return -Scalar.select(quotient .< 0, .ceil(quotient), .floor(quotient))
    case (.minimum, 0): return .select(x[0] .<= x[1], one, zero)
    case (.minimum, _): return .select(x[0] .<= x[1], zero, one)
    case (.maximum, 0): return .select(x[0] .>= x[1], one, zero)
    case (.maximum, _): return .select(x[0] .>= x[1], zero, one)
    case (.power, 0): return .select(x[1] .== 0, zero, x[1] * .power(x[0], x[1] - 1))
    case (.power, _): return .select(x[0] .== 0, zero, value * .log(x[0]))
    case (.atan2, 0): return x[1] / (x[0] * x[0] + x[1] * x[1])
    case (.atan2, _): return -(x[0] / (x[0] * x[0] + x[1] * x[1]))
    case (.absolute, _): return .sign(x[0])
    case (.exp, _): return value
    case (.expm1, _): return value + 1
    case (.log, _): return one / x[0]
    case (.log1p, _): return one / (1 + x[0])
    case (.sqrt, _): return 0.5 / value
    case (.reciprocalSquareRoot, _): return -0.5 * value / x[0]
    case (.sin, _): return .cos(x[0])
    case (.cos, _): return -.sin(x[0])
    case (.tan, _), (.tanh, _): return self == .tan ? 1 + value * value : 1 - value * value
    case (.asin, _): return .reciprocalSquareRoot(1 - x[0] * x[0])
    case (.acos, _): return -.reciprocalSquareRoot(1 - x[0] * x[0])
    case (.atan, _): return one / (1 + x[0] * x[0])
    case (.sinh, _): return .cosh(x[0])
    case (.cosh, _): return .sinh(x[0])
    case (.erf, _): return 1.128_379_167_095_512_6 * .exp(-(x[0] * x[0]))
    case (.sign, _), (.floor, _), (.ceil, _), (.round, _): return nil
    case (.less, _), (.lessOrEqual, _), (.equal, _), (.notEqual, _), (.isNaN, _): return nil
    case (.and, _), (.or, _), (.not, _), (.bitAnd, _), (.bitOr, _), (.bitXor, _): return nil
    case (.shiftLeft, _), (.shiftRight, _), (.bitcast, _), (.select, _): return nil
    case (.threefryFirst, _), (.threefrySecond, _): return nil
    }
  }
}
