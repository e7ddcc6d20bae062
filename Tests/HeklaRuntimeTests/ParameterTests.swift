import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// Values that outlive a step, on every device.
@Suite struct ParameterTests {
  static let passes = ["all passes", "no merging", "no update in place", "no memory reuse"]

  private func options(_ name: String) -> CompilerOptions {
    CompilerOptions.variations.first { $0.name == name }?.options ?? CompilerOptions()
  }

  @Test(arguments: TestDevice.present, passes)
  func `two parameters swap at each step`(device: TestDevice, passes: String) throws {
    try device.run { executor in
      // Longer than one block of any device's loop.
      let (p, q) = (Parameter(.coordinates([5000], along: 0)), Parameter(-Tensor.range(5000)))
      let step = try executor.compile(
        StepDescription(assignments: [p.assigning(q.tensor), q.assigning(p.tensor)]), options: options(passes)
      )
      let (first, second) = (try executor.values(of: p), try executor.values(of: q))
      for round in 1...3 {
        try step.submit()
        #expect(try executor.values(of: p) == (round % 2 == 1 ? second : first))
        #expect(try executor.values(of: q) == (round % 2 == 1 ? first : second))
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `initial values that depend on another parameter are refused`(device: TestDevice) throws {
    try device.run { executor in
      let p = Parameter(.ones([3]))
      let (copy, twin) = (Parameter(p.tensor * 2), Parameter(p.initial * 2))
      #expect(
        throws: DeviceError.invalidArgument(
          call: "compile",
          reason:
            "initial values depend on a parameter of \(p.signature). Make them from its initial values, "
            + "'initial', or assign them to the parameter afterwards.")
      ) { _ = try executor.values(of: copy) }
      let values: [Float] = try executor.values(of: twin).elements()
      #expect(values == [2, 2, 2])
    }
  }

  @Test(arguments: TestDevice.present, passes)
  func `an output may read the old value, the new one, or both`(device: TestDevice, passes: String) throws {
    try device.run { executor in
      let p = Parameter(.full([7], 1))
      let next = p.tensor * 2
      let step = try executor.compile(
        StepDescription(
          outputs: [p.tensor, next, (next + p.tensor).sum(), p.tensor.reshaped(to: [7, 1])],
          assignments: [p.assigning(next)]), options: options(passes))
      for round in 0..<4 {
        let old = Float(1 << round)
        let results = try step.run()
        #expect(results[0].elements() == [Float](repeating: old, count: 7))
        #expect(results[1].elements() == [Float](repeating: 2 * old, count: 7))
        #expect(results[2].elements() == [21 * old])
        #expect(results[3].elements() == [Float](repeating: old, count: 7))
        #expect(try executor.values(of: p).elements() == [Float](repeating: 2 * old, count: 7))
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `an update that reads other elements of its own parameter does not write over them`(
    device: TestDevice
  ) throws {
    try device.run { executor in
      let p = Parameter(Tensor.range(3000))
      let step = try executor.compile(
        StepDescription(assignments: [p.assigning(p.tensor.flipped(along: [0]))]))
      #expect(step.plan.copies.count == 1)
      for _ in 0..<3 { try step.submit() }
      #expect(try executor.values(of: p).elements() == Array((0..<3000).map { Int32($0) }.reversed()))
    }
  }

  @Test func `parameters can be assigned and reset, and refuse a second executor`() throws {
    let executor = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"))
    let p = Parameter(.full([2], 3))
    #expect(try executor.values(of: p).elements() == [Float(3), 3])
    try executor.assign(HostArray([4, 5] as [Float]), to: p)
    let other = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"))
    #expect(throws: DeviceError.self) { try other.values(of: p) }
    #expect(try executor.values(of: p).elements() == [Float(4), 5])
    try executor.reset([p])
    #expect(try executor.values(of: p).elements() == [Float(3), 3])
    #expect(throws: DeviceError.self) { try executor.assign(HostArray([1] as [Float]), to: p) }
  }
}
