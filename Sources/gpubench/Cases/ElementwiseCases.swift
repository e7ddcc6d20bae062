import Foundation
import HeklaArrays
import HeklaTensors

/// Computations that treat every element alike.
enum ElementwiseOperation: String, CaseIterable {
  /// The sum of two arrays.
  case add
  /// The Gaussian error linear unit in its tanh form.
  case gelu
  /// Eight operations on two arrays, which a fused kernel does in one pass.
  case chain
  /// The same values elsewhere.
  case copy

  fileprivate var inputCount: Int {
    switch self {
    case .add, .chain: 2
    case .gelu, .copy: 1
    }
  }

  fileprivate var operationCount: Int {
    switch self {
    case .add: 1
    case .gelu: 9
    case .chain: 8
    case .copy: 0
    }
  }

  fileprivate func build(_ inputs: [Tensor]) -> Tensor {
    switch self {
    case .add: inputs[0] + inputs[1]
    case .gelu: inputs[0].gelu()
    case .chain:
      .map(inputs[0], inputs[1]) { x, y in (.absolute(.maximum(x * y + x, y) * 0.5 - x)) * y + 1 }
    case .copy: inputs[0].copied
    }
  }

  /// The value at one element, and by how many units of roundoff arithmetic may move it.
  fileprivate func reference(_ x: Double, _ y: Double) -> (value: Double, units: Double) {
    switch self {
    case .add:
      // One rounding, which Vulkan lets go either way: two units.
      return (x + y, 2 * abs(x + y))
    case .gelu:
      let value = 0.5 * x * (1 + tanh(0.797_884_560_8 * (x + 0.044_715 * x * x * x)))
      // Near -1 and 1 the tanh is off by a few units of 1, not of itself, and OpenCL allows it 5 ulp; what is
      // wrong with 1 + tanh is then multiplied by x / 2.
      return (value, 64 * abs(x))
    case .chain:
      // Rounded are x y <= 1, the sum <= 2, the difference <= 2, the product with y <= 2 and the last sum <= 3, each by
      // two units; halving, absolute value and maximum are exact, and no later operation enlarges an error.
      return (abs(max(x * y + x, y) * 0.5 - x) * y + 1, 2 * (1 + 2 + 2 + 2 + 3))
    case .copy: return (x, 0)
    }
  }
}

extension CaseFamily {
  static let elementwise = CaseFamily(
    "elementwise",
    shape: CaseShape(
      "N or AxBx...", rule: "It is a number of elements or extents, such as 1048576 or 1024x1024.",
      counts: 1...8, usual: "16777216", software: "1048576", arrays: { extents, _ in [extents] }),
    summary: "add, gelu, chain (of 8 operations), copy",
    members: ElementwiseOperation.allCases.map { operation in
      Member(operation.rawValue, types: [.float32, .float16, .bfloat16, .float64]) {
        .elementwise(operation, $0)
      }
    })
}

extension BenchmarkCase {
  /// `operation` on arrays of any shape.
  fileprivate static func elementwise(
    _ operation: ElementwiseOperation, _ parameters: CaseParameters
  ) -> BenchmarkCase {
    let (extents, elementType) = (parameters.extents, parameters.elementType)
    return BenchmarkCase(
      operation.rawValue, shape: parameters.shape, elementType: elementType,
      inputs: Array(repeating: .numbers(Shape(extents), elementType), count: operation.inputCount),
      operationCount: Double(operation.operationCount * Shape(extents).count),
      // Where a narrow type meets a number, the result is float32; here it is stored as narrow as it came.
      build: { [operation.build($0).converted(to: elementType)] },
      largestError: { inputs, outputs in
        let (x, y) = (inputs[0].doubles(), inputs[inputs.count - 1].doubles())
        let roundoff = elementType.arithmeticRoundoff
        var error = LargestError()
        for (index, element) in outputs[0].doubles().enumerated() {
          let (value, units) = operation.reference(x[index], y[index])
          let storage = units == 0 ? 0 : elementType.storageError(at: value)
          error.compare(element, with: value, allowing: units * roundoff + storage)
        }
        return error.value
      })
  }
}
