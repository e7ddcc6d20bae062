import HeklaArrays
import HeklaDevices
import HeklaTensors
import Synchronization

/// Compiles computations for one device and runs them there.
///
/// Parameters live on the executor's device between steps. One executor serves a whole program; its members may
/// be called from any thread, and work happens in the order of the calls.
public final class PlanExecutor: Sendable {
  /// Where everything runs.
  public let device: any Device
  /// How it compiles what does not say otherwise.
  public let options: CompilerOptions
  /// What watches the runs of its steps; nil for nobody.
  public let profiler: StepProfiler?
  let queue: any Queue
  private let tuned: Mutex<TunedVariants?>

  /// An executor with a queue of its own.
  ///
  /// - Parameters:
  ///   - device: Where everything runs.
  ///   - options: How it compiles what does not say otherwise.
  ///   - profiler: What watches the runs of its steps; nil for nobody.
  ///   - tuned: The measured choices for steps that are compiled with `CompilerOptions.tuning` as `.cached`; nil for
  ///     those on disk when the first such step is compiled.
  public init(
    _ device: any Device, options: CompilerOptions = CompilerOptions(), profiler: StepProfiler? = nil,
    tuned: TunedVariants? = nil
  ) throws(DeviceError) {
    self.device = device
    self.options = options
    self.profiler = profiler
    self.tuned = Mutex(tuned)
    queue = try device.makeQueue()
  }

  /// Compiles a step: what `body` makes of its arguments.
  ///
  /// `body` runs once, now, with placeholders; the step it describes is planned, recorded and then replayed by
  /// `CompiledStep.run`.
  /// - Parameters:
  ///   - inputs: The arguments of each run.
  ///   - options: Which passes run; the executor's own where nil.
  ///   - body: Describes the step.
  public func compile(
    inputs: [Signature] = [], options: CompilerOptions? = nil,
    _ body: ([Tensor]) throws -> StepDescription
  ) throws -> CompiledStep {
    let description = try body(inputs.enumerated().map { .input($0, $1) })
    return try compile(description, inputs: inputs, options: options)
  }

  /// Compiles a step that is already described.
  public func compile(
    _ description: StepDescription, inputs: [Signature] = [], options: CompilerOptions? = nil
  ) throws(DeviceError) -> CompiledStep {
    let options = options ?? self.options
    let computation = Computation(
      outputs: description.outputs.map(\.node),
      assignments: description.assignments.map { ($0.parameter, $0.value.node) })
    let plan = try Compiler(
      capabilities: device.capabilities, options: options,
      tuned: options.tuning == .cached ? tunedVariants : nil
    ).plan(computation, inputs: inputs)
    return try CompiledStep(plan, on: self, options: options)
  }

  /// The choices that this executor compiles by, read once.
  private var tunedVariants: TunedVariants {
    tuned.withLock { tuned in
      let variants = tuned ?? TunedVariants(TuningCache(for: device.capabilities))
      tuned = variants
      return variants
    }
  }

  /// Computes `tensors` once.
  public func values(
    of tensors: [Tensor], options: CompilerOptions? = nil
  ) throws(DeviceError) -> [HostArray] {
    try compile(StepDescription(outputs: tensors), options: options).run()
  }

  /// The current values of `parameter`.
  public func values(of parameter: Parameter) throws(DeviceError) -> HostArray {
    let value = try storage(of: [parameter])[0]
    return try read(BufferSlice(value.buffer), signature: parameter.signature)
  }

  /// Replaces the values of `parameter`.
  /// - Throws: `DeviceError.invalidArgument` when shape or type differ.
  public func assign(_ array: HostArray, to parameter: Parameter) throws(DeviceError) {
    guard array.shape == parameter.shape, array.elementType == parameter.signature.elementType else {
      throw .invalidArgument(
        call: "assign",
        reason:
          "a parameter of \(parameter.signature) cannot hold \(Signature(array.shape, array.elementType))")
    }
    let value = try storage(of: [parameter], needsValues: false)[0]
    try write(array, to: BufferSlice(value.buffer))
  }

