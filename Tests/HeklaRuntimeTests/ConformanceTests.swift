import HeklaArrays
import HeklaDevices
import HeklaHost
import HeklaShaders
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime
@testable import HeklaTensors

/// Every variant of every sample of every primitive, on every device of this machine, against the references.
///
/// Each run starts from poisoned memory, so that an element which is not written shows, and all arrays lie between
/// guard words, so that one which is written outside of them shows too.
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
      let capabilities = executor.device.capabilities
      for type in types.sorted(by: { $0.rawValue < $1.rawValue }) {
        let group = samples.filter { sample in
          let inputs = sample.inputs.map { Tensor.zeros($0.signature.shape, $0.signature.elementType) }
          return inputs[0].elementType == type
            && capabilities.holds([type, sample.build(inputs).elementType])
        }
        guard !group.isEmpty else { continue }
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
        let step = try executor.compile(StepDescription(outputs: outputs), options: .guarded())
        let results = try runThreeTimes(step, "\(device.name) map of \(type)")
        for (sample, (got, wanted)) in zip(group, zip(results, referenceValues(of: outputs))) {
          let difference = disagreement(got, wanted, tolerance: sample.tolerance)
          #expect(difference == nil, "\(device.name) \(sample.label): \(difference ?? "")")
        }
      }
    }
  }

  private func check(_ sample: Sample, _ primitive: String, on executor: PlanExecutor) throws {
    let values = sample.values(key: RandomKey(seed: 31))
    let outputs = outputs(sample, values)
    guard executor.device.capabilities.holds(values.map(\.elementType) + outputs.map(\.elementType)) else {
      return
    }
    let wanted = referenceValues(of: outputs)
    var magnitudes: [HostArray] = []
    if case .sum = sample.tolerance {
      let absolute = values.map { array in
        array.elementType.isFloating
          ? HostArray(converting: array.doubles().map { abs($0) }, shape: array.shape, to: array.elementType)
          : array
      }
      magnitudes = referenceValues(of: self.outputs(sample, absolute))
    }
    for variant in variants(of: outputs[0], primitive, executor.device.capabilities) {
      let label = "\(executor.device.name) \(primitive)/\(sample.label) \(variant ?? "")"
      let step = try executor.compile(
        StepDescription(outputs: outputs),
        options: .guarded(preferring: variant.map { [primitive: $0] } ?? [:]))
      if let variant { #expect(step.plan.steps.contains { $0.variant == variant }, "\(label)") }
      let results = try runThreeTimes(step, label)
      for (number, (got, want)) in zip(results, wanted).enumerated() {
        let difference = disagreement(
          got, want, tolerance: sample.tolerance,
          magnitude: magnitudes.indices.contains(number) ? magnitudes[number] : nil)
        #expect(difference == nil, "\(label), result \(number): \(difference ?? "")")
      }
    }
  }

  /// What the sample makes of `values`, and the further results of its operation.
  private func outputs(_ sample: Sample, _ values: [HostArray]) -> [Tensor] {
    let output = sample.build(values.map { Tensor($0) })
    return [output] + SecondaryOutput.outputs(of: output.node)
  }

  /// The results of the first of three runs, each on poisoned memory, which give the same bits and leave all
  /// guard words as they were.
  private func runThreeTimes(_ step: CompiledStep, _ label: String) throws -> [HostArray] {
    var results: [HostArray]?
    for _ in 0..<3 {
      try step.poison()
      let got = try step.run()
      #expect(results == nil || got == results, "\(label)")
      results = results ?? got
    }
    let broken = try step.brokenGuards()
    #expect(broken.isEmpty, "\(label): \(broken.joined(separator: "; "))")
    return results ?? []
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
  // MARK: Completeness

  @Test(
    .enabled(
      if: ["vulkan", "opencl"].allSatisfy { TestDevice.absence(of: $0) == nil } || TestDevice.mustBeComplete,
      "Kernels of a device that is missing cannot be reached."))
  func `every variant and every hand-written kernel is run by a sample`() throws {
    var unreached: Set<String> = []
    var reached: Set<String> = []
    var kernels: Set<String> = []
    let devices = try TestDevice.present.map { try $0.executor().device.capabilities }
    for (primitive, samples) in Sample.all {
      for sample in samples {
        let output = sample.build(sample.values(key: RandomKey(seed: 31)).map { Tensor($0) })
        for node in [output.node].withDependencies() where node.primitive.name == primitive {
          guard case .kernels(let variants) = node.primitive.lowering else { continue }
          let inputs = node.inputs.map(\.signature)
          for variant in variants {
            unreached.insert("\(primitive)/\(variant.name)")
            for device in devices where variant.applies(device, inputs, node.signature) {
              reached.insert("\(primitive)/\(variant.name)")
              for call in variant.program(inputs, node.signature, device).calls {
                kernels.insert(call.kernelName)
              }
            }
          }
        }
      }
    }
    unreached.subtract(reached)
    #expect(unreached.isEmpty, "no sample runs \(unreached.sorted()) on \(TestDevice.present.map(\.name))")
    // Index checks belong to no primitive: the compiler inserts them, and `IndexCheckTests` runs them.
    kernels.insert("check_indices")
    let missing = Set(ShaderLibrary.kernelNames + HostKernels.names).subtracting(kernels)
    #expect(missing.isEmpty, "no sample's variant uses the kernels \(missing.sorted())")
  }
}

extension Capabilities {
  /// Whether kernels can load, compute with and store all of `types`.
  fileprivate func holds(_ types: [ElementType]) -> Bool {
    let wide = Set(types).intersection([.float64, .int64])
    return storageTypes.isSuperset(of: types) && (interface == .host || arithmeticTypes.isSuperset(of: wide))
  }
}

extension KernelCall {
  /// The shader's or the host body's name.
  fileprivate var kernelName: String {
    switch body {
    case .shader(let name, _, _): name
    case .host(let name, _): name
    }
  }
}

extension CompilerOptions {
  /// Everything on, guard words around all arrays, and primitives run as `variants` says.
  fileprivate static func guarded(preferring variants: [String: String] = [:]) -> CompilerOptions {
    var options = CompilerOptions(preferring: variants)
    options.guardsMemory = true
    return options
  }
}
