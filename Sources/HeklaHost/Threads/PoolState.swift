import CHostLoops
import Synchronization

/// What the threads of a pool share: one job at a time, whose iterations are handed out from both ends.
///
/// The protocol rests on one fact: an iteration is claimed by taking it out of `unclaimed`, and the job is replaced only
/// after every claimed iteration has been counted off `unfinished`. So whoever succeeds with a claim may read the job,
/// however late it woke up, and nobody has to check in or out.
///
/// The caller takes the first iterations, workers the last: mostly the same half of an array's rows is then the same
/// thread's from one loop to the next, and lies in that processor's caches.
///
/// `@unchecked Sendable`: see above for `job`; the rest are atomics at fixed addresses.
final class PoolState: @unchecked Sendable {
  /// One loop.
  struct Job {
    var function: @convention(c) (UnsafeMutableRawPointer, Int) -> Void
    var context: UnsafeMutableRawPointer
    var count: Int
  }

  let isStopping = Atomic(false)
  let threadCount = Atomic(1)

  /// The iterations that nobody has taken yet: the first in the lower half, one behind the last in the upper.
  private let unclaimed: UnsafeMutablePointer<Atomic<UInt64>>
  /// The iterations that are not done yet; the caller sleeps on it.
  private let unfinished: UnsafeMutablePointer<Atomic<UInt32>>
  /// Counts the jobs; workers sleep on it.
  private let generation: UnsafeMutablePointer<Atomic<UInt32>>
  /// The number of workers that sleep or are about to.
  private let sleepers: UnsafeMutablePointer<Atomic<Int>>
  /// Whether the caller sleeps or is about to.
  private let callerSleeps: UnsafeMutablePointer<Atomic<Bool>>
  private let memory: UnsafeMutableRawPointer
  private let job: UnsafeMutablePointer<Job>

  /// How often a thread looks for work before it sleeps: 20 to 50 microseconds on current processors.
  private static let spinCount = 1_000

  init() {
    // A cache line for each word, so that spinning on one does not slow writes to another.
    let line = 128
    memory = .allocate(byteCount: 6 * line, alignment: line)
    unclaimed = memory.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unfinished = (memory + line).bindMemory(to: Atomic<UInt32>.self, capacity: 1)
    generation = (memory + 2 * line).bindMemory(to: Atomic<UInt32>.self, capacity: 1)
    sleepers = (memory + 3 * line).bindMemory(to: Atomic<Int>.self, capacity: 1)
    callerSleeps = (memory + 4 * line).bindMemory(to: Atomic<Bool>.self, capacity: 1)
    job = (memory + 5 * line).bindMemory(to: Job.self, capacity: 1)
    unclaimed.initialize(to: Atomic(0))
    unfinished.initialize(to: Atomic(0))
    generation.initialize(to: Atomic(0))
    sleepers.initialize(to: Atomic(0))
    callerSleeps.initialize(to: Atomic(false))
    job.initialize(to: Job(function: { _, _ in }, context: memory, count: 0))
  }

  deinit { memory.deallocate() }

  /// Runs `newJob` on the workers and the calling thread; one caller at a time.
  func run(_ newJob: Job) {
    // The counters are 32 bits wide where threads sleep on them.
    precondition(newJob.count <= Int(UInt32.max), "ThreadPool: a loop has at most 2^32 - 1 iterations")
    job.pointee = newJob
    unfinished.pointee.store(UInt32(newJob.count), ordering: .relaxed)
    unclaimed.pointee.store(UInt64(newJob.count) << 32, ordering: .releasing)
    call(threads: newJob.count - 1)
    drain(fromFront: true)
    for _ in 0..<Self.spinCount {
      if unfinished.pointee.load(ordering: .acquiring) == 0 { return }
      host_pause()
    }
    callerSleeps.pointee.store(true, ordering: .sequentiallyConsistent)
    while true {
      let left = unfinished.pointee.load(ordering: .sequentiallyConsistent)
      if left == 0 { break }
      host_wait(unfinished, left)
    }
    callerSleeps.pointee.store(false, ordering: .relaxed)
  }

  /// Tells up to `threads` sleeping workers to look for work; those that spin see it by themselves.
  func call(threads: Int) {
    generation.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if sleepers.pointee.load(ordering: .sequentiallyConsistent) > 0 {
      host_wake(generation, Int32(clamping: threads))
    }
  }

  /// The life of a worker.
  func work() {
    host_set_inside_parallel_region(true)
    while !isStopping.load(ordering: .acquiring) {
      let seen = generation.pointee.load(ordering: .sequentiallyConsistent)
      drain(fromFront: false)
      var spins = 0
      while generation.pointee.load(ordering: .relaxed) == seen, spins < Self.spinCount {
        host_pause()
        spins += 1
      }
      guard spins == Self.spinCount else { continue }
      // A caller adds to `generation` before it looks at `sleepers`, a worker does it the other way round:
      // one of the two sees the other.
      sleepers.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
      if generation.pointee.load(ordering: .sequentiallyConsistent) == seen,
        !isStopping.load(ordering: .sequentiallyConsistent)
      {
        host_wait(generation, seen)
      }
      sleepers.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
  }

  /// Takes iterations and runs them until none is left.
  private func drain(fromFront: Bool) {
    var seen = unclaimed.pointee.load(ordering: .acquiring)
    while true {
      let (first, end) = (Int(truncatingIfNeeded: seen & 0xFFFF_FFFF), Int(truncatingIfNeeded: seen >> 32))
      guard first < end else { return }
      // A share of what is left: larger while there is much, single iterations at the end; small, since a
      // worker may lose its processor to another process while it holds one.
      let share = max(1, (end - first) / (16 * threadCount.load(ordering: .relaxed)))
      let (isMine, current) = unclaimed.pointee.weakCompareExchange(
        expected: seen, desired: fromFront ? seen + UInt64(share) : seen - UInt64(share) << 32,
        ordering: .acquiringAndReleasing)
      guard isMine else {
        seen = current
        continue
      }
      let job = job.pointee
      let mine = fromFront ? first..<(first + share) : (end - share)..<end
      for index in mine { job.function(job.context, index) }
      finish(share)
      seen = unclaimed.pointee.load(ordering: .acquiring)
    }
  }

  private func finish(_ count: Int) {
    let (_, left) = unfinished.pointee.wrappingSubtract(UInt32(count), ordering: .sequentiallyConsistent)
    if left == 0, callerSleeps.pointee.load(ordering: .sequentiallyConsistent) { host_wake(unfinished, 1) }
  }
}
