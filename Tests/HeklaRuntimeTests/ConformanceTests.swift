import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// Every variant of every sample of every primitive, on every device of this machine, against the references.
@Suite struct ConformanceTests {
  @Test(
    .enabled(
      if: TestDevice.absence(of: "vulkan") == nil || TestDevice.mustBeComplete,
      Comment(rawValue: TestDevice.absence(of: "vulkan") ?? "Vulkan is present.")))
  func `vulkan has a device`() { #expect(TestDevice.absence(of: "vulkan") == nil) }

  @Test(
    .enabled(
      if: TestDevice.absence(of: "opencl") == nil || TestDevice.mustBeComplete,
      Comment(rawValue: TestDevice.absence(of: "opencl") ?? "OpenCL is present.")))
  func `opencl has a device`() { #expect(TestDevice.absence(of: "opencl") == nil) }

  @Test(arguments: TestDevice.present, Sample.all.map(\.primitive).filter { $0 != "map" })
  func `every variant agrees with the reference, three times with the same bits`(
    device: TestDevice, primitive: String
  ) throws {
    try device.run { executor in
      for sample in Sample.all.first(where: { $0.primitive == primitive })?.samples ?? [] {
        try check(sample, primitive, on: executor)
      }
    }
  }

  @Test func `on the cpu every scalar operation agrees with its reference in a kernel of its own`() throws {
    let executor = try TestDevice.cpu.executor()
    // A million elements take the reference longer than all others together; the chain is tested by itself.
    for sample in Sample.all.first(where: { $0.primitive == "map" })?.samples ?? []
    where sample.inputs[0].signature.shape.count < 100_000 {
      try check(sample, "map", on: executor)
    }
  }

  /// All samples of one shape in one step, so that a driver compiles few kernels.
  @Test(arguments: TestDevice.shading)
  func `every scalar operation agrees with its reference on shader devices`(device: TestDevice) throws {
    let samples = (Sample.all.first { $0.primitive == "map" }?.samples ?? [])
      .filter { $0.inputs[0].signature.shape == [67, 31] }
    let types = Set(samples.map { $0.inputs[0].signature.elementType })
    try device.run { executor in
      for type in types.sorted(by: { $0.rawValue < $1.rawValue }) {
        let group = samples.filter { $0.inputs[0].signature.elementType == type }
        guard executor.device.capabilities.storageTypes.contains(type) else { continue }
        // All inputs lie in one array, whose slices cost nothing: so the loops share a source and merge.
        let arrays = group.flatMap { $0.values(key: RandomKey(seed: 23)) }
        let numbers = arrays.flatMap { $0.doubles() }
        let all = Tensor(HostArray(converting: numbers, shape: [arrays.count, 67, 31], to: type))
        var next = 0
        let outputs = group.map { sample in
          sample.build(
            sample.inputs.map { _ in
              next += 1
              return all.element(next - 1, along: 0)
            })
        }
        let step = try executor.compile(StepDescription(outputs: outputs))
        let results = try step.run()
        for (sample, (got, wanted)) in zip(group, zip(results, referenceValues(of: outputs))) {
          let difference = disagreement(got, wanted, tolerance: sample.tolerance)
          #expect(difference == nil, "\(device.name) \(sample.label): \(difference ?? "")")
        }
        #expect(try step.run() == results)
        #expect(try step.run() == results)
      }
    }
  }

  private func check(_ sample: Sample, _ primitive: String, on executor: PlanExecutor) throws {
    let values = sample.values(key: RandomKey(seed: 31))
    let output = sample.build(values.map { Tensor($0) })
    let wanted = referenceValues(of: [output])[0]
    var magnitude: HostArray?
    if case .sum = sample.tolerance {
      let absolute = values.map { array in
        array.elementType.isFloating
          ? HostArray(converting: array.doubles().map { abs($0) }, shape: array.shape, to: array.elementType)
          : array
      }
      magnitude = referenceValues(of: [sample.build(absolute.map { Tensor($0) })])[0]
    }
    for variant in variants(of: output, primitive, executor.device.capabilities) {
      let label = "\(executor.device.name) \(primitive)/\(sample.label) \(variant ?? "")"
      let step = try executor.compile(
        StepDescription(outputs: [output]),
        options: CompilerOptions(preferring: variant.map { [primitive: $0] } ?? [:]))
      if let variant { #expect(step.plan.steps.contains { $0.variant == variant }, "\(label)") }
      let got = try step.run()
      let difference = disagreement(got[0], wanted, tolerance: sample.tolerance, magnitude: magnitude)
      #expect(difference == nil, "\(label): \(difference ?? "")")
      for _ in 0..<2 { #expect(try step.run() == got, "\(label)") }
    }
  }

  /// The names of the variants that run on the device; nil alone where loops are generated.
  private func variants(of output: Tensor, _ primitive: String, _ capabilities: Capabilities) -> [String?] {
    for node in [output.node].withDependencies() where node.primitive.name == primitive {
      guard case .kernels(let variants) = node.primitive.lowering else { continue }
      let inputs = node.inputs.map(\.signature)
      return variants.filter { $0.applies(capabilities, inputs, node.signature) }.map(\.name)
    }
    return [nil]
  }
}
