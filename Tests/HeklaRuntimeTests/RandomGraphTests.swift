import HeklaArrays
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// Whole random graphs; `HEKLA_SEED` runs the one of a failure again.
@Suite struct RandomGraphTests {
  @Test(arguments: RandomGraph.seeds(40))
  func `on the cpu every combination of passes gives the values of the references`(seed: UInt64) throws {
    let executor = try TestDevice.cpu.executor()
    let outputs = RandomGraph(seed: seed).outputs
    let wanted = referenceValues(of: outputs)
    for (name, options) in CompilerOptions.variations {
      try check(outputs, wanted, on: executor, options: options, label: "HEKLA_SEED=\(seed), \(name)")
    }
  }

  /// Few and small: each new kernel takes these drivers up to a second.
  @Test(arguments: TestDevice.shading, RandomGraph.seeds(5))
  func `shader devices give the values of the references`(device: TestDevice, seed: UInt64) throws {
    try device.run { executor in
      let outputs = RandomGraph(seed: seed, size: 10).outputs
      try check(
        outputs, referenceValues(of: outputs), on: executor, options: CompilerOptions(),
        label: "HEKLA_SEED=\(seed) on \(device.name)")
    }
  }

  @Test(arguments: TestDevice.shading)
  func `with each pass off shader devices give the same values`(device: TestDevice) throws {
    try device.run { executor in
      let outputs = RandomGraph(seed: 3, size: 8, hasGradients: false).outputs
      let wanted = referenceValues(of: outputs)
      for (name, options) in CompilerOptions.variations {
        try check(outputs, wanted, on: executor, options: options, label: "\(name) on \(device.name)")
      }
    }
  }

  private func check(
    _ outputs: [Tensor], _ wanted: [HostArray], on executor: PlanExecutor, options: CompilerOptions,
    label: String
  ) throws {
    let step = try executor.compile(StepDescription(outputs: outputs), options: options)
    let results = try step.run()
    for (got, want) in zip(results, wanted) {
      let difference = disagreement(got, want, within: RandomGraph.tolerance)
      #expect(difference == nil, "\(label): \(difference ?? "")")
    }
    for _ in 0..<2 { #expect(try step.run() == results, "\(label)") }
  }
}
