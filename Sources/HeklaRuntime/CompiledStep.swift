import HeklaArrays
import HeklaDevices
import HeklaTensors
import Synchronization

/// A step that is planned, has its memory, and is recorded: each run replays it.
public final class CompiledStep: Sendable {
  /// What runs, and where its values lie.
  public let plan: Plan
  private let executor: PlanExecutor
  private let inputs: [any Buffer]
  private let arenas: [any Buffer]
  private let constants: [any Buffer]
  private let parameters: [DeviceValue]
  private let commands: [Command]
  private let recording: (any Recording)?
  private let guards: MemoryGuards
  /// Held from writing the arguments to reading the outputs, so that runs from several threads do not mix.
  private let turn = Mutex(())

  init(_ plan: Plan, on executor: PlanExecutor, options: CompilerOptions) throws(DeviceError) {
    self.plan = plan
    self.executor = executor
    let device = executor.device
    func buffer(_ byteCount: Int) throws(DeviceError) -> any Buffer {
      try device.makeBuffer(byteCount: byteCount.wholeWords)
    }
    let guarding = 2 * plan.guardByteCount
    var buffers: (inputs: [any Buffer], arenas: [any Buffer], constants: [any Buffer]) = ([], [], [])
    for input in plan.inputs { buffers.inputs.append(try buffer(input.byteCount.wholeWords + guarding)) }
    for byteCount in plan.arenaByteCounts { buffers.arenas.append(try buffer(byteCount)) }
    for constant in plan.constants {
      let made = try buffer(constant.byteCount.wholeWords + guarding)
      try executor.write(constant, to: Self.inside(made, plan))
      buffers.constants.append(made)
    }
    (inputs, arenas, constants) = buffers
    parameters = try executor.storage(of: plan.parameters)
    let parameterBuffers = parameters.map(\.buffer)
    guards = MemoryGuards(plan) {
      Self.slice($0, of: plan, buffers.inputs, buffers.arenas, buffers.constants, parameterBuffers)
    }
    commands = try Self.commands(plan, device, inputs, arenas, constants, parameterBuffers)
    recording = options.replays ? try executor.queue.record(commands) : nil
    try fill(guards.fills)
  }

  /// Runs the step once and waits for its outputs.
  ///
  /// - Parameter arguments: One array per input, of its shape and type.
  /// - Returns: One array per output.
  /// - Throws: `DeviceError.invalidArgument` when an argument does not fit; nothing has run then.
  public func run(_ arguments: [HostArray] = []) throws(DeviceError) -> [HostArray] {
    try turn.withLock { _ throws(DeviceError) in
      try submit(arguments)
      return try readOutputs()
    }
  }

  /// Starts the step once, without waiting for it.
  public func submit(_ arguments: [HostArray] = []) throws(DeviceError) {
    try write(arguments, for: "run")
    try executor.queue.submit(try ready())
  }

  private func write(_ arguments: [HostArray], for call: String) throws(DeviceError) {
    guard arguments.count == plan.inputs.count else {
      throw .invalidArgument(
        call: call, reason: "the step takes \(plan.inputs.count) arguments, \(arguments.count) were given")
    }
    for (position, (argument, input)) in zip(arguments, plan.inputs).enumerated() {
      guard argument.shape == input.shape, argument.elementType == input.elementType else {
        throw .invalidArgument(
          call: call,
          reason:
            "argument \(position) is \(Signature(argument.shape, argument.elementType)), the step takes \(input)"
        )
      }
    }
    for (argument, buffer) in zip(arguments, inputs) {
      try executor.write(argument, to: Self.inside(buffer, plan))
    }
  }

  /// Waits for the last run, and returns its outputs.
  public func readOutputs() throws(DeviceError) -> [HostArray] {
    if plan.outputs.isEmpty { try executor.queue.waitUntilIdle() }
    var results: [HostArray] = []
    for (value, signature) in zip(plan.outputs, plan.outputSignatures) {
      if let value {
        results.append(try executor.read(slice(of: value), signature: signature))
      } else {
        results.append(HostArray(zeros: signature.shape, of: signature.elementType))
      }
    }
    return results
  }

  /// Waits for everything that was submitted, and reads nothing back.
  /// - Throws: What went wrong while it ran.
  public func waitUntilIdle() throws(DeviceError) { try executor.queue.waitUntilIdle() }

  /// Sets all memory that the step computes into to a pattern that is NaN in every floating-point type, so that
  /// elements which a run leaves unwritten show. Inputs, constants and parameters keep their values.
  public func poison() throws(DeviceError) {
    let arrays = plan.guardByteCount > 0 ? guards.computed : arenas.map { BufferSlice($0) }
    try fill(arrays.map { .fill($0, word: .max) })
  }

