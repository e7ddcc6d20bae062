import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// How many kernels a computation becomes, and of what kind.
@Suite struct FusionTests {
  private func input(_ position: Int, _ shape: Shape) -> Tensor { .input(position, Signature(shape)) }

  private func kernels(
    _ outputs: [Tensor], assigning assignments: [Assignment] = [], inputs: [Shape] = [],
    options: CompilerOptions = CompilerOptions()
  ) throws -> [String] {
    try Compiler.plan(outputs, assigning: assignments, inputs: inputs.map { Signature($0) }, options: options)
      .steps.map(\.label)
  }

  @Test func `a chain of elementwise operations is one kernel, or one each without fusion`() throws {
    let y = (input(0, [8, 8]) * 2 + 1).tanh()
    #expect(try kernels([y], inputs: [[8, 8]]) == ["map"])
    var options = CompilerOptions()
    options.fuses = false
    options.mergesLoops = false
    let unfused = try kernels([y], inputs: [[8, 8]], options: options)
    #expect(unfused == ["map", "map", "map"])
  }

  @Test func `softmax folds twice, and stores what is costly and used twice`() throws {
    let labels = try kernels([input(0, [32, 64]).softmax()], inputs: [[32, 64]])
    #expect(labels == ["maximum", "map", "sum", "map"])
  }

  @Test func `a linear layer with relu and its gradients takes a map beside its products and its sum`() throws
  {
    let (x, w, b) = (input(0, [16, 8]), input(1, [8, 4]), input(2, [4]))
    let loss = (x.matrixProduct(w) + b).relu().squared().sum()
    let slopes = gradients(of: loss, withRespectTo: [w, b])
    let labels = try kernels([loss] + slopes, inputs: [[16, 8], [8, 4], [4]])
    #expect(labels.filter { $0 == "matrix-product" }.count == 2)
    #expect(labels.filter { $0.hasPrefix("map") }.count == 1)
    #expect(labels.filter { $0 == "sum" }.count == 2)
    #expect(labels.count == 5)
  }

  @Test func `an update of weight and moments is one loop that writes all three in place`() throws {
    let (w, m, v) = (Parameter(.ones([64])), Parameter(.zeros([64])), Parameter(.zeros([64])))
    let g = input(0, [64])
    let mean = m.tensor * 0.9 + g * 0.1
    let square = v.tensor * 0.99 + g.squared() * 0.01
    let next = w.tensor - mean / (square.squareRoot() + 1e-8) * 0.001
    let plan = try Compiler.plan(
      assigning: [w.assigning(next), m.assigning(mean), v.assigning(square)], inputs: [Signature([64])])
    #expect(plan.steps.map(\.label) == ["map x3"])
    #expect(plan.copies.isEmpty && plan.arenaByteCounts.isEmpty)
  }

  @Test func `a reshape of a transposed tensor is a read with split axes, not a copy`() throws {
    let x = input(0, [4, 6])
    let plan = try Compiler.plan([x.transposed().reshaped(to: [3, 8]) * 2], inputs: [Signature([4, 6])])
    #expect(plan.steps.map(\.label) == ["map"])
    let built = try LoopBuilder.build([(x.transposed().reshaped(to: [3, 8]) * 2).node]) { $0 == x.node }
    // The 8 splits into 2 and 4, and the 2 goes with the 3 again.
    #expect(built.loop.extents == [6, 4])
    #expect(built.loop.reads.map(\.index.strides) == [[1, 6]])
  }

  @Test func `a reshape whose factors do not line up stores what it reads`() throws {
    let y = (input(0, [35, 6]).transposed().reshaped(to: [10, 21])) * 2
    #expect(try kernels([y], inputs: [[35, 6]]) == ["map", "map"])
  }

