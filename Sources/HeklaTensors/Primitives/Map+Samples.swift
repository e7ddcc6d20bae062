import HeklaArrays

extension Map {
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
      Sample("one", inputs: [Sample.Input([])], tolerance: .ulps(1), flops: 1) { $0[0] * 3 },
      Sample(
        "add-bytes",
        inputs: [Sample.Input([5, 3], .uint8, in: 0...255), Sample.Input([3], .uint8, in: 0...255)],
        tolerance: .exact, flops: 15, isDifferentiable: false
      ) { $0[0] + $0[1] },
    ] + typed + conversions
  }

  /// Operations on further types than those of `sampleDomain`.
  private static var typed: [Sample] {
    let wholeTypes: [ElementType] = [.int32, .uint32, .int64]
    let wholes = wholeTypes.flatMap { type -> [Sample] in
      let range = type == .uint32 ? 0.0...99 : -99.0...99
      let binary: [ScalarOperation] = [
        .add, .subtract, .multiply, .minimum, .maximum, .less, .lessOrEqual, .equal, .notEqual,
      ]
      let bits: [ScalarOperation] = type == .uint32 ? [] : [.bitAnd, .bitOr, .bitXor]
      let shifts: [ScalarOperation] = type == .uint32 ? [] : [.shiftLeft, .shiftRight]
      return (binary + bits).map { sample($0, type, [range, range]) }
        + shifts.map { sample($0, type, [range, 0...15]) }
        + [.divide, .remainder].map { sample($0, type, [range, 1...9]) }
        + [.negate, .absolute, .sign].map { sample($0, type, [range]) }
    }
    let reals: [ScalarOperation] = [.add, .subtract, .multiply, .divide]
    let pairs: [ScalarOperation] = [.minimum, .maximum, .less, .lessOrEqual, .equal, .notEqual]
    let singles: [ScalarOperation] = [.negate, .absolute, .sign, .floor, .ceil, .round]
    return wholes
      // Vulkan asks for no more of double precision than of single: 2.5 units for a quotient.
      + reals.map { sample($0, .float64, [-8...8, 0.5...4], tolerance: .ulps(3)) }
      + pairs.map { sample($0, .float64, [-8...8, -8...8]) } + singles.map { sample($0, .float64, [-8...8]) }
      + [sample(.sqrt, .float64, [0.1...8], tolerance: .ulps(4))]
  }

  private static func sample(
    _ operation: ScalarOperation, _ type: ElementType, _ ranges: [ClosedRange<Double>],
    tolerance: Sample.Tolerance = .exact
  ) -> Sample {
    Sample(
      "\(operation.rawValue)-\(type)", inputs: ranges.map { Sample.Input([67, 31], type, in: $0) },
      tolerance: tolerance, flops: 67 * 31 * operation.cost, isDifferentiable: false
    ) { inputs in
      .elementwise(
        .apply(operation, inputs.enumerated().map { .input($0, $1.elementType) }), inputs)
    }
  }

  /// Each type to each other one, at numbers that all of them hold at least nearly.
  private static var conversions: [Sample] {
    ElementType.allCases.flatMap { source in
      ElementType.allCases.filter { $0 != source }.map { target in
        let isSigned = ![source, target].contains { [.bool, .uint8, .uint32].contains($0) }
        return Sample(
          "\(source)-to-\(target)",
          inputs: [
            Sample.Input([67, 31], source, in: source == .bool ? 0...1 : isSigned ? -99...99 : 0...99)
          ],
          // Kernels round to bfloat16 themselves, to nearest; Vulkan's own conversions may round either way.
          tolerance: !target.isFloating ? .exact : .ulps(target == .bfloat16 ? 0.5 : 1),
          isDifferentiable: false
        ) { $0[0].converted(to: target) }
      }
    }
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
