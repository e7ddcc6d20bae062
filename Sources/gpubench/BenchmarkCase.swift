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
  let outputs: [Signature]
  /// Arithmetic operations of one evaluation; a call of a function counts as one.
  let operationCount: Double
  /// The bytes that have to move at least: each input that is needed and each output, once.
  let byteCount: Double
  /// The primitive whose kernel variants can be chosen; nil for the first one that has any.
  let primitive: String?
  /// The computation.
  let build: @Sendable ([Tensor]) -> [Tensor]
  /// The largest error of results for these inputs, in units of what rounding alone may cause; infinite where an
  /// element is missing.
  let largestError: @Sendable (_ inputs: [HostArray], _ outputs: [HostArray]) -> Double

  init(
    _ name: String, shape: String, elementType: ElementType, inputs: [BenchmarkInput],
    operationCount: Double, byteCount: Double? = nil, primitive: String? = nil,
    build: @escaping @Sendable ([Tensor]) -> [Tensor],
    largestError: @escaping @Sendable (_ inputs: [HostArray], _ outputs: [HostArray]) -> Double
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.inputs = inputs
    self.operationCount = operationCount
    outputs = build(inputs.enumerated().map { .input($0, $1.signature) }).map(\.signature)
    let all = (inputs.map(\.signature) + outputs).reduce(0.0) { $0 + Double($1.byteCount) }
    self.byteCount = byteCount ?? all
    self.primitive = primitive
    self.build = build
    self.largestError = largestError
  }
}

/// One input of a case.
struct BenchmarkInput: Sendable {
  /// Shape and type.
  let signature: Signature
  /// The values, the same for the same key.
  let tensor: @Sendable (_ key: RandomKey) -> Tensor

  init(_ signature: Signature, tensor: @escaping @Sendable (_ key: RandomKey) -> Tensor) {
    self.signature = signature
    self.tensor = tensor
  }

  /// Numbers from -1 to 1 of `shape`, all equally likely.
  static func numbers(_ shape: Shape, _ elementType: ElementType) -> BenchmarkInput {
    BenchmarkInput(Signature(shape, elementType)) { key in
      let uniform = Tensor.uniform(shape, key: key)
      guard elementType == .float64 else { return (uniform * 2 - 1).converted(to: elementType) }
      // 24 random bits would leave products exact, and hide an arithmetic that is narrower than it should be.
      let fine = Tensor.uniform(shape, key: key.folded(in: "fine")).converted(to: .float64) * 0x1p-24
      return (uniform.converted(to: .float64) + fine) * 2 - 1
    }
  }

  /// `count` whole numbers from 0 to below `bound`, all equally likely.
  static func indices(_ count: Int, below bound: Int) -> BenchmarkInput {
    BenchmarkInput(Signature([count], .int32)) { key in
      // The product may round up to the bound itself.
      Tensor.uniform([count], key: key).map {
        .minimum(.floor($0 * Scalar(Double(bound))), Scalar(Double(bound - 1)))
      }.converted(to: .int32)
    }
  }

  /// What a sample draws.
  static func drawn(_ input: Sample.Input) -> BenchmarkInput {
    BenchmarkInput(input.signature) { key in Tensor(input.values(key: key)) }
  }
}
