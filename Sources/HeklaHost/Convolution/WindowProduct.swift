import CHostLoops

/// A convolution forward, or its input gradient, as `target = weights x windows` for each item of the batch and group.
///
/// The weights are packed once, for each phase. A task copies what its piece of the positions meets, a block of planes
/// at a time, into a region that stays in cache, and multiplies: the windows are read from the region where they lie,
/// at an offset for each tap. Each element is a sum over planes and taps in order, however the positions are cut.
struct WindowProduct: Sendable {
  /// A piece of the positions with as many items as a task computes.
  private struct Work: Sendable {
    let piece: WindowPiece
    let phase: Int
    /// The offset of each plane and tap of a block in the region or, where that is the source, in the source.
    let offsets: [Int32]
    let items: Int
    let tasks: Int
  }

  private let convolution: Convolution
  private let kernels: ProductKernels
  private let isBackward: Bool
  /// Rows of the weights and planes of the source, in one group.
  private let rows, planes: Int
  private let sourceCount, targetCount: Int
  /// Planes in a block; their taps are the depth of one product.
  private let blockPlanes: Int
  private let phases: [WindowPhase]
  private let works: [Work]

  /// The convolution with `kernels`, or with the fastest ones of this processor.
  init(_ convolution: Convolution, kernels: ProductKernels? = nil) {
    self.convolution = convolution
    self.kernels = kernels ?? ProductKernels(elementSize: convolution.elementSize)
    isBackward = convolution.direction == .inputGradient
    (rows, planes) =
      isBackward
      ? (convolution.channels, convolution.features) : (convolution.features, convolution.channels)
    let (input, output) = (convolution.input, convolution.output)
    let (source, target) = isBackward ? (output, input) : (input, output)
    (sourceCount, targetCount) = (source.reduce(1, *), target.reduce(1, *))
    phases = WindowPhase.all(of: convolution, isBackward: isBackward)
    // Offsets of planes have 32 bits, in the source, where it is read in place, and in regions.
    let largest = phases.reduce(sourceCount) { max($0, $1.largestRegionSize) }
    blockPlanes = max(
      1,
      min(
        planes, Int(Int32.max) / largest, ProductBlocking.depth / max(1, phases.map(\.taps.count).max() ?? 1))
    )
    let limit = Self.limit(convolution, rows: rows, positions: phases.reduce(0) { $0 + $1.positions })
    var works: [Work] = []
    for (number, phase) in phases.enumerated() {
      for piece in phase.pieces(
        limit, sourceExtents: source, targetExtents: target, unit: self.kernels.lanes)
      {
        let isWhole = piece.count == phase.positions
        let items = isWhole ? min(convolution.batch, max(1, limit / piece.count)) : 1
        let planeStep = piece.place == nil ? piece.regionSize : sourceCount
        let offsets = (0..<blockPlanes).flatMap { plane in piece.taps.map { $0 + Int32(plane * planeStep) } }
        works.append(
          Work(
            piece: piece, phase: number, offsets: offsets, items: items,
            tasks: (convolution.batch + items - 1) / items))
      }
    }
    self.works = works
  }

  /// About how many positions a task computes: as many sums as stay in the second level of the cache beside a block of
  /// weights, and enough tasks for the threads.
  private static func limit(_ convolution: Convolution, rows: Int, positions: Int) -> Int {
    let inCache = max(256, min(4096, 65_536 / rows))
    let shared =
      positions * convolution.batch * convolution.groups / (4 * ThreadPool.shared.threadCount)
    return max(64, min(inCache, shared))
  }

  /// Computes `target` from `source`, `[batch, planes, positions...]` both, and the weights.
  func run(
    source: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer, target: UnsafeMutableRawPointer
  ) {
    let size = kernels.elementSize
    let matrix = UnsafeMutableRawPointer.allocate(byteCount: start(phase: phases.count) * size, alignment: 64)
    defer { matrix.deallocate() }
    pack(weights, into: matrix)
    let taskCount = works.reduce(0) { $0 + $1.tasks }
    ThreadPool.shared.parallel(count: taskCount * convolution.groups) { task in
      var (group, number, work) = (task / taskCount, task % taskCount, 0)
      while number >= works[work].tasks {
        number -= works[work].tasks
        work += 1
      }
      multiply(works[work], number, group: group, source, matrix, target)
    }
  }

  // MARK: - Weights

  /// The rows of the blocks that the weights' rows fall in.
  private var rowBlocks: Int { (rows + ProductBlocking.rows - 1) / ProductBlocking.rows }

  /// Elements behind each block of rows, because packing may write past its end.
  private static let padding = 16

  private func rows(ofBlock block: Int) -> Range<Int> {
    evenPart(block, of: rowBlocks, in: rows, unit: kernels.tileRows)
  }

  /// Where the packed weights of some rows of a phase and group begin, in elements; the end for the phase after the
  /// last.
  private func start(phase: Int, group: Int = 0, block: Int = 0) -> Int {
    func count(_ phase: Int) -> Int { rows * planes * phases[phase].taps.count + rowBlocks * Self.padding }
    let before = (0..<phase).reduce(0) { $0 + count($1) } * convolution.groups
    guard phase < phases.count else { return before }
    return before + group * count(phase) + rows(ofBlock: block).lowerBound * planes * phases[phase].taps.count
      + block * Self.padding
  }

