import HeklaArrays
import HeklaDevices
import HeklaTensors
import Synchronization

/// A step that is planned, has its memory, and is recorded: each run replays it.
public final class CompiledStep: Sendable {
  /// What runs, and where its values lie.
  public let plan: Plan
  private let executor: PlanExecutor
  private let memory: PlanMemory
  /// Keeps the memory of the parameters, which the buffers alone do not.
  private let parameters: [DeviceValue]
  private let commands: [Command]
  private let recording: (any Recording)?
  private let indexStatus: IndexStatus?
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
    var memory = PlanMemory(plan)
    for input in plan.inputs { memory.inputs.append(try buffer(input.byteCount.wholeWords + guarding)) }
    for byteCount in plan.arenaByteCounts { memory.arenas.append(try buffer(byteCount)) }
    for constant in plan.constants {
      let made = try buffer(constant.byteCount.wholeWords + guarding)
      try executor.write(constant, to: memory.inside(made))
      memory.constants.append(made)
    }
    parameters = try executor.storage(of: plan.parameters)
    memory.parameters = parameters.map(\.buffer)
    self.memory = memory
    guards = MemoryGuards(plan) { memory.slice(of: $0) }
    commands = try plan.commands(on: device, in: memory)
    recording = options.replays ? try executor.queue.record(commands) : nil
    if let status = plan.indexStatus {
      indexStatus = try IndexStatus(memory.slice(of: status), of: plan.checkedOperations, on: executor)
    } else {
      indexStatus = nil
    }
    try fill(guards.fills)
  }

  /// Runs the step once and waits for its outputs.
  ///
  /// On GPUs an index out of range throws only where `CompilerOptions.checksIndices` is on. The step has run then,
  /// to its end and as if what the index names were not there: parameters hold what follows from that, and
  /// `readOutputs` still gives the outputs. On the host the step stops before the operation whose index it is:
  /// parameters hold what was assigned to them before, the others keep their values. The next run is as any other.
  /// - Parameter arguments: One array per input, of its shape and type.
  /// - Returns: One array per output.
  /// - Throws: `DeviceError.invalidArgument` when an argument does not fit; nothing has run then.
  ///   `DeviceError.indexOutOfRange` with the first bad index of the first operation that was given one.
  public func run(_ arguments: [HostArray] = []) throws(DeviceError) -> [HostArray] {
    try turn.withLock { _ throws(DeviceError) in
      try submit(arguments)
      return try readOutputs()
    }
  }

  /// Starts the step once, without waiting for it.
  ///
  /// An index out of range throws here on the host, and on GPUs from the next call that waits for the step.
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
    for (argument, buffer) in zip(arguments, memory.inputs) {
      try executor.write(argument, to: memory.inside(buffer))
    }
  }

  /// Waits for the last run, and returns its outputs.
  /// - Throws: What went wrong while it ran; an index out of range of a run before it too, if nobody has waited since.
  public func readOutputs() throws(DeviceError) -> [HostArray] {
    if plan.outputs.isEmpty { try executor.queue.waitUntilIdle() }
    var results: [HostArray] = []
    for (value, signature) in zip(plan.outputs, plan.outputSignatures) {
      if let value {
        results.append(try executor.read(memory.slice(of: value), signature: signature))
      } else {
        results.append(HostArray(zeros: signature.shape, of: signature.elementType))
      }
    }
    try indexStatus?.check()
    return results
  }

  /// Waits for everything that was submitted, and reads nothing back.
  /// - Throws: What went wrong while it ran.
  public func waitUntilIdle() throws(DeviceError) {
    try executor.queue.waitUntilIdle()
    try indexStatus?.check()
  }

  /// Sets all memory that the step computes into to a pattern that is NaN in every floating-point type, so that
  /// elements which a run leaves unwritten show. Inputs, constants and parameters keep their values.
  public func poison() throws(DeviceError) {
    let arrays = plan.guardByteCount > 0 ? guards.computed : memory.arenas.map { BufferSlice($0) }
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
    let timings = try executor.queue.profile(try ready())
    try indexStatus?.check()
    return timings
  }

  /// The recording, made anew where replay is off.
  private func ready() throws(DeviceError) -> any Recording {
    if let recording { return recording }
    return try executor.queue.record(commands)
  }

}

extension Plan {
  /// The launches with barriers where one depends on another.
  fileprivate func commands(on device: any Device, in memory: PlanMemory) throws(DeviceError) -> [Command] {
    var kernels: [any Kernel] = []
    for step in steps { kernels.append(try device.makeKernel(step.source)) }
    var commands: [Command] = []
    var pending = PendingAccesses()
    // The current iteration of each repetition.
    var iterations = [Int](repeating: 0, count: repetitions.count)

    func append(_ number: Int) {
      let step = steps[number]
      func place(_ value: Int) -> BufferSlice { memory.slice(of: value, at: iterations) }
      let (reads, writes) = (step.reads.map(place), step.writes.map(place))
      if pending.conflict(reads: reads, writes: writes) {
        commands.append(.barrier)
        pending = PendingAccesses()
      }
      pending.add(reads: reads, writes: writes)
      commands.append(
        .dispatch(
          Dispatch(
            kernels[number], bindings: step.bindings.map { memory.binding(of: $0, at: iterations) },
            groupCount: step.groupCount,
            pushConstants: step.pushConstants, label: step.label)))
    }
    /// The launches of `range`; repetitions up to number `first` are those that it lies in.
    func append(_ range: Range<Int>, inside first: Int) {
      var number = range.lowerBound
      while number < range.upperBound {
        let next = repetitions.indices.dropFirst(first).first { index in
          repetitions[index].steps.lowerBound == number && !repetitions[index].steps.isEmpty
        }
        guard let next else {
          append(number)
          number += 1
          continue
        }
        for iteration in 0..<repetitions[next].count {
          iterations[next] = iteration
          append(repetitions[next].steps, inside: next + 1)
        }
        number = repetitions[next].steps.upperBound
      }
    }
    append(0..<steps.count, inside: 0)

    if !copies.isEmpty { commands.append(.barrier) }
    for copy in copies {
      let source = memory.slice(of: copy.value, at: iterations)
      commands.append(
        .copy(
          from: source,
          to: BufferSlice(memory.parameters[copy.parameter], offset: 0, byteCount: source.byteCount)))
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
