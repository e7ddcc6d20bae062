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

  /// Each with all passes, and with one pass off or with guard words, by turns.
  @Test(arguments: RandomGraph.seeds(500))
  func `on the cpu many graphs give the values of the references`(seed: UInt64) throws {
    let executor = try TestDevice.cpu.executor()
    let outputs = RandomGraph(seed: seed).outputs
    let wanted = referenceValues(of: outputs)
    var guarded = CompilerOptions()
    guarded.guardsMemory = true
    let variations = Array(CompilerOptions.variations.dropFirst()) + [("guard words", guarded)]
    for (name, options) in [CompilerOptions.variations[0], variations[Int(seed % UInt64(variations.count))]] {
      try check(outputs, wanted, on: executor, options: options, label: "HEKLA_SEED=\(seed), \(name)")
    }
  }

  /// Few and small: each new kernel takes these drivers up to a second.
  @Test(arguments: TestDevice.shading, RandomGraph.seeds(20))
  func `shader devices give the values of the references`(device: TestDevice, seed: UInt64) throws {
    try device.run { executor in
      let outputs = RandomGraph(
        seed: seed, size: 6, hasGradients: seed % 3 == 0,
        storageTypes: executor.device.capabilities.storageTypes
      ).outputs
      try check(
        outputs, referenceValues(of: outputs), on: executor, options: CompilerOptions(),
        label: "HEKLA_SEED=\(seed) on \(device.name)")
    }
  }

  @Test(arguments: TestDevice.shading)
  func `with each pass off shader devices give the same values`(device: TestDevice) throws {
    try device.run { executor in
      let outputs = RandomGraph(
        seed: 3, size: 8, hasGradients: false, storageTypes: executor.device.capabilities.storageTypes
      ).outputs
      let wanted = referenceValues(of: outputs)
      for (name, options) in CompilerOptions.variations {
        try check(outputs, wanted, on: executor, options: options, label: "\(name) on \(device.name)")
      }
    }
  }

  @Test func `the graphs hold every primitive that gives one answer`() {
    let names = Set(
      (0..<200).flatMap { seed in
        RandomGraph(seed: seed).outputs.map(\.node).withDependencies().map(\.primitive.name)
      })
    // Factors of these are determined up to signs and rotations only.
    let ambiguous: Set = ["lu-factorization", "qr-factorization", "singular-values", "symmetric-eigen"]
    // A reduction is called by its fold; sparse products have graphs of their own, in `SparseMatrixTests`.
    let others: Set = ["reduction", "sparse-product"]
    let missing = Set(Sample.all.map(\.primitive)).subtracting(ambiguous).subtracting(others)
      .subtracting(names)
    #expect(missing.isEmpty, "\(missing.sorted())")
  }

  private func check(
    _ outputs: [Tensor], _ wanted: [HostArray], on executor: PlanExecutor, options: CompilerOptions,
    label: String
  ) throws {
    let step = try executor.compile(StepDescription(outputs: outputs), options: options)
    var results: [HostArray] = []
    for number in 0..<3 {
      try step.poison()
      let got = try step.run()
      if number == 0 { results = got }
      #expect(got == results, "\(label)")
    }
    for (got, want) in zip(results, wanted) {
      let difference = disagreement(got, want, within: RandomGraph.tolerance)
      #expect(difference == nil, "\(label): \(difference ?? "")")
    }
    let broken = try step.brokenGuards()
    #expect(broken.isEmpty, "\(label): \(broken.joined(separator: "; "))")
  }
}
