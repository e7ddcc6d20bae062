import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// Products that take in the elementwise operations behind them.
@Suite struct EpilogueTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// How many kernels it takes where the product is fused.
    let stepCount: Int
    let build: @Sendable () -> Tensor
  }

  private static func random(_ shape: Shape, seed: UInt64, _ type: ElementType = .float32) -> Tensor {
    Tensor(
      referenceValues(of: [Tensor.uniform(shape, key: RandomKey(seed: seed)) - 0.5])[0].converted(to: type))
  }

  static let cases = [
    Case(testDescription: "bias and activation", stepCount: 1) {
      (random([13, 9], seed: 1).matrixProduct(random([9, 20], seed: 2)) + random([20], seed: 3)).gelu()
    },
    Case(testDescription: "residual", stepCount: 1) {
      random([33, 8], seed: 1).matrixProduct(random([8, 12], seed: 2)) * 0.5 + random([33, 12], seed: 3)
    },
    Case(testDescription: "batches, a transposed side, a column of factors", stepCount: 1) {
      random([3, 10, 8], seed: 1).matrixProduct(random([3, 12, 8], seed: 2).transposed())
        .relu() * random([3, 10, 1], seed: 3)
    },
    Case(testDescription: "coordinates", stepCount: 1) {
      random([9, 5], seed: 1).matrixProduct(random([5, 9], seed: 2)).lowerTriangle()
    },
    Case(testDescription: "reshaped", stepCount: 1) {
      random([6, 4], seed: 1).matrixProduct(random([4, 10], seed: 2)).reshaped(to: [3, 2, 2, 5])
        + random([2, 5], seed: 3)
    },
    Case(testDescription: "two products, one of which takes the other", stepCount: 2) {
      random([7, 5], seed: 1).matrixProduct(random([5, 6], seed: 2))
        * random([7, 40], seed: 3).matrixProduct(random([40, 6], seed: 4))
    },
    Case(testDescription: "transposed after the product", stepCount: 2) {
      random([7, 5], seed: 1).matrixProduct(random([5, 6], seed: 2)).transposed() + 1
    },
    Case(testDescription: "read twice", stepCount: 3) {
      let product = random([7, 5], seed: 1).matrixProduct(random([5, 6], seed: 2))
      return (product + 1) * product.sum(along: 1, keepingAxes: true)
    },
    Case(testDescription: "another type", stepCount: 2) {
      random([7, 5], seed: 1).matrixProduct(random([5, 6], seed: 2)).converted(to: .int32)
    },
    Case(testDescription: "whole numbers beside", stepCount: 1) {
      random([7, 5], seed: 1).matrixProduct(random([5, 6], seed: 2))
        * Tensor([3, 1, 4, 1, 5, 9] as [Int32]).converted(to: .float32)
    },
    Case(testDescription: "convolution, bias and activation", stepCount: 1) {
      (random([2, 3, 9, 7], seed: 1).convolved(with: random([6, 3, 3, 3], seed: 2))
        + random([6, 1, 1], seed: 3)).tanh()
    },
    Case(testDescription: "depthwise convolution and residual", stepCount: 1) {
      let x = random([2, 4, 8, 8], seed: 1)
      return x.convolved(with: random([4, 1, 3, 3], seed: 2), padding: .same, groups: 4) + x
    },
    Case(testDescription: "double precision", stepCount: 1) {
      (random([5, 6], seed: 1, .float64).matrixProduct(random([6, 4], seed: 2, .float64))
        + random([4], seed: 3, .float64)).map { .absolute($0) }
    },
  ]

  @Test(arguments: TestDevice.shading, cases)
  func `what follows a product is computed in its kernel, with the same values`(
    device: TestDevice, example: Case
  ) throws {
    let output = example.build()
    try device.run { executor in
      let step = try executor.compile(StepDescription(outputs: [output]))
      #expect(step.plan.steps.count == example.stepCount, "\(step.plan)")
      var apart = CompilerOptions()
      apart.fuses = false
      let (fused, plain) = (try step.run()[0], try executor.values(of: [output], options: apart)[0])
      // One rounding more or less for each operation of a chain of a few.
      let difference = disagreement(fused, plain.converted(to: .float64), within: 1e-5)
      #expect(difference == nil, "\(difference ?? "")")
      let wanted = referenceValues(of: [output])[0]
      #expect(disagreement(fused, wanted, within: 1e-4) == nil)
    }
  }

  @Test func `each way of computing a product takes what follows`() throws {
    let x = Tensor.input(0, Signature([70, 3_000]))
    let w = Tensor.input(1, Signature([3_000, 64]))
    let output = (x.matrixProduct(w) + Tensor.input(2, Signature([64]))).relu()
    let inputs = [x, w].map(\.signature) + [Signature([64])]
    for variant in ["tiled-64", "tiled-32", "registers", "naive"] {
      let plan = try Compiler.plan(
        [output], inputs: inputs, options: CompilerOptions(preferring: ["matrix-product": variant]))
      let last = try #require(plan.steps.last)
      // Where the sums are split, the kernel that adds the parts takes it.
      #expect(plan.steps.count == (variant.hasPrefix("tiled") ? 2 : 1), "\(plan)")
      #expect(
        last.label == "matrix-product + map"
          && plan.values[last.bindings.last ?? 0].signature == output.signature)
      #expect(last.bindings.contains { plan.values[$0].storage == .input(2) })
    }
  }

  @Test(arguments: TestDevice.shading)
  func `parts of a long sum are added before what follows`(device: TestDevice) throws {
    // Whole numbers, so that the sums are exact; long enough to be split where loops are bounded.
    let numbers = Tensor.range(70_000).map { ($0 % 5 - 2).converted(to: .float32) }
    let output =
      numbers.reshaped(to: [1, 70_000]).matrixProduct(numbers.reshaped(to: [70_000, 1])) * 0.5 + 1
    #expect(try device.run { try $0.values(of: [output])[0].doubles() } == [70_001])
  }

  @Test(arguments: TestDevice.present)
  func `a parameter that a product's gradient updates is right, and reads what it was`(device: TestDevice)
    throws
  {
    let w = Parameter(Self.random([6, 4], seed: 1))
    let x = Self.random([5, 6], seed: 2)
    // The weights are an operand of the product and read again behind it.
    let update = w.tensor - x.transposed().matrixProduct(x).matrixProduct(w.tensor) * 0.1
    let wanted = referenceValues(of: [
      Self.random([6, 4], seed: 1)
        - x.transposed().matrixProduct(x).matrixProduct(Self.random([6, 4], seed: 1)) * 0.1
    ])[0]
    try device.run { executor in
      let step = try executor.compile(StepDescription(outputs: [], assignments: [w.assigning(update)]))
      _ = try step.run()
      let difference = disagreement(try executor.values(of: w), wanted, within: 1e-5)
      #expect(difference == nil, "\(difference ?? "")")
    }
  }

  @Test func `weights are updated where they lie by the product that makes their gradient`() throws {
    let w = Parameter(.zeros([6, 4]))
    let (x, y) = (Tensor.input(0, Signature([5, 6])), Tensor.input(1, Signature([5, 4])))
    let update = w.tensor - x.transposed().matrixProduct(y) * 0.1
    let plan = try Compiler.plan(assigning: [w.assigning(update)], inputs: [x.signature, y.signature])
    #expect(plan.steps.count == 1 && plan.copies.isEmpty, "\(plan)")
  }
}
