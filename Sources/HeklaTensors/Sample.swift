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
