import HeklaArrays
import HeklaDevices
import HeklaTensors
import Synchronization

/// A step that is planned, has its memory, and is recorded: each run replays it.
public final class CompiledStep: Sendable {
  /// What runs, and where its values lie.
  public let plan: Plan
  let executor: PlanExecutor
  private let memory: PlanMemory
  /// Keeps the memory of the parameters, which the buffers alone do not.
  private let parameters: [DeviceValue]
  private let commands: [Command]
  private let recording: (any Recording)?
  let indexStatus: IndexStatus?
  private let guards: MemoryGuards
  /// Which of the steps that the executor's profiler watches; nil where there is none.
  private let profiledNumber: Int?
  /// Held from writing the arguments to reading the outputs, so that runs from several threads do not mix.
  private let turn = Mutex(())

  /// - Parameter given: The memory of parameters that have no values yet; the others have theirs from the executor.
  init(
    _ plan: Plan, on executor: PlanExecutor, options: CompilerOptions,
    parameters given: [Parameter: DeviceValue] = [:]
  ) throws(DeviceError) {
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
    var stored = try executor.storage(of: plan.parameters.filter { given[$0] == nil }).makeIterator()
    parameters = plan.parameters.compactMap { given[$0] ?? stored.next() }
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
    profiledNumber = executor.profiler?.addStep()
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
  ///
  /// Where the executor has a profiler, it may be timed and waited for.
  /// - Throws: `DeviceError.cancelled` where a profiler has seen enough; nothing has run then.
  public func submit(_ arguments: [HostArray] = []) throws(DeviceError) {
    guard let profiler = executor.profiler, let number = profiledNumber else {
      try write(arguments, for: "run")
      return try executor.queue.submit(try ready())
    }
    switch try profiler.beginRun(of: number) {
    case .plain:
      try write(arguments, for: "run")
      try executor.queue.submit(try ready())
      profiler.endRun()
    case .timed: profiler.endRun(of: number, plan, try timedRun(arguments, from: profiler.origin))
    case .profiled: profiler.endRun(of: number, plan, try profiledRun(arguments, from: profiler.origin))
    }
  }

  /// Checks `arguments` and copies them to the step's inputs.
  func write(_ arguments: [HostArray], for call: String) throws(DeviceError) {
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
    executor.profiler?.endRun()
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

  /// Runs the step `2 count + 1` times: once to warm up, then by turns as it is and with each launch timed on its own.
  ///
  /// Every run does all that a run does, to parameters too.
  /// - Parameters:
  ///   - arguments: One array per input, the same for all runs.
  ///   - count: The runs of each kind, at least 1.
  ///   - origin: When the profiling began, from where the runs' beginnings are counted.
  public func profile(
    _ arguments: [HostArray] = [], runs count: Int, since origin: ContinuousClock.Instant = .now
  ) throws(DeviceError) -> StepProfile {
    try submit(arguments)
    try waitUntilIdle()
    var runs: [StepProfile.Run] = []
    for _ in 0..<max(count, 1) {
      runs.append(try timedRun(arguments, from: origin))
      runs.append(try profiledRun(arguments, from: origin))
    }
    try indexStatus?.check()
    return StepProfile(plan, runs: runs)
  }

  /// A run as always, but waited for.
  private func timedRun(
    _ arguments: [HostArray], from origin: ContinuousClock.Instant
  ) throws(DeviceError) -> StepProfile.Run {
    try executor.queue.waitUntilIdle()
    let start = ContinuousClock.now
    try write(arguments, for: "run")
    try executor.queue.submit(try ready())
    let submitted = ContinuousClock.now
    try executor.queue.waitUntilIdle()
    return StepProfile.Run(
      start: start - origin, submission: submitted - start, whole: .now - start, timings: nil)
  }

  /// A run with each launch timed on its own.
  private func profiledRun(
    _ arguments: [HostArray], from origin: ContinuousClock.Instant
  ) throws(DeviceError) -> StepProfile.Run {
    try executor.queue.waitUntilIdle()
    let start = ContinuousClock.now
    try write(arguments, for: "profile")
    let recording = try ready()
    let submitted = ContinuousClock.now
    let timings = try executor.queue.profile(recording)
    return StepProfile.Run(
      start: start - origin, submission: submitted - start, whole: .now - start, timings: timings)
  }

  /// Runs the step once with each launch timed on its own.
  public func profile(_ arguments: [HostArray] = []) throws(DeviceError) -> [CommandTiming] {
    try write(arguments, for: "profile")
    return try timedReplay()
  }

  /// The recording, made anew where replay is off.
  func ready() throws(DeviceError) -> any Recording {
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
    forEachLaunch { number, iterations in
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

    if !copies.isEmpty { commands.append(.barrier) }
    for copy in copies {
      let source = memory.slice(of: copy.value)
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
