import CHostLoops
import HeklaArrays
import HeklaDevices

/// A loop with a reduction.
///
/// Blocks run either along the reduction axes (rows), where neighbours in memory are folded together, or along
/// the innermost parallel axis (columns), where they are not. Short rows and short columns share a block. Long
/// reductions to few results are cut into parts of a fixed size whose folds are combined in order.
///
/// `@unchecked Sendable`: immutable once made; `folds` points into `storage`.
final class ReductionRunner: LoopRunner, @unchecked Sendable {
  /// What a block holds, in row-major order.
  private enum Layout {
    /// Part of one point's reduction.
    case partOfRow
    /// The whole reduction of one or more parallel points.
    case rows
    /// One or more steps of the reduction for every point of the innermost parallel axis, or a part of it.
    case columns
    /// A part of the innermost parallel axis at one step of the reduction, which is an outer point.
    case partOfColumns
  }

  /// One fold of the loop.
  private struct Fold {
    var functions: HostFold
    var isArgument: Bool
    /// The size of a result.
    var resultByteCount: Int
    /// Where the accumulators, positions and results of a tile lie in the frame.
    var accumulators: Int
    var positions: Int
    var results: Int
    /// Where they lie in the memory of one part, by point.
    var partAccumulators: Int
    var partPositions: Int
  }

  private let layout: Layout
  private let body: Stage
  private let epilogue: Stage
  private let folds: UnsafeMutableBufferPointer<Fold>
  private let storage = PlainStorage()
  private let count: Int
  private let reductionCount: Int
  /// The extent of the innermost parallel axis.
  private let width: Int
  /// Tiles are ranges of parallel points; with columns they do not cross the innermost axis.
  private let tileSize: Int
  private let tilesPerRun: Int
  private let tileCount: Int
  /// The number of reduction steps in a part, and the number of parts.
  private let partSize: Int
  private let partCount: Int
  /// The bytes of the accumulators of all points.
  let partByteCount: Int
  private let epilogueOffset: Int
  let frameByteCount: Int
  /// What the whole loop takes, roughly, on one thread.
  let nanoseconds: Double
  private let isSerial: Bool

  private static let largestTile = 1_024

  /// What the loop is a part of.
  enum Role {
    /// Nothing: it is run as a whole.
    case whole
    /// `RowLoops` in which some of its parallel points are reduced at a time.
    case withinRows
    /// `RowLoops` in which some of its reduction's steps are folded at a time.
    case foldingRows
  }

