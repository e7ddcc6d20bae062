import CHostLoops
import HeklaDevices

/// A loop without a reduction.
///
/// The block space is the shortest run of inner axes with some hundred points; what the outer axes tell apart
/// is computed once per outer point. Short rows, such as those of a bias of ten elements, so share a block.
final class ElementwiseRunner: LoopRunner {
  /// The fewest points that are worth entering an outer point for.
  private static let leastBlockCount = 512

  private let stage: Stage
  private let count: Int
  /// Points per chunk; whole blocks of one outer point, or whole outer points.
  private let chunkSize: Int

  init(_ loop: Loop, nest: Nest, library: BlockLibrary) throws(DeviceError) {
    count = nest.count
    var split = nest.extents.count
    var blockCount = 1
    while split > 0, blockCount < Self.leastBlockCount {
      split -= 1
      blockCount *= nest.extents[split]
    }
    let space = StageParts.Space(
      extents: nest.extents, outerAxes: Array(0..<split), blockAxes: Array(split..<nest.extents.count))
    stage = Stage(
      try StageParts(loop.body, of: loop, nest: nest, space: space, outputs: [], writes: true, library: library))
    chunkSize = WorkGrain.chunkSize(nanosecondsPerPoint: stage.nanosecondsPerPoint, multipleOf: stage.blockSize)
  }

  var isEmpty: Bool { count == 0 }

  func run(_ bindings: UnsafePointer<UnsafeMutableRawPointer>, pool: ThreadPool) {
    let chunkCount = (count + chunkSize - 1) / chunkSize
    if chunkCount == 1 {
      run(0..<count, bindings)
      return
    }
    var call = Call(runner: Unmanaged.passUnretained(self), bindings: bindings)
    withUnsafeMutablePointer(to: &call) { call in
      pool.parallel(count: chunkCount, context: call) { call, chunk in
        let call = call.assumingMemoryBound(to: Call.self).pointee
        call.runner._withUnsafeGuaranteedRef { runner in
          let first = chunk * runner.chunkSize
          runner.run(first..<min(first + runner.chunkSize, runner.count), call.bindings)
        }
      }
    }
  }

  private struct Call {
    var runner: Unmanaged<ElementwiseRunner>
    var bindings: UnsafePointer<UnsafeMutableRawPointer>
  }

  private func run(_ points: Range<Int>, _ bindings: UnsafePointer<UnsafeMutableRawPointer>) {
    guard let scratch = host_thread_scratch(stage.frameByteCount) else { return }
    let frame = stage.frame(in: scratch, bindings: bindings)
    var point = points.lowerBound
    while point < points.upperBound {
      let outer = point / stage.blockCount
      let end = min((outer + 1) * stage.blockCount, points.upperBound) - outer * stage.blockCount
      stage.enter(outer, frame)
      var first = point - outer * stage.blockCount
      point = outer * stage.blockCount + end
      while first < end {
        let count = min(stage.blockSize, end - first)
        stage.run(first: first, count: count, frame)
        first += count
      }
    }
  }
}

/// How much work is worth handing to another thread.
enum WorkGrain {
  /// A chunk of some 30 microseconds: ten times what a fork and join costs.
  private static let nanoseconds = 30_000.0

  /// The number of points in a chunk, a multiple of `step`.
  static func chunkSize(nanosecondsPerPoint: Double, multipleOf step: Int) -> Int {
    let points = nanoseconds / max(nanosecondsPerPoint, 0.01)
    return max(Int(points) / step, 1) * step
  }
}
