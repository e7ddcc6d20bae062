import HeklaArrays
import HeklaDevices

/// The same expression at every point: all elementwise operations, constants that fill a shape, and coordinates.
struct Map: Primitive {
  /// Over the inputs at the point, and the point's coordinates.
  let expression: Scalar
  /// The result's extents, which all inputs share.
  let shape: Shape
  /// What memory holds; narrower than the expression's type for storage types.
  let elementType: ElementType
  /// The derivative by input 0 where it is stated, not derived from the expression.
  let statedDerivative: Scalar?

  init(_ expression: Scalar, shape: Shape, elementType: ElementType? = nil, statedDerivative: Scalar? = nil) {
    self.expression = expression
    self.statedDerivative = statedDerivative
    self.shape = shape
    self.elementType = elementType ?? expression.type
  }

  var name: String { "map" }
  var attributes: String {
    "\(expression) as \(elementType)\(shape)" + (statedDerivative.map { ", derivative \($0)" } ?? "")
  }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs.allSatisfy { $0.shape == shape },
      "map: inputs of shapes \(inputs.map(\.shape)) where \(shape) is needed; broadcast them first")
    return Signature(shape, elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let count = context.inputs.count
    return context.inputs.enumerated().map { position, input in
      guard input.elementType.isFloating, expression.type.isFloating else { return nil }
      let derivative = statedDerivative ?? expression.derivative(withRespectTo: position)
      if derivative.constantValue == 0 { return nil }
      // Through a sum the gradient passes as it is.
      if derivative.constantValue == 1, context.upstream.elementType == input.elementType {
        return context.upstream
      }
      // Where the derivative needs the operation's own costly value (exp, tanh, ...), read it instead of
      // computing it again.
      var operands = context.inputs
      var chain = derivative
      if expression.cost >= Map.recomputationLimit {
        var isUsed = false
        chain = derivative.replacing(expression, with: .input(count + 1, expression.type), isUsed: &isUsed)
        operands.append(context.upstream)
        if isUsed { operands.append(context.output) }
      } else {
        operands.append(context.upstream)
      }
      let upstream = Scalar.input(count, context.upstream.elementType).converted(to: expression.type)
      let product = upstream * chain.converted(to: expression.type)
      return Tensor.elementwise(
        product.converted(to: input.elementType), operands, elementType: input.elementType)
    }
  }

  /// The cost from which reading a value is better than computing it again.
  static let recomputationLimit = 12

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let values = inputs.map { $0.doubles() }
    let results = (0..<shape.count).map { index in
      expression.evaluate(inputs: values.map { $0[index] }, coordinates: shape.coordinates(ofIndex: index))
        .stored(as: signature.elementType)
    }
    return HostArray(converting: results, shape: shape, to: signature.elementType)
  }

  // MARK: Lowering

  var lowering: Lowering { .map(expression) }
}

extension Scalar {
  /// The expression with every occurrence of the very vertex `old` replaced.
  func replacing(_ old: Scalar, with new: Scalar, isUsed: inout Bool) -> Scalar {
    var done: [ObjectIdentifier: Scalar] = [old.identity: new]
    var found = false
    func visit(_ scalar: Scalar) -> Scalar {
      if scalar.identity == old.identity { found = true }
      if let known = done[scalar.identity] { return known }
      guard case .apply(let operation, let operands) = scalar.form else { return scalar }
      let result = Scalar.apply(operation, operands.map(visit), type: scalar.type)
      done[scalar.identity] = result
      return result
    }
    let result = visit(self)
    isUsed = found
    return result
  }
}