  init(_ loop: Loop, nest: Nest, library: BlockLibrary, role: Role = .whole) throws(DeviceError) {
    let extents = nest.extents + nest.reductionExtents
    let parallelAxes = Array(0..<nest.extents.count)
    let reductionAxes = Array(nest.extents.count..<extents.count)
    let count = nest.count
    let reductionCount = nest.reductionCount
    let width = nest.extents.last ?? 1
    let isByColumns = Self.prefersColumns(nest)
    let space: StageParts.Space
    if isByColumns, width >= 512 {
      layout = .partOfColumns
      space = StageParts.Space(
        extents: extents, outerAxes: parallelAxes.dropLast() + reductionAxes,
        blockAxes: [parallelAxes.count - 1])
    } else if isByColumns {
      layout = .columns
      space = StageParts.Space(
        extents: extents, outerAxes: parallelAxes.dropLast(),
        blockAxes: reductionAxes + [parallelAxes.count - 1])
    } else if reductionCount > 512 || role == .foldingRows {
      layout = .partOfRow
      space = StageParts.Space(extents: extents, outerAxes: parallelAxes, blockAxes: reductionAxes)
    } else {
      layout = .rows
      space = StageParts.Space(extents: extents, outerAxes: [], blockAxes: parallelAxes + reductionAxes)
    }
    body = Stage(
      try StageParts(
        loop.body, of: loop, nest: nest, space: space, outputs: loop.accumulators.map(\.value), writes: false,
        library: library))
    epilogue = Stage(
      try StageParts(
        loop.epilogue, of: loop, nest: nest,
        space: StageParts.Space(extents: extents, outerAxes: [], blockAxes: parallelAxes), outputs: [],
        writes: true, library: library))
    self.count = count
    self.reductionCount = reductionCount
    self.width = width

    // The tile: enough points to share the epilogue, few enough to keep all threads busy.
    let limit = min(Self.largestTile, epilogue.blockSize)
    let nanosecondsPerResult = max(body.nanosecondsPerPoint * Double(max(reductionCount, 1)), 0.01)
    let pointsPerGrain = max(1, Int(min(30_000 / nanosecondsPerResult, 1e6)))
    switch layout {
    case .partOfRow: tileSize = min(limit, pointsPerGrain)
    case .rows: tileSize = min(limit, max(pointsPerGrain, body.blockSize / max(reductionCount, 1), 1))
    case .columns: tileSize = min(limit, body.blockSize, max(width, 1))
    // Wide, so that memory is met in order; the accumulators still fit into the first-level cache.
    case .partOfColumns: tileSize = 4 * Self.largestTile
    }
    switch layout {
    case .partOfRow, .rows:
      tilesPerRun = 1
      tileCount = (count + tileSize - 1) / tileSize
    case .columns, .partOfColumns:
      tilesPerRun = (width + tileSize - 1) / max(tileSize, 1)
      tileCount = count / max(width, 1) * tilesPerRun
    }

    // Parts: only where there are too few tiles for many threads, and of a size that the loop alone fixes.
    let total = Double(count) * Double(reductionCount) * body.nanosecondsPerPoint
    var partSize = max(reductionCount, 1)
    if role == .whole, layout != .rows, tileCount < 16, total > 100_000 {
      let parts = min(64, max(1, Int(total / 30_000) / max(tileCount, 1)))
      partSize = (reductionCount + parts - 1) / parts
      if layout == .partOfRow { partSize = (partSize + body.blockSize - 1) / body.blockSize * body.blockSize }
    }
    self.partSize = partSize
    partCount = max(1, (reductionCount + partSize - 1) / partSize)
    isSerial = total < 30_000
    nanoseconds = total

    var offset = (body.frameByteCount + 63) / 64 * 64
    epilogueOffset = offset
    offset += (epilogue.frameByteCount + 63) / 64 * 64
    var partOffset = 0
    var folds: [Fold] = []
    for accumulator in loop.accumulators {
      let type = HostType(accumulator.type)
      let isArgument = accumulator.fold == .argumentMaximum || accumulator.fold == .argumentMinimum
      let functions = library.fold(HostFoldKind(accumulator.fold), type)
      let size = functions.accumulator_size
      func place(_ byteCount: Int) -> Int {
        defer { offset += (byteCount + 127) / 64 * 64 }
        return offset
      }
      func placePart(_ byteCount: Int) -> Int {
        defer { partOffset += (byteCount + 63) / 64 * 64 }
        return partOffset
      }
      folds.append(
        Fold(
          functions: functions, isArgument: isArgument, resultByteCount: type.byteCount,
          accumulators: place(size * tileSize), positions: place(isArgument ? 4 * tileSize : 0),
          results: place(type.byteCount * tileSize), partAccumulators: placePart(size * count),
          partPositions: placePart(isArgument ? 4 * count : 0)))
    }
    self.folds = storage.array(folds)
    frameByteCount = offset
    partByteCount = partOffset
    for (accumulator, output) in zip(loop.accumulators, body.outputs)
    where output.type != HostType(accumulator.type) {
      throw DeviceError.invalidArgument(
        call: "LoopKernel.source",
        reason: "the loop is malformed: an accumulator and its value differ in type.")
    }
  }

  /// Whether blocks along the innermost parallel axis meet memory in a better order than along the reduction.
  private static func prefersColumns(_ nest: Nest) -> Bool {
    guard let width = nest.extents.last, width > 1, nest.reductionCount > 1 else { return false }
    func cost(_ stride: Int) -> Int { stride == 0 ? 0 : abs(stride) == 1 ? 1 : min(abs(stride), 16) }
    var rows = 0
    var columns = 0
    for read in nest.reads {
      rows += cost(read.index.strides.last ?? 0)
      columns += cost(read.index.strides[nest.extents.count - 1])
    }
    return columns < rows
  }

