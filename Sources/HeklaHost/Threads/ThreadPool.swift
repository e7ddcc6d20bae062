import CHostLoops
import Glibc
import Synchronization

/// Threads that wait for loops to run: fork and join in a few microseconds.
///
/// A loop's iterations are handed out dynamically, a share of what is left at a time, to the workers and to
/// the calling thread. Which thread runs an iteration is not fixed; callers that promise the same bits on
/// every run give each iteration its own output and combine in a fixed order afterwards.
///
/// Workers that find nothing to do spin for some tens of microseconds, since the next loop of a training step
/// is rarely further away, then sleep until they are called.
///
/// `@unchecked Sendable`: all mutable state is in atomics, but for the job, which is written only by the
/// caller that holds `callers` and read only by threads that hold a claim on one of its iterations.
public final class ThreadPool: @unchecked Sendable {
  /// The pool of the process: as many threads as processors it may use, or as `HEKLA_THREADS` says.
  public static let shared = ThreadPool(threadCount: defaultThreadCount)

  /// The number of threads that run a loop, the caller's included.
  public let threadCount: Int

  private let state: PoolState
  private let callers = Mutex(())
  private let workers: [pthread_t]

  /// A pool of `threadCount` threads, of which the caller of a loop is one.
  ///
  /// Where the system refuses to start a thread the pool has fewer.
  public init(threadCount: Int) {
    let state = PoolState()
    var workers: [pthread_t] = []
    for _ in 1..<max(threadCount, 1) {
      var thread = pthread_t()
      let argument = Unmanaged.passRetained(state)
      let status = pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<PoolState>.fromOpaque(argument).takeRetainedValue().work()
          return nil
        }, argument.toOpaque())
      guard status == 0 else {
        argument.release()
        break
      }
      workers.append(thread)
    }
    self.state = state
    self.workers = workers
    self.threadCount = workers.count + 1
    state.threadCount.store(workers.count + 1, ordering: .releasing)
  }

  deinit {
    state.isStopping.store(true, ordering: .sequentiallyConsistent)
    state.call(threads: workers.count)
    for worker in workers { pthread_join(worker, nil) }
  }

  /// Calls `body` with each of `0..<count`, in any order and on any thread, and returns when all are done.
  ///
  /// Called from inside a body, it runs serially on the calling thread. Loops of several callers run one
  /// after another.
  public func parallel(count: Int, _ body: (Int) -> Void) {
    guard count > 1, threadCount > 1, !host_is_inside_parallel_region() else {
      for index in 0..<max(count, 0) { body(index) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var box = BodyBox(body: body)
      withUnsafeMutablePointer(to: &box) { box in
        parallel(count: count, context: UnsafeMutableRawPointer(box)) { context, index in
          context.assumingMemoryBound(to: BodyBox.self).pointee.body(index)
        }
      }
    }
  }

  /// Calls `function` with `context` and each of `0..<count`, as `parallel(count:_:)` does, without any
  /// allocation.
  public func parallel(
    count: Int, context: UnsafeMutableRawPointer,
    _ function: @convention(c) (UnsafeMutableRawPointer, Int) -> Void
  ) {
    guard count > 1, threadCount > 1, !host_is_inside_parallel_region() else {
      for index in 0..<max(count, 0) { function(context, index) }
      return
    }
    callers.withLock { _ in
      host_set_inside_parallel_region(true)
      state.run(PoolState.Job(function: function, context: context, count: count))
      host_set_inside_parallel_region(false)
    }
  }

  /// What `HEKLA_THREADS` says, or the number of processors this process may run on.
  private static var defaultThreadCount: Int {
    if let text = getenv("HEKLA_THREADS"), let count = Int(String(cString: text)), count > 0 {
      return min(count, 1024)
    }
    return Int(host_processor_count())
  }
}

/// A closure in memory, so that a C function can find it behind a context pointer.
private struct BodyBox {
  let body: (Int) -> Void
}