  /// Packs all weights: phases, groups, blocks of rows, blocks of planes, tiles.
  private func pack(_ weights: UnsafeMutableRawPointer, into matrix: UnsafeMutableRawPointer) {
    ThreadPool.shared.parallel(count: phases.count * convolution.groups * rowBlocks) { task in
      let (phase, group, block) = (
        task / rowBlocks / convolution.groups, task / rowBlocks % convolution.groups, task % rowBlocks
      )
      pack(
        rows(ofBlock: block), phase, group, weights,
        into: matrix + start(phase: phase, group: group, block: block) * kernels.elementSize)
    }
  }

  /// Packs the weights of some rows, for one phase and group.
  private func pack(
    _ blockRows: Range<Int>, _ phase: Int, _ group: Int, _ weights: UnsafeMutableRawPointer,
    into matrix: UnsafeMutableRawPointer
  ) {
    let (taps, size) = (phases[phase].taps, kernels.elementSize)
    let depth = planes * taps.count
    guard depth > 0, !blockRows.isEmpty else { return }
    // The rows in order, with the phase's taps only.
    var ordered = weights + (group * rows + blockRows.lowerBound) * depth * size
    if isBackward {
      ordered = .allocate(byteCount: blockRows.count * depth * size, alignment: 64)
      copyRows(blockRows, taps, group, from: weights, to: ordered)
    }
    defer { if isBackward { ordered.deallocate() } }
    let tiles = (blockRows.count + kernels.tileRows - 1) / kernels.tileRows
    for first in stride(from: 0, to: planes, by: blockPlanes) {
      let blockDepth = min(blockPlanes, planes - first) * taps.count
      let place = first * taps.count * blockRows.count
      for tile in 0..<tiles {
        let tileRows = evenPart(tile, of: tiles, in: blockRows.count)
        kernels.table.pointee.pack_across(
          matrix + (place + tileRows.lowerBound * blockDepth) * size,
          ordered + (tileRows.lowerBound * depth + first * taps.count) * size, depth, tileRows.count,
          tileRows.count, blockDepth)
      }
    }
  }

  /// The weights `[channels, features, taps]` of some channels of a group, from `[features, channels, taps]`.
  private func copyRows(
    _ blockRows: Range<Int>, _ taps: [Int], _ group: Int, from weights: UnsafeMutableRawPointer,
    to ordered: UnsafeMutableRawPointer
  ) {
    func copy<Real>(_: Real.Type) {
      let from = weights.assumingMemoryBound(to: Real.self)
      var to = ordered.assumingMemoryBound(to: Real.self)
      for row in blockRows {
        for plane in 0..<planes {
          let kernel = from + ((group * planes + plane) * rows + row) * convolution.taps
          for tap in taps {
            to.initialize(to: kernel[tap])
            to += 1
          }
        }
      }
    }
    if convolution.isDouble { copy(Double.self) } else { copy(Float.self) }
  }

  // MARK: - Products

  /// Computes the positions of `work` for the items of its task `number`.
  private func multiply(
    _ work: Work, _ number: Int, group: Int, _ source: UnsafeMutableRawPointer,
    _ matrix: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer
  ) {
    let (piece, size, taps) = (work.piece, kernels.elementSize, phases[work.phase].taps.count)
    let items = number * work.items..<min((number + 1) * work.items, convolution.batch)
    let isInPlace = piece.place != nil
    let isDirect = isInPlace && piece.isContiguous
    let planeCount = min(blockPlanes, planes)
    let itemSize = piece.regionSize * planeCount
    let regionCount = isInPlace ? 0 : (items.count * itemSize + kernels.lanes + 15) / 16 * 16
    let productStep = isDirect ? targetCount : items.count * piece.columns
    guard
      let scratch = host_thread_scratch((regionCount + (isDirect ? 0 : rows * productStep)) * size + 64)
    else { return }
    let sums = scratch + regionCount * size
    for first in stride(from: 0, to: planes, by: blockPlanes) {
      let blockCount = min(blockPlanes, planes - first)
      let depth = blockCount * taps
      for (index, item) in items.enumerated() {
        let outer = item * convolution.groups + group
        var windows = source + (outer * planes + first) * sourceCount * size
        if let place = piece.place {
          windows += place * size
        } else {
          let region = scratch + index * itemSize * size
          piece.fill(region, planes: blockCount, from: windows, step: sourceCount, kernels)
          windows = region
        }
        let place = target + (outer * rows * targetCount + Int(piece.drains.first?.source ?? 0)) * size
        let product = isDirect ? place : sums + index * piece.columns * size
        work.offsets.withUnsafeBufferPointer { offsets in
          guard let offsets = offsets.baseAddress else { return }
          for run in piece.runs {
            for index in 0..<rowBlocks {
              let blockRows = rows(ofBlock: index)
              let weights =
                start(phase: work.phase, group: group, block: index) + first * taps * blockRows.count
              kernels.table.pointee.window_block(
                blockRows.count, Int(run.count), depth, matrix + weights * size,
                windows + Int(run.place) * size, offsets,
                product + (blockRows.lowerBound * productStep + Int(run.column)) * size, productStep,
                first > 0 ? 1 : 0)
            }
          }
        }
        if !isDirect && first + blockCount == planes {
          drain(
            piece, sums + index * piece.columns * size, productStep,
            into: target + outer * rows * targetCount * size)
        }
      }
    }
  }

  private func drain(
    _ piece: WindowPiece, _ sums: UnsafeMutableRawPointer, _ step: Int, into target: UnsafeMutableRawPointer
  ) {
    piece.drains.withUnsafeBufferPointer { drains in
      guard let first = drains.baseAddress else { return }
      kernels.table.pointee.unpack_runs(
        target, targetCount, piece.spacing, sums, step, rows, first, drains.count)
    }
  }
}