  /// Replaces the values of `parameters`, one array for each.
  /// - Throws: `DeviceError.invalidArgument` when their number, a shape or a type differs.
  public func assign(_ arrays: [HostArray], to parameters: [Parameter]) throws(DeviceError) {
    guard arrays.count == parameters.count else {
      throw .invalidArgument(
        call: "assign", reason: "\(arrays.count) arrays were given for \(parameters.count) parameters")
    }
    for (parameter, array) in zip(parameters, arrays) { try assign(array, to: parameter) }
  }

  /// Sets `parameters` back to their initial values.
  public func reset(_ parameters: [Parameter]) throws(DeviceError) {
    try assign(values(of: parameters.map(\.initial)), to: parameters)
  }

  func read(_ slice: BufferSlice, signature: Signature) throws(DeviceError) -> HostArray {
    var array = HostArray(zeros: signature.shape, of: signature.elementType)
    guard array.byteCount > 0 else { return array }
    try array.withUnsafeMutableBytes { bytes throws(DeviceError) in try queue.read(slice, into: bytes) }
    return array
  }

  func write(_ array: HostArray, to slice: BufferSlice) throws(DeviceError) {
    guard array.byteCount > 0 else { return }
    try array.withUnsafeBytes { bytes throws(DeviceError) in try queue.write(bytes, to: slice) }
  }

  /// The memory of `parameters` on this executor, filled with initial values where there were none.
  func storage(of parameters: [Parameter], needsValues: Bool = true) throws(DeviceError) -> [DeviceValue] {
    var missing: [(parameter: Parameter, value: DeviceValue)] = []
    var values: [DeviceValue] = []
    for parameter in parameters {
      if let value = parameter.storage.withLock({ $0 as? DeviceValue }) {
        // Steps compiled elsewhere hold on to that memory, so moving it would leave two diverging copies.
        guard value.executor === self else {
          throw .invalidArgument(
            call: "compile",
            reason: "a parameter of \(parameter.signature) already lives on another executor, of "
              + "\(value.executor.device.name). Use that executor, or make the model anew and assign its values."
          )
        }
        values.append(value)
        continue
      }
      let value = try makeValue(parameter)
      missing.append((parameter, value))
      values.append(value)
    }
    if needsValues, !missing.isEmpty { try initialize(missing) }
    for entry in missing { entry.parameter.storage.withLock { $0 = entry.value } }
    return values
  }

  /// Computes the initial values where they are to lie: a model takes the memory of one.
  private func initialize(_ entries: [(parameter: Parameter, value: DeviceValue)]) throws(DeviceError) {
    let computation = Computation(
      outputs: [], assignments: entries.map { ($0.parameter, $0.parameter.initial.node) })
    // What another parameter holds may not have been computed yet.
    for node in computation.roots.withDependencies() {
      guard case .parameter(let other)? = node.primitive as? Leaf else { continue }
      throw .invalidArgument(
        call: "compile",
        reason:
          "initial values depend on a parameter of \(other.signature). Make them from its initial values, "
          + "'initial', or assign them to the parameter afterwards.")
    }
    let plan = try Compiler(capabilities: device.capabilities, options: options).plan(computation, inputs: [])
    let values = Dictionary(entries.map { ($0.parameter, $0.value) }) { first, _ in first }
    let step = try CompiledStep(plan, on: self, options: options, parameters: values)
    _ = try step.run()
  }

  private func makeValue(_ parameter: Parameter) throws(DeviceError) -> DeviceValue {
    let byteCount = (max(parameter.signature.byteCount, 4) + 3) / 4 * 4
    return DeviceValue(buffer: try device.makeBuffer(byteCount: byteCount), executor: self)
  }
}

/// What a step computes: values to return, and values that parameters take.
public struct StepDescription: Sendable {
  /// What each run returns.
  public var outputs: [Tensor]
  /// What parameters hold after each run.
  public var assignments: [Assignment]

  /// A step that returns `outputs` and makes `assignments`.
  public init(outputs: [Tensor] = [], assignments: [Assignment] = []) {
    self.outputs = outputs
    self.assignments = assignments
  }
}

/// A parameter's memory on a device.
final class DeviceValue: Sendable {
  let buffer: any Buffer
  let executor: PlanExecutor

  init(buffer: any Buffer, executor: PlanExecutor) {
    self.buffer = buffer
    self.executor = executor
  }
}