  @Test
  func `concatenation and padding are one kernel each, the gradient of a strided slice one an axis and step`()
    throws
  {
    let x = input(0, [6, 6])
    #expect(try kernels([.concatenating([x * 2, x + 1], along: 0)], inputs: [[6, 6]]) == ["map"])
    #expect(
      try kernels([x.padded(before: [1, 1], after: [1, 1], with: 3) + 1], inputs: [[6, 6]]) == ["map"])
    let slice = x.squared().sliced(starts: [0, 1], extents: [3, 2], steps: [2, 2])
    let labels = try kernels(gradients(of: slice.sum(), withRespectTo: [x]), inputs: [[6, 6]])
    // Spreading an axis of 3 to 5 is a quotient of an odd extent, which no splitting makes affine: it is stored.
    #expect(labels == ["map", "map", "map", "map"])
  }

  @Test func `equal subcomputations are done once`() throws {
    let x = input(0, [64, 64])
    let y = x.exp().sum(along: 1) + x.exp().sum(along: 1)
    #expect(try kernels([y], inputs: [[64, 64]]).filter { $0 == "sum" }.count == 1)
    var options = CompilerOptions()
    options.sharesSubexpressions = false
    #expect(try kernels([y], inputs: [[64, 64]], options: options).contains("sum +1"))
  }

  @Test func `independent loops over the same values share one launch`() throws {
    let x = input(0, [64])
    #expect(try kernels([x.exp(), x.tanh()], inputs: [[64]]) == ["map x2"])
    var options = CompilerOptions()
    options.mergesLoops = false
    #expect(try kernels([x.exp(), x.tanh()], inputs: [[64]], options: options) == ["map", "map"])
  }

  @Test func `no kernel binds more arrays than the device has places for`() throws {
    var capabilities = paperDevice
    capabilities.maxBindingCount = 4
    let terms = (0..<12).map { input($0, [8]) }
    let sum = terms.dropFirst().reduce(terms[0], +)
    let plan = try Compiler(capabilities: capabilities, options: CompilerOptions()).plan(
      Computation(StepDescription(outputs: [sum])), inputs: terms.map(\.signature))
    #expect(plan.steps.allSatisfy { $0.bindings.count <= 4 })
    #expect(plan.steps.count > 1)
  }

  @Test func `kernels come after those they read from, whatever the graph`() throws {
    // What sorts by radix needs workgroups of 256, and the graphs hold elements of many types.
    var capabilities = paperDevice
    capabilities.storageTypes = Set(ElementType.allCases)
    capabilities.arithmeticTypes = capabilities.storageTypes
    capabilities.maxWorkgroupInvocations = 256
    capabilities.maxWorkgroupSize = [256, 256, 64]
    capabilities.sharedMemoryByteCount = 32_768
    for seed in RandomGraphSeeds.few {
      let outputs = RandomGraphSeeds.outputs(seed)
      let plan = try Compiler(capabilities: capabilities, options: CompilerOptions()).plan(
        Computation(StepDescription(outputs: outputs)), inputs: [])
      var written = Set<Int>()
      for step in plan.steps {
        for value in step.reads {
          if case .arena = plan.values[value].storage { #expect(written.contains(value), "seed \(seed)") }
        }
        written.formUnion(step.writes.flatMap(plan.memory(of:)))
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `a narrow value is read back rounded, whether or not its kernel is merged with its reader's`(
    device: TestDevice
  ) throws {
    let numbers: [Float] = [1 / 3, -74.045_799, 1000.3, 130.958_847]
    let x = Tensor.input(0, Signature([4]))
    let rounded = [ElementType.float16, .bfloat16].map { x.converted(to: $0).converted(to: .float32) * 1 }
    for merges in [true, false] {
      var options = CompilerOptions()
      options.mergesLoops = merges
      let found = try device.run { executor in
        try executor.compile(StepDescription(outputs: rounded), inputs: [Signature([4])], options: options)
          .run([HostArray(numbers)])
      }
      #expect(found[0].elements() == numbers.map { Float(Float16($0)) })
      #expect(found[1].elements() == numbers.map { BFloat16($0).floatValue })
    }
  }
}
