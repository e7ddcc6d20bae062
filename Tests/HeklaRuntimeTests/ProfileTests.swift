import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct ProfileTests {
  /// A product, a fold of a loop over three steps, and a parameter that counts the runs.
  private static func step(_ runs: Parameter, on executor: PlanExecutor) throws -> CompiledStep {
    try executor.compile(inputs: [Signature([8, 5]), Signature([5, 4])]) { x in
      let (state, _) = fold([x[0]], count: 3) { state, _ in ([state[0] * 0.5 + 1], []) }
      return StepDescription(
        outputs: [x[0].matrixProduct(x[1]), state[0]], assignments: [runs.assigning(runs.tensor + 1)])
    }
  }

  private static let arguments = [HostArray(zeros: [8, 5]), HostArray(zeros: [5, 4])]

  @Test(arguments: TestDevice.present)
  func `a profile has each launch with its repetitions, bytes and operations`(device: TestDevice) throws {
    try device.run { executor in
      let runs = Parameter(.zeros([2]))
      let step = try Self.step(runs, on: executor)
      let profile = try step.profile(Self.arguments, runs: 2)
      // One to warm up, two of each kind.
      #expect(try executor.values(of: runs).elements() == [Float(5), 5])
      #expect(try step.run(Self.arguments)[1].elements(as: Float.self) == [Float](repeating: 1.75, count: 40))

      #expect(profile.runCount == 2)
      #expect(
        profile.entries.map(\.label) == step.plan.steps.map(\.label) + step.plan.copies.map { _ in "copy" })
      let product = try #require(profile.entries.first { $0.label == "matrix-product" })
      #expect(product.launches == 1 && product.operationCount == 2 * 8 * 5 * 4)
      #expect(product.byteCount == 4 * (40 + 20 + 32))
      #expect(product.shapes == "8x5 -> 8x4")
      let repeated = try #require(profile.entries.first { $0.launches == 3 })
      #expect(repeated.shapes == "8x5" && repeated.operationCount == 3 * 2 * 40)
      #expect(repeated.byteCount == 3 * 2 * 160)
      #expect(profile.launchCount == profile.entries.count + 2)
      #expect(profile.groups.reduce(0) { $0 + $1.launches } == profile.launchCount)
      #expect(zip(profile.groups, profile.groups.dropFirst()).allSatisfy { $0.nanoseconds >= $1.nanoseconds })

      #expect(profile.nanoseconds >= profile.submissionNanoseconds && profile.submissionNanoseconds > 0)
      #expect(profile.otherNanoseconds == profile.nanoseconds - profile.kernelNanoseconds)
      for timings in profile.runs.compactMap(\.timings) {
        #expect(timings.count == profile.launchCount && timings[0].start == 0)
        let isInOrder = zip(timings, timings.dropFirst()).allSatisfy { $1.start >= $0.start }
        #expect(isInOrder && timings.allSatisfy { $0.nanoseconds >= 0 })
      }
      #expect(zip(profile.runs, profile.runs.dropFirst()).allSatisfy { $1.start >= $0.start + $0.whole })
      #expect(step.plan.assignedParameterCount == 1)
    }
  }

  @Test func `a loop counts what it reads of an array, a copy its both ends`() throws {
    var options = CompilerOptions()
    options.mergesLoops = false
    let (p, q) = (Parameter(.zeros([4])), Parameter(.ones([4])))
    let plan = try Compiler.plan(
      [Tensor.input(0, Signature([100, 8])).sliced(0..<10, along: 0) + 1],
      assigning: [p.assigning(q.tensor), q.assigning(p.tensor)], inputs: [Signature([100, 8])],
      options: options)
    let slice = try #require(plan.steps.first { $0.shapes.hasPrefix("100x8") })
    #expect(slice.byteCount == 2 * 10 * 8 * 4 && slice.operationCount == 80)
    #expect(plan.copies.count == 1 && plan.assignedParameterCount == 2)
  }

  @Test func `of an operation of several launches the first has all operations`() throws {
    let x = Tensor.input(0, Signature([1, 32, 4096])), y = Tensor.input(1, Signature([1, 4096, 32]))
    let plan = try Compiler.plan(
      [x.matrixProduct(y)], inputs: [Signature([1, 32, 4096]), Signature([1, 4096, 32])])
    #expect(plan.steps.map(\.operationCount) == [2 * 32 * 32 * 4096, 0])
  }

  @Test func `a profiler measures a step after its first runs, then cancels`() throws {
    let profiler = StepProfiler(runCount: 2, warmUpCount: 1)
    let executor = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"), profiler: profiler)
    let runs = Parameter(.zeros([2]))
    let step = try Self.step(runs, on: executor)
    let other = try executor.compile(StepDescription(outputs: [runs.tensor * 2]))
    var results: [Float] = []
    let error = #expect(throws: DeviceError.self) {
      while true {
        _ = try step.run(Self.arguments)
        results.append(try executor.values(of: runs).elements(as: Float.self)[0])
        if results.count == 3 { _ = try other.run() }
      }
    }
    #expect(error == .cancelled(reason: "the profiler has seen 2 runs of a step."))
    // Every run was a run, however it was made.
    #expect(results == [1, 2, 3, 4, 5])
    #expect(profiler.hasCancelled)
    #expect(profiler.profiles.count == 1)
    let profile = try #require(profiler.profiles.first)
    #expect(profile.runs.map { $0.timings == nil } == [true, false, true, false])
    #expect(profile.plan.steps.count == step.plan.steps.count)
    #expect(try #require(profile.pauseNanoseconds) > 0)
    #expect(throws: DeviceError.self) { try other.run() }
  }

  @Test func `a roofline is measured once, and the slower of two needs counts`() throws {
    let device = try DeviceCatalog.shared.device(named: "cpu")
    let roofline = try Roofline.measured(on: device)
    #expect(roofline.operationsPerSecond > 1e8 && roofline.bytesPerSecond > 1e8)
    #expect(try Roofline.measured(on: device) == roofline)
    let known = Roofline(operationsPerSecond: 1e9, bytesPerSecond: 4e9)
    // 2 us of operations, 1 us of bytes, in 8 us.
    #expect(known.share(operations: 2000, bytes: 4000, nanoseconds: 8000) == 0.25)
    #expect(known.share(operations: 0, bytes: 4000, nanoseconds: 8000) == 0.125)
  }
}
