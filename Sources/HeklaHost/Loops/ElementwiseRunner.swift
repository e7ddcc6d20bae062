import CHostLoops
import HeklaDevices

/// A loop without a reduction.
///
/// The block space is the shortest run of inner axes with a hundred points or so; what the outer axes tell apart is
/// computed once per outer point. Rows of some length, such as the gates of a recurrent cell, are so read and written
/// where they lie; short rows, such as those of a bias of ten elements, share a block.
final class ElementwiseRunner: LoopRunner {
  /// The fewest points that are worth entering an outer point for.
  private static let leastBlockCount = 96

  private let stage: Stage
  /// The number of points, or of tiles.
  private let count: Int
  /// Points or tiles per chunk.
  private let chunkSize: Int

  /// How the two innermost of the stage's axes are cut where memory is read across.
  private struct Tiling {
    var rows: Int
    var columns: Int
    var tileRows: Int
    var tileColumns: Int

    var tilesPerRow: Int { (columns + tileColumns - 1) / tileColumns }
    var count: Int { (rows + tileRows - 1) / tileRows * tilesPerRow }
  }

  private let tiling: Tiling?

  /// - Parameter isWithinRows: Whether parts of the points are run by themselves, which then are no tiles.
  init(_ loop: Loop, nest: Nest, library: BlockLibrary, isWithinRows: Bool = false) throws(DeviceError) {
    let rank = nest.extents.count
    let space: StageParts.Space
    let rowAxis = isWithinRows ? nil : Self.axisReadAlong(nest)
    if let rowAxis {
      space = StageParts.Space(
        extents: nest.extents, outerAxes: (0..<rank - 1).filter { $0 != rowAxis },
        blockAxes: [rowAxis, rank - 1],
        isTiled: true)
    } else {
      var split = rank
      var blockCount = 1
      while split > 0, blockCount < Self.leastBlockCount {
        split -= 1
        blockCount *= nest.extents[split]
      }
      space = StageParts.Space(
        extents: nest.extents, outerAxes: Array(0..<split), blockAxes: Array(split..<rank),
        keepsRowsWhole: true)
    }
    stage = Stage(
      try StageParts(
        loop.body, of: loop, nest: nest, space: space, outputs: [], writes: true, library: library))
    if let rowAxis {
      // Two cache lines wide for memory that is written, and as tall as a block allows up to a square.
      let tileColumns = min(32, nest.extents[rank - 1])
      let tiling = Tiling(
        rows: nest.extents[rowAxis], columns: nest.extents[rank - 1],
        tileRows: min(stage.blockSize / tileColumns, 32, nest.extents[rowAxis]), tileColumns: tileColumns)
      self.tiling = tiling
      // What is numbered and cut into chunks are tiles then.
      count = nest.isEmpty ? 0 : nest.count / (tiling.rows * tiling.columns) * tiling.count
      chunkSize = WorkGrain.chunkSize(
        count: count, nanoseconds: stage.nanosecondsPerPoint * Double(tiling.tileRows * tileColumns))
    } else {
      tiling = nil
      count = nest.count
      chunkSize = WorkGrain.chunkSize(
        count: count, nanoseconds: stage.nanosecondsPerPoint, multipleOf: Self.chunkStep(nest))
    }
  }

  /// What chunks of points are multiples of: rows that something tells apart, unless they are long; else whole vectors
  /// and a cache line of what is written.
  private static func chunkStep(_ nest: Nest) -> Int {
    guard nest.extents.count > 1, let row = nest.extents.last, 1...1024 ~= row else { return 64 }
    return row
  }

  /// The axis along which a read meets neighbours in memory, if that is not the innermost one.
  ///
  /// Reading such memory row by row touches a cache line for each element and comes back to the line a row
  /// later; where it does not stay in the cache till then, tiles are many times faster.
  private static func axisReadAlong(_ nest: Nest) -> Int? {
    guard nest.count >= 4_096, nest.extents.count >= 2, let inner = nest.extents.last, inner >= 8 else {
      return nil
    }
    for read in nest.reads {
      let strides = read.index.strides
      let innerStride = abs(strides[nest.extents.count - 1])
      guard innerStride >= 16 else { continue }
      let candidates = nest.extents.indices.dropLast().filter { axis in
        strides[axis] != 0 && abs(strides[axis]) * 8 <= innerStride && nest.extents[axis] >= 8
      }
      if let axis = candidates.min(by: { abs(strides[$0]) < abs(strides[$1]) }) { return axis }
    }
    return nil
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
    run(points, bindings, scratch)
  }

  var frameByteCount: Int { stage.frameByteCount }
  var nanosecondsPerPoint: Double { stage.nanosecondsPerPoint }

  /// Computes `points`, numbered in the order of what is written first, in `scratch`, which has `frameByteCount` bytes.
  func run(
    _ points: Range<Int>, _ bindings: UnsafePointer<UnsafeMutableRawPointer>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let frame = stage.frame(in: scratch, bindings: bindings)
    if let tiling {
      runTiles(points, tiling, frame)
      return
    }
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

extension ElementwiseRunner {
  private func runTiles(_ tiles: Range<Int>, _ tiling: Tiling, _ frame: Stage.Frame) {
    var entered = -1
    for tile in tiles {
      let outer = tile / tiling.count
      if outer != entered {
        stage.enter(outer, frame)
        entered = outer
      }
      let row = tile % tiling.count / tiling.tilesPerRow * tiling.tileRows
      let column = tile % tiling.count % tiling.tilesPerRow * tiling.tileColumns
      stage.run(
        Access.Span(
          rows: row..<min(row + tiling.tileRows, tiling.rows),
          columns: column..<min(column + tiling.tileColumns, tiling.columns)), frame)
    }
  }
}

/// How much work is worth handing to another thread.
enum WorkGrain {
  /// A chunk of some 30 microseconds: ten times what a fork and join costs.
  static let nanoseconds = 30_000.0
  /// What a chunk takes at least where there are few.
  private static let leastNanoseconds = 8_000.0
  /// How many smaller chunks a short loop is cut into, so that threads end together.
  private static let fewChunks = 16.0

  /// How many of `count` pieces of so many `nanoseconds` make a chunk, a multiple of `step`: chunks are about equal.
  static func chunkSize(count: Int, nanoseconds: Double, multipleOf step: Int = 1) -> Int {
    let total = Double(count) * nanoseconds
    let wanted = max(total / Self.nanoseconds, min(total / leastNanoseconds, fewChunks))
    let chunks = max(1, Int(min(wanted, Double(count))))
    return max(1, (count + chunks * step - 1) / (chunks * step)) * step
  }
}
