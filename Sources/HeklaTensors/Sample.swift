import HeklaArrays

/// One case of an operation: what to test, check the gradient of and measure.
public struct Sample: Sendable {
  /// One input: random values of a range.
  public struct Input: Sendable {
    /// Shape and type.
    public let signature: Signature
    /// Values are drawn uniformly from here; whole numbers include both ends.
    public let range: ClosedRange<Double>

    /// Random values of `range`.
    public init(_ shape: Shape, _ elementType: ElementType = .float32, in range: ClosedRange<Double> = -1...1)
    {
      signature = Signature(shape, elementType)
      self.range = range
    }

    /// Values, the same for the same key.
    public func values(key: RandomKey) -> HostArray {
      let width = range.upperBound - range.lowerBound
      let isWhole = !signature.elementType.isFloating
      let numbers = (0..<signature.shape.count).map { index -> Double in
        let uniform = Double(key.uniform(at: index))
        return isWhole
          ? range.lowerBound + (uniform * (width + 1)).rounded(.down) : range.lowerBound + uniform * width
      }
      return HostArray(converting: numbers, shape: signature.shape, to: signature.elementType)
    }
  }

  /// How far a device's result may lie from the reference.
  public enum Tolerance: Sendable {
    /// Not at all: data is moved or whole numbers are computed.
    case exact
    /// Each element by `n` units in the last place of its own type.
    case ulps(Double)
    /// A sum of `n` terms: by `n` half-units in the last place, times the sum of the terms' absolute values,
    /// which the reference gives when it is run on absolute inputs. Source: Higham 2002, section 3.1.
    case sum(of: Int)
    /// Every element by `n` half-units in the last place of the largest absolute value of the result: for
    /// factorizations, whose errors are bounded norm by norm. Source: Higham 2002, section 10.1.
    case normwise(Double)

    /// How far an element of a result may lie from `wanted`.
    /// - Parameters:
    ///   - wanted: The element of the reference.
    ///   - type: What the result holds.
    ///   - magnitude: For sums, the sum of the terms' absolute values.
    ///   - largest: The largest finite absolute value of the reference.
    public func allowedError(
      at wanted: Double, in type: ElementType, magnitude: Double, largest: Double
    ) -> Double {
      let roundoff = type == .float64 ? 0x1p-53 : 0x1p-24
      return switch self {
      case .exact: 0
      // A device may flush results below the least normal number to 0.
      case .ulps(let count): Swift.max(count * type.unit(at: wanted), Double(Float.leastNormalMagnitude))
      case .sum(let count): Double(count) * roundoff * magnitude
      case .normwise(let count): count * roundoff * largest
      }
    }
  }

  /// What tells the case from others of the operation.
  public let label: String
  /// The inputs.
  public let inputs: [Input]
  /// How far a result may be off.
  public let tolerance: Tolerance
  /// Floating-point operations of one evaluation, 0 where data only moves.
  public let flops: Int
  /// Whether gradients are checked against central differences.
  public let isDifferentiable: Bool
  /// The operation on the inputs.
  public let build: @Sendable ([Tensor]) -> Tensor

  /// A case of an operation.
  public init(
    _ label: String, inputs: [Input], tolerance: Tolerance, flops: Int = 0, isDifferentiable: Bool = true,
    build: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.label = label
    self.inputs = inputs
    self.tolerance = tolerance
    self.flops = flops
    self.isDifferentiable = isDifferentiable
    self.build = build
  }

  /// Values for the inputs, the same for the same key.
  public func values(key: RandomKey) -> [HostArray] {
    inputs.enumerated().map { position, input in input.values(key: key.folded(in: UInt64(position))) }
  }
}

extension ElementType {
  /// The unit in the last place of numbers of this type near `value`.
  fileprivate func unit(at value: Double) -> Double {
    switch self {
    case .float64: value.magnitude.ulp
    case .float16: Double(Float16(value).magnitude.ulp)
    // The first 16 bits of a float32.
    case .bfloat16: Double(Float(value).magnitude.ulp) * 0x1p16
    default: Double(Float(value).magnitude.ulp)
    }
  }
}
