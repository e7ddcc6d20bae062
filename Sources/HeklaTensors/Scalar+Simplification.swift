import HeklaArrays

extension Scalar {
  /// A simpler expression of the same value, or nil.
  ///
  /// Only what is exact for every input: x + 0 stays, since it turns -0 into 0, and x * 0 stays, since it may be NaN.
  static func simplified(_ operation: ScalarOperation, _ operands: [Scalar], type: ElementType) -> Scalar? {
    let numbers = operands.map(\.constantValue)
    switch operation {
    case .multiply:
      if numbers[0] == 1 { return operands[1] }
      if numbers[1] == 1 { return operands[0] }
    case .divide:
      if numbers[1] == 1 { return operands[0] }
    case .subtract:
      if let number = numbers[1], number == 0, number.sign == .plus { return operands[0] }
    case .add where !type.isFloating:
      if numbers[0] == 0 { return operands[1] }
      if numbers[1] == 0 { return operands[0] }
    case .power:
      if numbers[1] == 1 { return operands[0] }
      if numbers[1] == 2 { return .apply(.multiply, [operands[0], operands[0]]) }
    case .negate:
      if case .apply(.negate, let inner) = operands[0].form { return inner[0] }
    case .convert:
      if operands[0].type == type { return operands[0] }
    case .select:
      if let condition = numbers[0] { return condition != 0 ? operands[1] : operands[2] }
      if operands[1].identity == operands[2].identity { return operands[1] }
    default: break
    }
    // Random words and bit patterns are left to the device; everything else folds in the type's own precision.
    guard operation != .threefryFirst, operation != .threefrySecond, operation != .bitcast else { return nil }
    let values = numbers.compactMap { $0 }
    guard values.count == operands.count, !values.isEmpty else { return nil }
    // What is made of literals alone still takes the type of what it meets.
    if operation != .convert, type.isFloating, operands.allSatisfy(\.vertex.isLiteral) {
      return Scalar(operation.evaluate(values, type: .float64, result: .float64))
    }
    return .constant(
      operation.evaluate(values, type: operands.last?.type ?? type, result: type).rounded(to: type), type)
  }
}

extension Double {
  /// This number as `type` would hold it.
  func rounded(to type: ElementType) -> Double {
    switch type {
    case .float32, .float16, .bfloat16: Double(Float(self))
    default: self
    }
  }
}
