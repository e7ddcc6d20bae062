import HeklaArrays
import HeklaDevices
import HeklaTensors

/// One computation to measure: its inputs, and how to tell whether what a device made of them is right.
struct BenchmarkCase: Sendable {
  /// What results call it.
  let name: String
  /// The shape as the person wrote it.
  let shape: String
  /// What the elements are.
  let elementType: ElementType
  /// What the computation is given.
  let inputs: [BenchmarkInput]
  /// What it returns.
  let output: Signature
  /// Arithmetic operations of one evaluation; a call of a function counts as one.
  let operationCount: Double
  /// The bytes that have to move at least: each input that is needed and the output, once.
  let byteCount: Double
  /// The primitive whose kernel variants can be chosen; nil for the first one that has any.
  let primitive: String?
  /// The computation.
  let build: @Sendable ([Tensor]) -> Tensor
  /// The largest error of a result for these inputs, in units of what rounding alone may cause; infinite where an
  /// element is missing.
  let largestError: @Sendable (_ inputs: [HostArray], _ output: HostArray) -> Double

  init(
    _ name: String, shape: String, elementType: ElementType, inputs: [BenchmarkInput],
    operationCount: Double, byteCount: Double? = nil, primitive: String? = nil,
    build: @escaping @Sendable ([Tensor]) -> Tensor,
    largestError: @escaping @Sendable (_ inputs: [HostArray], _ output: HostArray) -> Double
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.inputs = inputs
    self.operationCount = operationCount
    output = build(inputs.enumerated().map { .input($0, $1.signature) }).signature
    let all = (inputs.map(\.signature) + [output]).reduce(0.0) { $0 + Double($1.byteCount) }
    self.byteCount = byteCount ?? all
    self.primitive = primitive
    self.build = build
    self.largestError = largestError
  }
}

/// One input of a case.
struct BenchmarkInput: Sendable {
  /// What values are drawn from, all equally likely.
  enum Values: Sendable {
    /// Numbers from -1 to 1.
    case numbers
    /// Whole numbers from 0 to below a bound.
    case indices(below: Int)
    /// What a sample draws.
    case drawn(Sample.Input)
  }

  /// Shape and type.
  let signature: Signature
  /// What the elements are drawn from.
  let values: Values

  /// Numbers from -1 to 1 of `shape`.
  static func numbers(_ shape: Shape, _ elementType: ElementType) -> BenchmarkInput {
    BenchmarkInput(signature: Signature(shape, elementType), values: .numbers)
  }

  /// `count` indices below `bound`.
  static func indices(_ count: Int, below bound: Int) -> BenchmarkInput {
    BenchmarkInput(signature: Signature([count], .int32), values: .indices(below: bound))
  }

  /// The values, the same for the same key.
  func tensor(key: RandomKey) -> Tensor {
    let uniform = Tensor.uniform(signature.shape, key: key)
    switch values {
    case .drawn(let input): return Tensor(input.values(key: key))
    case .numbers where signature.elementType == .float64:
      // 24 random bits would leave products exact, and hide an arithmetic that is narrower than it should be.
      let fine =
        Tensor.uniform(signature.shape, key: key.folded(in: "fine")).converted(to: .float64) * 0x1p-24
      return (uniform.converted(to: .float64) + fine) * 2 - 1
    case .numbers: return (uniform * 2 - 1).converted(to: signature.elementType)
    case .indices(let bound):
      // The product may round up to the bound itself.
      return uniform.map { .minimum(.floor($0 * Scalar(Double(bound))), Scalar(Double(bound - 1))) }
        .converted(to: .int32)
    }
  }
}
