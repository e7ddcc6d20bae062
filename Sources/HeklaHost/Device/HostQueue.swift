import CHostLoops
import Glibc
import HeklaDevices
import Synchronization

/// Runs commands on the thread that submits them; the workers of the pool join in.
public final class HostQueue: Queue {
  /// Held while commands run: they run in order, whichever threads submit them.
  private let order = Mutex(())

  /// Resolves and checks `commands`.
  public func record(_ commands: [Command]) throws(DeviceError) -> any Recording {
    try HostRecording(commands)
  }

  /// Runs `recording`; everything is done when this returns.
  ///
  /// - Throws: What a kernel threw, such as an index out of range; later commands have not run then.
  public func submit(_ recording: any Recording) throws(DeviceError) {
    let recording = try own(recording)
    try order.withLock { (_) throws(DeviceError) in
      for step in recording.steps { try Self.run(step) }
    }
  }

  /// Copies `bytes` into `slice`.
  public func write(_ bytes: UnsafeRawBufferPointer, to slice: BufferSlice) throws(DeviceError) {
    let target = try ResolvedSlice(slice, call: "write")
    guard bytes.count <= target.bytes.count else {
      throw .invalidArgument(
        call: "write", reason: "\(bytes.count) bytes do not fit into a slice of \(target.bytes.count).")
    }
    order.withLock { _ in target.bytes.copyMemory(from: bytes) }
  }

  /// Copies `slice` into `bytes`.
  public func read(_ slice: BufferSlice, into bytes: UnsafeMutableRawBufferPointer) throws(DeviceError) {
    let source = try ResolvedSlice(slice, call: "read")
    guard bytes.count <= source.bytes.count else {
      throw .invalidArgument(
        call: "read", reason: "\(bytes.count) bytes were asked for from a slice of \(source.bytes.count).")
    }
    order.withLock { _ in
      bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.bytes[..<bytes.count]))
    }
  }

  /// Waits for submissions from other threads.
  public func waitUntilIdle() throws(DeviceError) { order.withLock { _ in } }

  /// Runs `recording`, measuring each command on the monotonic clock.
  public func profile(_ recording: any Recording) throws(DeviceError) -> [CommandTiming] {
    let recording = try own(recording)
    return try order.withLock { (_) throws(DeviceError) -> [CommandTiming] in
      var timings: [CommandTiming] = []
      timings.reserveCapacity(recording.steps.count)
      var first: Double?
      for step in recording.steps {
        let start = Self.now
        try Self.run(step)
        let nanoseconds = Self.now - start
        timings.append(
          CommandTiming(label: step.label, start: start - (first ?? start), nanoseconds: nanoseconds))
        first = first ?? start
      }
      return timings
    }
  }

  private func own(_ recording: any Recording) throws(DeviceError) -> HostRecording {
    guard let recording = recording as? HostRecording else {
      throw .invalidArgument(
        call: "submit", reason: "the recording was not made by a queue of the cpu device.")
    }
    return recording
  }

  private static func run(_ step: HostRecording.Step) throws(DeviceError) {
    switch step {
    case .dispatch(let body, let arguments, let label):
      let refusals = host_scratch_refusals()
      try body(arguments)
      // A task that finds no memory for its work has no way to throw, and leaves its results unwritten.
      guard host_scratch_refusals() == refusals else {
        throw .outOfMemory(
          device: "cpu", purpose: "what '\(label)' works in",
          requestedByteCount: host_refused_scratch_size(), availableByteCount: nil)
      }
    case .copy(let from, let to, let byteCount): ParallelMemory.copy(from: from, to: to, byteCount: byteCount)
    case .fill(let words, let word): ParallelMemory.fill(words, with: word)
    }
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }
}

/// Copies and fills over all threads: one core does not reach the memory's bandwidth.
enum ParallelMemory {
  private static let chunk = 1 << 20

  static func copy(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, byteCount: Int) {
    guard byteCount > chunk else {
      target.copyMemory(from: source, byteCount: byteCount)
      return
    }
    ThreadPool.shared.parallel(count: (byteCount + chunk - 1) / chunk) { index in
      let first = index * chunk
      (target + first).copyMemory(from: source + first, byteCount: min(chunk, byteCount - first))
    }
  }

  static func fill(_ words: UnsafeMutableBufferPointer<UInt32>, with word: UInt32) {
    guard let base = words.baseAddress else { return }
    let length = chunk / 4
    ThreadPool.shared.parallel(count: (words.count + length - 1) / length) { index in
      let first = index * length
      (base + first).update(repeating: word, count: min(length, words.count - first))
    }
  }
}
