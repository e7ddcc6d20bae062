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
  var attributes: String { "\(expression) as \(elementType)\(shape)" }

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

  // MARK: Samples

  /// One case per scalar operation, so that each is tested everywhere.
  static var samples: [Sample] {
    ScalarOperation.allCases.compactMap { operation in
      guard let domain = operation.sampleDomain else { return nil }
      return Sample(
        operation.rawValue, inputs: domain.operands.map { Sample.Input([67, 31], domain.type, in: $0) },
        tolerance: domain.tolerance, flops: 67 * 31 * operation.cost, isDifferentiable: domain.isSmooth
      ) { inputs in
        let expression = Scalar.apply(operation, inputs.enumerated().map { .input($0, $1.elementType) })
        return .elementwise(expression, inputs)
      }
    } + [
      // Further down 1 + tanh cancels, and only an absolute error would be small.
      Sample(
        "gelu-chain", inputs: [Sample.Input([1 << 20], in: -1...4)], tolerance: .ulps(64),
        flops: (1 << 20) * 20
      ) { $0[0].gelu() },
      Sample(
        "add-broadcast", inputs: [Sample.Input([257, 129]), Sample.Input([129])], tolerance: .ulps(1),
        flops: 257 * 129
      ) { $0[0] + $0[1] },
    ]
  }
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

/// Where an operation is sampled, and how exact every device's version of it is.
struct SampleDomain {
  var operands: [ClosedRange<Double>]
  var type = ElementType.float32
  var tolerance = Sample.Tolerance.exact
  var isSmooth = true
}

extension ScalarOperation {
  /// Where the operation is sampled; nil for what is tested in ways of its own.
  ///
  /// Tolerances are those that the Vulkan specification ("Precision and operation of SPIR-V instructions") and
  /// the OpenCL C specification (section 7.4, full profile) allow, whichever is wider, in units in the last place.
  var sampleDomain: SampleDomain? {
    let wide = -8.0...8.0
    return switch self {
    case .add, .subtract, .multiply: SampleDomain(operands: [wide, wide], tolerance: .ulps(1))
    case .divide: SampleDomain(operands: [wide, 0.5...4], tolerance: .ulps(3))
    case .minimum, .maximum: SampleDomain(operands: [wide, wide])
    case .power: SampleDomain(operands: [0.1...4, -3...3], tolerance: .ulps(64))
    case .atan2: SampleDomain(operands: [0.1...4, -4...4], tolerance: .ulps(4096))
    case .negate: SampleDomain(operands: [wide])
    case .absolute: SampleDomain(operands: [0.1...8])
    case .sign: SampleDomain(operands: [0.1...8], isSmooth: false)
    case .exp: SampleDomain(operands: [wide], tolerance: .ulps(24))
    case .expm1: SampleDomain(operands: [0.01...4], tolerance: .ulps(32))
    case .log: SampleDomain(operands: [2...8], tolerance: .ulps(6))
    case .log1p: SampleDomain(operands: [0.01...8], tolerance: .ulps(32))
    case .sqrt: SampleDomain(operands: [0.1...8], tolerance: .ulps(4))
    case .reciprocalSquareRoot: SampleDomain(operands: [0.1...8], tolerance: .ulps(4))
    // Absolute error 2^-11 in Vulkan: compared where values are not small, in units of 2^-23.
    case .sin: SampleDomain(operands: [0.8...2.2], tolerance: .ulps(8192))
    case .cos: SampleDomain(operands: [-0.7...0.7], tolerance: .ulps(8192))
    case .tan: SampleDomain(operands: [0.6...1.2], tolerance: .ulps(16384))
    case .tanh: SampleDomain(operands: [0.2...4], tolerance: .ulps(64))
    case .asin: SampleDomain(operands: [0.2...0.9], tolerance: .ulps(4096))
    case .acos: SampleDomain(operands: [-0.9...0.9], tolerance: .ulps(4096))
    case .atan: SampleDomain(operands: [0.2...4], tolerance: .ulps(4096))
    case .sinh: SampleDomain(operands: [0.2...4], tolerance: .ulps(64))
    case .cosh: SampleDomain(operands: [0.2...4], tolerance: .ulps(64))
    case .erf: SampleDomain(operands: [0.1...3], tolerance: .ulps(16))
    case .floor, .ceil, .round: SampleDomain(operands: [wide], isSmooth: false)
    case .bitAnd, .bitOr, .bitXor:
      SampleDomain(operands: [0...65535, 0...65535], type: .uint32, isSmooth: false)
    case .shiftLeft, .shiftRight: SampleDomain(operands: [0...65535, 0...15], type: .uint32, isSmooth: false)
    case .threefryFirst, .threefrySecond:
      SampleDomain(operands: Array(repeating: 0...65535, count: 4), type: .uint32, isSmooth: false)
    case .less, .lessOrEqual, .equal, .notEqual:
      SampleDomain(operands: [0...9, 0...9], type: .int32, isSmooth: false)
    case .and, .or: SampleDomain(operands: [0...1, 0...1], type: .bool, isSmooth: false)
    case .not: SampleDomain(operands: [0...1], type: .bool, isSmooth: false)
    case .remainder: SampleDomain(operands: [-99...99, 1...9], type: .int32, isSmooth: false)
    case .isNaN, .select, .convert, .bitcast: nil
    }
  }
}