  var isEmpty: Bool { count == 0 }

  // MARK: Running

  private struct Call {
    var runner: Unmanaged<ReductionRunner>
    var bindings: UnsafePointer<UnsafeMutableRawPointer>
    var parts: UnsafeMutableRawPointer?
  }

  func run(_ bindings: UnsafePointer<UnsafeMutableRawPointer>, pool: ThreadPool) {
    if partCount == 1 {
      if isSerial || tileCount == 1 {
        for tile in 0..<tileCount { reduceAndFinish(tile, bindings) }
        return
      }
      var call = Call(runner: Unmanaged.passUnretained(self), bindings: bindings, parts: nil)
      withUnsafeMutablePointer(to: &call) { call in
        pool.parallel(count: tileCount, context: call) { call, tile in
          let call = call.assumingMemoryBound(to: Call.self).pointee
          call.runner._withUnsafeGuaranteedRef { $0.reduceAndFinish(tile, call.bindings) }
        }
      }
      return
    }
    let parts = UnsafeMutableRawPointer.allocate(byteCount: partByteCount * partCount, alignment: 64)
    defer { parts.deallocate() }
    var call = Call(runner: Unmanaged.passUnretained(self), bindings: bindings, parts: parts)
    withUnsafeMutablePointer(to: &call) { call in
      pool.parallel(count: tileCount * partCount, context: call) { call, index in
        let call = call.assumingMemoryBound(to: Call.self).pointee
        call.runner._withUnsafeGuaranteedRef { $0.reducePart(index, call.bindings, call.parts) }
      }
    }
    finish(parts: parts, count: partCount, stride: partByteCount, bindings)
  }

  /// Where the accumulators of some points lie: in a frame, or in a part's memory, which has those of all points.
  private struct Place {
    var memory: UnsafeMutableRawPointer
    /// Where the first point lies in a part's memory; nil in a frame.
    var first: Int?

    func accumulators(of fold: Fold, _ point: Int) -> UnsafeMutableRawPointer {
      let size = fold.functions.accumulator_size
      guard let first else { return memory + fold.accumulators + point * size }
      return memory + fold.partAccumulators + (first + point) * size
    }

    func positions(of fold: Fold, _ point: Int) -> UnsafeMutablePointer<Int32> {
      let position = fold.isArgument ? (first ?? 0) + point : 0
      let offset = first == nil ? fold.positions : fold.partPositions
      return (memory + offset + 4 * position).assumingMemoryBound(to: Int32.self)
    }
  }

  /// The parallel points of a tile.
  private func points(_ tile: Int) -> Range<Int> {
    switch layout {
    case .partOfRow, .rows: return tile * tileSize..<min((tile + 1) * tileSize, count)
    case .columns, .partOfColumns:
      let run = tile / tilesPerRun
      let first = (tile % tilesPerRun) * tileSize
      return run * width + first..<run * width + min(first + tileSize, width)
    }
  }

  private func reduceAndFinish(_ tile: Int, _ bindings: UnsafePointer<UnsafeMutableRawPointer>) {
    guard let scratch = host_thread_scratch(frameByteCount) else { return }
    reduceAndFinish(points(tile), bindings, scratch)
  }

  private func reduceAndFinish(
    _ points: Range<Int>, _ bindings: UnsafePointer<UnsafeMutableRawPointer>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    start(points.count, position: 0, scratch)
    reduce(points, steps: 0..<reductionCount, bindings, scratch)
    finish(points, bindings, scratch)
  }

  // MARK: Within rows

  /// Reduces `points` in `scratch`, which has `frameByteCount` bytes.
  func run(
    _ points: Range<Int>, _ bindings: UnsafePointer<UnsafeMutableRawPointer>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    var first = points.lowerBound
    while first < points.upperBound {
      var end = min(first + tileSize, points.upperBound)
      if layout == .columns || layout == .partOfColumns { end = min(end, (first / width + 1) * width) }
      reduceAndFinish(first..<end, bindings, scratch)
      first = end
    }
  }

