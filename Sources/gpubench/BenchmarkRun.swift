import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors

/// Runs cases on one device: each is checked first, then timed.
struct BenchmarkRun {
  let executor: PlanExecutor
  let timer: LaunchTimer
  /// Whether operations share kernels.
  let fuses: Bool
  /// How many runs with each launch timed follow a measurement; 0 for none.
  let profiledRuns: Int
  /// What the device was seen to reach.
  let roofline: Roofline
  private let start = ContinuousClock.now

  /// A run on `device`.
  init(
    on device: any Device, timer: LaunchTimer, fuses: Bool = true, profiledRuns: Int = 0
  ) throws(DeviceError) {
    executor = try PlanExecutor(device)
    self.timer = timer
    self.fuses = fuses
    self.profiledRuns = profiledRuns
    roofline = try Roofline.measured(on: device)
  }

  /// The variants of `benchmark`'s kernel that `choice` stands for: none for the one that is chosen by rule.
  func variants(of benchmark: BenchmarkCase, choosing choice: String?) throws(BenchmarkError) -> [String?] {
    guard let choice else { return [nil] }
    let capabilities = executor.device.capabilities
    let variants = KernelChoice(of: benchmark)
    let usable = variants?.usable(on: capabilities) ?? ["loop"]
    // Where none runs, compiling says why.
    if choice == "all" { return usable.isEmpty ? [nil] : usable }
    let known = variants?.names ?? ["loop"]
    guard known.contains(choice) else {
      throw .unknownVariant(choice, caseName: benchmark.name, known: known)
    }
    guard usable.contains(choice) else {
      throw .unusableVariant(
        choice, caseName: benchmark.name, device: capabilities.deviceName, usable: usable)
    }
    return [choice]
  }

  /// Checks and times `benchmark`, computed with `variant` of its kernel; then profiles it, where that is asked for.
  func result(
    of benchmark: BenchmarkCase, variant: String?
  ) throws(DeviceError) -> (result: BenchmarkResult, profile: StepProfile?) {
    let values = try Self.values(of: benchmark.inputs)
    // Parameters, because their values stay on the device from run to run.
    let parameters = benchmark.inputs.map {
      Parameter(.zeros($0.signature.shape, $0.signature.elementType))
    }
    // A graph does not keep its parameters alive; an optimizing compiler would let them go before it is compiled.
    defer { withExtendedLifetime(parameters) {} }
    for (parameter, array) in zip(parameters, values) { try executor.assign(array, to: parameter) }
    var options = CompilerOptions()
    options.fuses = fuses
    let choice = KernelChoice(of: benchmark)
    if let choice, let variant { options.preferredVariants[choice.primitive] = variant }
    let step = try executor.compile(
      StepDescription(outputs: benchmark.build(parameters.map(\.tensor))), options: options)
    // An element that the kernel leaves out is then NaN, whatever was in the memory before.
    try step.poison()
    try step.submit()
    let error = benchmark.largestError(values, try step.readOutputs())
    let milliseconds = try timer.medianMilliseconds(of: step, on: executor.device.capabilities)
    // The kernels in the order in which they first run, each once.
    let kernels = step.plan.steps.map(\.source.name).reduce(into: [String]()) { names, name in
      if !names.contains(name) { names.append(name) }
    }
    let profile = profiledRuns > 0 ? try step.profile(runs: profiledRuns, since: start) : nil
    let result = BenchmarkResult(
      caseName: benchmark.name, kernel: kernels.joined(separator: "+"),
      variant: step.plan.steps.first { $0.label.isKernel(of: choice?.primitive) }?.variant ?? "loop",
      device: executor.device.name, shape: benchmark.shape, type: benchmark.elementType,
      medianMilliseconds: milliseconds, gigaflops: benchmark.operationCount / milliseconds * 1e-6,
      gigabytesPerSecond: benchmark.byteCount / milliseconds * 1e-6,
      rooflineShare: roofline.share(
        operations: benchmark.operationCount, bytes: benchmark.byteCount, nanoseconds: milliseconds * 1e6),
      error: error)
    return (result, profile)
  }

  /// Values for `inputs`, computed on the processor whatever device is measured: a device does not write its own
  /// exam.
  private static func values(of inputs: [BenchmarkInput]) throws(DeviceError) -> [HostArray] {
    let host = try PlanExecutor(try DeviceCatalog.shared.device(named: "cpu"))
    let key = RandomKey(seed: 0)
    return try host.values(of: inputs.enumerated().map { $1.tensor(key.folded(in: UInt64($0))) })
  }
}

extension String {
  /// Whether a launch of this label computes `primitive`, alone or with what follows it.
  fileprivate func isKernel(of primitive: String?) -> Bool {
    primitive.map { self == $0 || hasPrefix($0 + " + ") } ?? false
  }
}

/// The hand-written kernels that a case can be computed with.
struct KernelChoice {
  /// The name of the primitive.
  let primitive: String
  private let variants: [KernelVariant]
  private let inputs: [Signature]
  private let output: Signature

  /// The choice for `benchmark`, or nil where its kernels are generated.
  init?(of benchmark: BenchmarkCase) {
    self.init(
      of: benchmark.build(benchmark.inputs.enumerated().map { .input($0, $1.signature) }),
      primitive: benchmark.primitive)
  }

  /// The choice for `sample` of `primitive`.
  init?(of sample: Sample, primitive: String) {
    self.init(
      of: [sample.build(sample.inputs.enumerated().map { .input($0, $1.signature) })], primitive: primitive)
  }

  /// The choice for the first primitive below `tensors` that has hand-written kernels, or nil where none has.
  /// - Parameter name: The only primitive that is looked for, or nil for any.
  private init?(of tensors: [Tensor], primitive name: String?) {
    for node in tensors.map(\.node).withDependencies() where name == nil || node.primitive.name == name {
      guard case .kernels(let variants) = node.primitive.lowering else { continue }
      primitive = node.primitive.name
      self.variants = variants
      inputs = node.inputs.map(\.signature)
      output = node.signature
      return
    }
    return nil
  }

  /// The names of all variants.
  var names: [String] { variants.map(\.name) }

  /// The names of those that run on a device.
  func usable(on device: Capabilities) -> [String] {
    variants.filter { $0.applies(device, inputs, output) }.map(\.name)
  }
}