  /// Waits for everything that was submitted, then looks at the guard words of a step that was compiled with
  /// `CompilerOptions.guardsMemory`.
  ///
  /// - Returns: One line for each guard that was changed since the step was made, naming the array beside it;
  ///   none where all are intact, or where the step has no guards.
  public func brokenGuards() throws(DeviceError) -> [String] { try guards.broken(on: executor) }

  private func fill(_ fills: [Command]) throws(DeviceError) {
    guard !fills.isEmpty else { return }
    try executor.queue.submit(try executor.queue.record(fills))
  }

  /// Runs the step once with each launch timed on its own.
  public func profile(_ arguments: [HostArray] = []) throws(DeviceError) -> [CommandTiming] {
    try write(arguments, for: "profile")
    return try executor.queue.profile(try ready())
  }

  /// The recording, made anew where replay is off.
  private func ready() throws(DeviceError) -> any Recording {
    if let recording { return recording }
    return try executor.queue.record(commands)
  }

  private func slice(of value: Int) -> BufferSlice {
    Self.slice(value, of: plan, inputs, arenas, constants, parameters.map(\.buffer))
  }

  // MARK: Recording

  private static func slice(
    _ value: Int, of plan: Plan, _ inputs: [any Buffer], _ arenas: [any Buffer], _ constants: [any Buffer],
    _ parameters: [any Buffer]
  ) -> BufferSlice {
    let byteCount = plan.values[value].signature.byteCount.wholeWords
    return switch plan.values[value].storage {
    case .arena(let arena, let offset): BufferSlice(arenas[arena], offset: offset, byteCount: byteCount)
    case .input(let index): inside(inputs[index], plan)
    case .constant(let index): inside(constants[index], plan)
    case .parameter(let index): BufferSlice(parameters[index])
    }
  }

  /// What lies between the guards of a buffer that holds one array.
  private static func inside(_ buffer: any Buffer, _ plan: Plan) -> BufferSlice {
    let margin = plan.guardByteCount
    return BufferSlice(buffer, offset: margin, byteCount: buffer.byteCount - 2 * margin)
  }

  /// The launches with barriers where one depends on another.
  private static func commands(
    _ plan: Plan, _ device: any Device, _ inputs: [any Buffer], _ arenas: [any Buffer],
    _ constants: [any Buffer],
    _ parameters: [any Buffer]
  ) throws(DeviceError) -> [Command] {
    var commands: [Command] = []
    var pending = PendingAccesses()
    func place(_ value: Int) -> BufferSlice {
      slice(value, of: plan, inputs, arenas, constants, parameters)
    }
    /// Kernels see the guard behind an array, so that drivers which hold kernels inside bindings do not hide a
    /// write beyond the array.
    func binding(_ value: Int) -> BufferSlice {
      var slice = place(value)
      if case .parameter = plan.values[value].storage { return slice }
      slice.byteCount += plan.guardByteCount
      return slice
    }
    for step in plan.steps {
      let (reads, writes) = (step.reads.map(place), step.writes.map(place))
      if pending.conflict(reads: reads, writes: writes) {
        commands.append(.barrier)
        pending = PendingAccesses()
      }
      pending.add(reads: reads, writes: writes)
      commands.append(
        .dispatch(
          Dispatch(
            try device.makeKernel(step.source), bindings: step.bindings.map(binding),
            groupCount: step.groupCount,
            pushConstants: step.pushConstants, label: step.label)))
    }
    if !plan.copies.isEmpty { commands.append(.barrier) }
    for copy in plan.copies {
      let source = place(copy.value)
      commands.append(
        .copy(
          from: source, to: BufferSlice(parameters[copy.parameter], offset: 0, byteCount: source.byteCount)))
    }
    return commands
  }
}

/// What the launches since the last barrier read and write.
private struct PendingAccesses {
  private var reads: [BufferSlice] = []
  private var writes: [BufferSlice] = []

  /// Whether a launch with these accesses has to wait for one of the pending ones.
  func conflict(reads newReads: [BufferSlice], writes newWrites: [BufferSlice]) -> Bool {
    newReads.contains { read in writes.contains { $0.overlaps(read) } }
      || newWrites.contains { write in
        writes.contains { $0.overlaps(write) } || reads.contains { $0.overlaps(write) }
      }
  }

  mutating func add(reads newReads: [BufferSlice], writes newWrites: [BufferSlice]) {
    reads += newReads
    writes += newWrites
  }
}

extension BufferSlice {
  /// Whether both contain a byte in common.
  fileprivate func overlaps(_ other: BufferSlice) -> Bool {
    buffer === other.buffer && offset < other.offset + other.byteCount && other.offset < offset + byteCount
  }
}