  /// Sets the accumulators of a part whose first step is `step`, in memory of `partByteCount` bytes.
  func start(part: UnsafeMutableRawPointer, step: Int) {
    let place = Place(memory: part, first: 0)
    for fold in folds {
      fold.functions.start(
        place.accumulators(of: fold, 0), place.positions(of: fold, 0), count, Int32(truncatingIfNeeded: step))
    }
  }

  /// Folds `steps` of the reduction of all points into a part.
  func fold(
    _ steps: Range<Int>, into part: UnsafeMutableRawPointer,
    _ bindings: UnsafePointer<UnsafeMutableRawPointer>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    for tile in 0..<tileCount {
      let points = points(tile)
      reduce(
        points, steps: steps, bindings, scratch, into: Place(memory: part, first: points.lowerBound))
    }
  }

  // MARK: Parts

  private func reducePart(
    _ index: Int, _ bindings: UnsafePointer<UnsafeMutableRawPointer>, _ parts: UnsafeMutableRawPointer?
  ) {
    guard let scratch = host_thread_scratch(frameByteCount), let parts else { return }
    let points = points(index / partCount)
    let part = index % partCount
    let steps = part * partSize..<min((part + 1) * partSize, reductionCount)
    start(points.count, position: Int32(truncatingIfNeeded: steps.lowerBound), scratch)
    reduce(points, steps: steps, bindings, scratch)
    let memory = parts + part * partByteCount
    for fold in folds {
      let size = fold.functions.accumulator_size
      (memory + fold.partAccumulators + points.lowerBound * size)
        .copyMemory(from: scratch + fold.accumulators, byteCount: points.count * size)
      if fold.isArgument {
        (memory + fold.partPositions + points.lowerBound * 4)
          .copyMemory(from: scratch + fold.positions, byteCount: points.count * 4)
      }
    }
  }

  /// Combines the accumulators of `count` parts, each `stride` bytes after the last, and stores the results.
  func finish(
    parts: UnsafeMutableRawPointer, count: Int, stride: Int,
    _ bindings: UnsafePointer<UnsafeMutableRawPointer>
  ) {
    for tile in 0..<tileCount {
      mergeAndFinish(points(tile), parts, count: count, stride: stride, bindings)
    }
  }

  private func mergeAndFinish(
    _ points: Range<Int>, _ parts: UnsafeMutableRawPointer, count: Int, stride: Int,
    _ bindings: UnsafePointer<UnsafeMutableRawPointer>
  ) {
    guard let scratch = host_thread_scratch(frameByteCount) else { return }
    start(points.count, position: 0, scratch)
    for part in 0..<count {
      let memory = parts + part * stride
      for fold in folds {
        let later = memory + fold.partAccumulators + points.lowerBound * fold.functions.accumulator_size
        let positions = memory + fold.partPositions + (fold.isArgument ? points.lowerBound * 4 : 0)
        fold.functions.merge(
          scratch + fold.accumulators, (scratch + fold.positions).assumingMemoryBound(to: Int32.self), later,
          positions.assumingMemoryBound(to: Int32.self), points.count)
      }
    }
    finish(points, bindings, scratch)
  }

  private func start(_ count: Int, position: Int32, _ scratch: UnsafeMutableRawPointer) {
    for fold in folds {
      fold.functions.start(
        scratch + fold.accumulators, (scratch + fold.positions).assumingMemoryBound(to: Int32.self), count,
        position)
    }
  }

