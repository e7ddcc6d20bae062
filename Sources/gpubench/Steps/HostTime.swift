import Foundation

/// What steps cost the host that submits them, in medians of many.
struct HostTime: Equatable {
  /// Processor time of the submitting thread for a launch, in microseconds; where submitting is running, what is spent
  /// outside of the launches by the clock on the wall.
  var microsecondsPerLaunch: Double
  /// The same by the clock on the wall.
  var wallMicrosecondsPerLaunch: Double
  /// Microseconds on the wall until a batch is handed over; on GPUs while the step before it is under way.
  var uploadMicroseconds: Double
}

/// A moment by two clocks: the one on the wall, and that of the processor time which this thread has had.
///
/// Processor time is what submitting costs. Drivers that run shaders on the processor share its cores with whoever
/// submits: the first command wakes their threads, and the wall's clock then counts how long the submitting thread
/// waits for a core, which depends on the machine's other work and on how long a kernel runs. Processor time does not
/// count waiting of any kind, so that of a submission for a lock or for the device would not show there; the wall's
/// clock shows it. Reading both takes less than a microsecond of some tens that a step takes.
struct HostMoment {
  private let wall = ContinuousClock.now
  private let processorMicroseconds: Double

  private init() {
    var time = timespec()
    // It cannot fail: the clock exists on every Linux. Source: clock_gettime(2).
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    processorMicroseconds = Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) * 1e-3
  }

  /// This moment, on the thread that asks.
  static var now: HostMoment { HostMoment() }

  /// What has passed since, on the same thread.
  var elapsed: (wallMicroseconds: Double, processorMicroseconds: Double) {
    let now = HostMoment.now
    return ((now.wall - wall) / .microseconds(1), now.processorMicroseconds - processorMicroseconds)
  }
}
