import HeklaArrays
import HeklaDevices
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime
@testable import HeklaTensors

/// That the checks of the conformance suite can fail: kernels that are wrong on purpose.
@Suite struct MemoryGuardTests {
  /// Cumulative sums of an input that is one element longer, of which a kernel is told to do `done`.
  private struct Miscounted: Primitive {
    var count: Int
    var done: Int

    var name: String { "miscounted" }
    var attributes: String { "\(count) \(done)" }
    func signature(of inputs: [Signature]) -> Signature { Signature([count]) }
    func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
      var sum = 0.0
      let sums = inputs[0].doubles().prefix(count).map { value in
        sum += value
        return sum
      }
      return HostArray(sums, shape: signature.shape)
    }
    static var samples: [Sample] { [] }

    var lowering: Lowering {
      .kernels([
        KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { [done] _, _, _ in
          // Parameters: float32, a sum, not reversed, the extents before, along and after the axis.
          KernelProgram([KernelCall(.host("scan", [0, 0, 0, 1, done, 1]), bindings: [.input(0), .output])])
        },
        KernelVariant("shader", applies: { device, _, _ in device.interface != .host }) { [done] _, _, _ in
          KernelProgram([
            KernelCall(.shader("copy_words"), bindings: [.input(0), .output], pushConstants: [UInt32(done)])
          ])
        },
      ])
    }
  }

  private func run(_ count: Int, done: Int, on executor: PlanExecutor) throws -> (
    result: [Double], broken: [String]
  ) {
    var options = CompilerOptions()
    options.guardsMemory = true
    let values = Tensor.ones([count + 1]).exp() * 0 + 1
    let output = Tensor(Miscounted(count: count, done: done), [values])
    let step = try executor.compile(StepDescription(outputs: [output]), options: options)
    try step.poison()
    return (try step.run()[0].doubles(), try step.brokenGuards())
  }

  @Test(arguments: TestDevice.present)
  func `a kernel that writes one element past its output is caught, by the output's name`(
    device: TestDevice
  ) throws {
    try device.run { executor in
      let (_, broken) = try run(67, done: 68, on: executor)
      #expect(broken.count == 1)
      #expect(broken.first?.contains("word 0 of 256 after v") == true, "\(broken)")
      #expect(broken.first?.contains("(float32[67])") == true, "\(broken)")
    }
  }

  @Test(arguments: TestDevice.present)
  func `an element that a kernel leaves unwritten is NaN`(device: TestDevice) throws {
    try device.run { executor in
      let (result, broken) = try run(67, done: 66, on: executor)
      #expect(result.dropLast().allSatisfy { !$0.isNaN })
      #expect(result.last?.isNaN == true)
      #expect(broken.isEmpty)
    }
  }

  @Test(arguments: TestDevice.present)
  func `a kernel that writes what it should leaves all guards as they were`(device: TestDevice) throws {
    try device.run { executor in
      let (result, broken) = try run(67, done: 67, on: executor)
      #expect(result.allSatisfy { !$0.isNaN })
      #expect(broken.isEmpty)
    }
  }

  @Test func `arguments, constants and results are guarded on both sides, and keep their values`() throws {
    let executor = try TestDevice.cpu.executor()
    var options = CompilerOptions()
    options.guardsMemory = true
    let step = try executor.compile(inputs: [Signature([3])], options: options) { inputs in
      StepDescription(outputs: [inputs[0] + Tensor([10, 20, 30] as [Float])])
    }
    #expect(step.plan.guardByteCount >= 1024)
    #expect(step.plan.arenaByteCounts[0] >= 12 + 2 * step.plan.guardByteCount)
    for _ in 0..<2 {
      try step.poison()
      #expect(try step.run([HostArray([1, 2, 3] as [Float])])[0].doubles() == [11, 22, 33])
      #expect(try step.brokenGuards() == [])
    }
  }
}