  /// Folds `steps` of the reduction of `points`, from the accumulators' first on, into accumulators at `place`.
  private func reduce(
    _ points: Range<Int>, steps: Range<Int>, _ bindings: UnsafePointer<UnsafeMutableRawPointer>,
    _ scratch: UnsafeMutableRawPointer, into place: Place? = nil
  ) {
    guard !steps.isEmpty else { return }
    let place = place ?? Place(memory: scratch)
    let frame = body.frame(in: scratch, bindings: bindings)
    switch layout {
    case .partOfRow:
      for (position, point) in points.enumerated() {
        body.enter(point, frame)
        var step = steps.lowerBound
        while step < steps.upperBound {
          let length = min(body.blockSize, steps.upperBound - step)
          body.run(first: step, count: length, frame)
          foldRows(frame, place, to: position, rows: 1, length: length, position: step)
          step += length
        }
      }
    case .rows:
      body.enter(0, frame)
      let length = steps.count
      if length > body.blockSize {
        // Blocks of many registers may be shorter than a row.
        for (position, point) in points.enumerated() {
          var step = 0
          while step < length {
            let part = min(body.blockSize, length - step)
            body.run(first: point * length + step, count: part, frame)
            foldRows(frame, place, to: position, rows: 1, length: part, position: step)
            step += part
          }
        }
        return
      }
      let rowsPerBlock = body.blockSize / length
      var point = points.lowerBound
      while point < points.upperBound {
        let rows = min(rowsPerBlock, points.upperBound - point)
        body.run(first: point * length, count: rows * length, frame)
        foldRows(frame, place, to: point - points.lowerBound, rows: rows, length: length, position: 0)
        point += rows
      }
    case .columns:
      body.enter(points.lowerBound / width, frame)
      if points.count == width {
        let stepsPerBlock = max(1, body.blockSize / width)
        var step = steps.lowerBound
        while step < steps.upperBound {
          let rows = min(stepsPerBlock, steps.upperBound - step)
          body.run(first: step * width, count: rows * width, frame)
          foldColumns(frame, place, to: 0, rows: rows, length: width, position: step)
          step += rows
        }
      } else {
        let first = points.lowerBound % width
        for step in steps {
          body.run(first: step * width + first, count: points.count, frame)
          foldColumns(frame, place, to: 0, rows: 1, length: points.count, position: step)
        }
      }
    case .partOfColumns:
      let outer = points.lowerBound / width * reductionCount
      let column = points.lowerBound % width
      for step in steps {
        body.enter(outer + step, frame)
        var first = 0
        while first < points.count {
          let length = min(body.blockSize, points.count - first)
          body.run(first: column + first, count: length, frame)
          foldColumns(frame, place, to: first, rows: 1, length: length, position: step)
          first += length
        }
      }
    }
  }

  private func foldRows(
    _ frame: Stage.Frame, _ place: Place, to point: Int, rows: Int, length: Int, position: Int
  ) {
    for index in 0..<folds.count {
      let fold = folds[index]
      fold.functions.fold_rows(
        place.accumulators(of: fold, point), place.positions(of: fold, point),
        frame.slots[body.outputs[index].slot], rows, length, Int32(truncatingIfNeeded: position))
    }
  }

  private func foldColumns(
    _ frame: Stage.Frame, _ place: Place, to point: Int, rows: Int, length: Int, position: Int
  ) {
    for index in 0..<folds.count {
      let fold = folds[index]
      fold.functions.fold_columns(
        place.accumulators(of: fold, point), place.positions(of: fold, point),
        frame.slots[body.outputs[index].slot], rows, length, Int32(truncatingIfNeeded: position))
    }
  }

  /// Turns a tile's accumulators into results and stores what the epilogue makes of them.
  private func finish(
    _ points: Range<Int>, _ bindings: UnsafePointer<UnsafeMutableRawPointer>,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let frame = epilogue.frame(in: scratch + epilogueOffset, bindings: bindings)
    for fold in folds where !fold.isArgument {
      fold.functions.finish?(scratch + fold.results, scratch + fold.accumulators, points.count)
    }
    epilogue.enter(0, frame)
    var first = 0
    while first < points.count {
      let length = min(epilogue.blockSize, points.count - first)
      for index in 0..<folds.count {
        let fold = folds[index]
        frame.slots[index] =
          fold.isArgument
          ? scratch + fold.positions + first * 4 : scratch + fold.results + first * fold.resultByteCount
      }
      epilogue.run(first: points.lowerBound + first, count: length, frame)
      first += length
    }
  }
}
