import CHostLoops
import Synchronization

/// A convolution with windows of 3 x 3, or its input gradient, by Winograd's algorithm F(2 x 2, 3 x 3).
///
/// Tiles of 2 x 2 elements of the target meet 4 x 4 of the source. Weights and tiles are transformed to 16 numbers each,
/// whose products, summed over planes, are transformed back: 16 multiplications instead of 36. A task transforms the
/// tiles of some rows or items, then multiplies and transforms back a block of the weights' rows at a time.
///
/// Each element is a sum in an order that the shapes alone fix, of nothing but what its window meets: a tile's other
/// elements are in products that its sum leaves out. Terms are sums of four elements of the source with weights halved or
/// quartered, a few roundings more than a plain product, and one is added up per plane instead of nine. Infinity less
/// infinity is NaN, though, where a plain sum has infinity: where any element of the target is not finite, the plain
/// sums are computed instead.
///
/// Source: A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
struct WinogradProduct: Sendable {
  /// Rows of tiles with as many items as a task computes.
  private struct Work: Sendable {
    let piece: WindowPiece
    let tileRows: Int
    let items: Int
    let tasks: Int
  }

  private let convolution: Convolution
  private let kernels: ProductKernels
  private let isBackward: Bool
  /// Rows of the weights and planes of the source, in one group.
  private let rows, planes: Int
  /// Rows and columns of a plane of the target.
  private let height, width: Int
  private let sourceCount, targetCount: Int
  private let works: [Work]
  /// Columns from one plane's tiles to the next's: transforms may write a vector past the last.
  private let pitch: Int
  private let offsets: [Int32]
  private let plain: WindowProduct

  /// The number of products of a tile.
  private static let products = 16
  /// About the most tiles of a task. The fewer there are, the more often all weights are read.
  private static let mostTiles = 208

  /// The convolution with `kernels`, or with the fastest ones of this processor; nil where windows are not 3 x 3 or do
  /// not lie side by side.
  init?(_ convolution: Convolution, kernels: ProductKernels? = nil) {
    guard convolution.kernel == [1, 3, 3], convolution.stride == [1, 1, 1],
      convolution.dilation == [1, 1, 1], convolution.input[0] == 1, convolution.output[0] == 1,
      convolution.before[0] == 0
    else { return nil }
    self.convolution = convolution
    self.kernels = kernels ?? ProductKernels(elementSize: convolution.elementSize)
    plain = WindowProduct(convolution, kernels: kernels)
    isBackward = convolution.direction == .inputGradient
    (rows, planes) =
      isBackward
      ? (convolution.channels, convolution.features) : (convolution.features, convolution.channels)
    let (source, target) =
      isBackward ? (convolution.output, convolution.input) : (convolution.input, convolution.output)
    (height, width) = (target[1], target[2])
    (sourceCount, targetCount) = (source.reduce(1, *), target.reduce(1, *))

    let phase = WindowPhase.all(of: convolution, isBackward: isBackward)[0]
    let (tilesHigh, tilesWide) = ((target[1] + 1) / 2, (target[2] + 1) / 2)
    // As many as stay in the second level of the cache, and enough tasks for the threads.
    let shared =
      tilesHigh * tilesWide * convolution.batch * convolution.groups / (4 * ThreadPool.shared.threadCount)
    let limit = max(32, min(Self.mostTiles, 65_536 / planes, shared))
    let parts = (tilesHigh + max(1, limit / tilesWide) - 1) / max(1, limit / tilesWide)
    let items = parts == 1 ? min(convolution.batch, max(1, limit / (tilesHigh * tilesWide))) : 1
    let lanes = self.kernels.lanes
    works = (0..<parts).map { part in
      let tiles = evenPart(part, of: parts, in: tilesHigh)
      let range = 2 * tiles.lowerBound..<min(2 * tiles.upperBound, target[1])
      return Work(
        piece: WindowPiece(
          phase, [0..<1, range, 0..<target[2]], sourceExtents: source, targetExtents: target, lanes: lanes),
        tileRows: tiles.count, items: items, tasks: (convolution.batch + items - 1) / items)
    }
    let most = items * (works.map(\.tileRows).max() ?? 0) * tilesWide
    let pitch = (most + lanes - 1) / lanes * lanes + lanes
    self.pitch = pitch
    offsets = (0..<planes).map { Int32($0 * pitch) }
  }

  /// Whether this is faster than `WindowProduct`: transforms of tiles are spread over enough planes and rows, those of
  /// weights over enough positions, and planes fill their tiles but are no wider than a task's memory should be.
  var isFaster: Bool {
    min(rows, planes) >= 32 && height >= 12 && (12...2048).contains(width)
      && convolution.batch * targetCount >= 512
  }

  /// Columns of tiles.
  private var tilesWide: Int { (width + 1) / 2 }

  /// Computes `target` from `source`, `[batch, planes, positions...]` both, and the weights.
  func run(
    source: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer, target: UnsafeMutableRawPointer
  ) {
    let matrix = UnsafeMutableRawPointer.allocate(
      byteCount: Self.products * convolution.groups * rows * planes * kernels.elementSize, alignment: 64)
    defer { matrix.deallocate() }
    pack(weights, into: matrix)
    let isFinite = Atomic(true)
    let taskCount = works.reduce(0) { $0 + $1.tasks }
    ThreadPool.shared.parallel(count: taskCount * convolution.groups) { task in
      let (group, number) = (task / taskCount, task % taskCount)
      // All works have as many tasks.
      let work = works[number / works[0].tasks]
      let first = number % work.tasks * work.items
      if !multiply(
        work, first..<min(first + work.items, convolution.batch), group: group, source, matrix, target)
      {
        isFinite.store(false, ordering: .relaxed)
      }
    }
    if !isFinite.load(ordering: .relaxed) { plain.run(source: source, weights: weights, target: target) }
  }

  // MARK: - Weights

  private var rowBlocks: Int { (rows + ProductBlocking.rows - 1) / ProductBlocking.rows }

  /// The rows of a block, all of which meet a task's tiles before the next block's do.
  private func rows(ofBlock block: Int) -> Range<Int> {
    evenPart(block, of: rowBlocks, in: rows, unit: kernels.tileRows)
  }

  /// Where the transformed weights of some rows begin, in elements.
  private func start(group: Int, block: Int) -> Int {
    Self.products * planes * (group * rows + rows(ofBlock: block).lowerBound)
  }

  /// Transforms and packs all weights: groups, blocks of rows, products, tiles of rows.
  private func pack(_ weights: UnsafeMutableRawPointer, into matrix: UnsafeMutableRawPointer) {
    let (size, taps) = (kernels.elementSize, convolution.taps)
    let (rowStep, planeStep) = isBackward ? (taps, rows * taps) : (planes * taps, taps)
    ThreadPool.shared.parallel(count: convolution.groups * rowBlocks) { task in
      let (group, block) = (task / rowBlocks, task % rowBlocks)
      let blockRows = rows(ofBlock: block)
      let tiles = (blockRows.count + kernels.tileRows - 1) / kernels.tileRows
      for tile in 0..<tiles {
        let tileRows = evenPart(tile, of: tiles, in: blockRows.count)
        let first = group * rows * planes * taps + (blockRows.lowerBound + tileRows.lowerBound) * rowStep
        kernels.table.pointee.winograd_weights(
          matrix + (start(group: group, block: block) + tileRows.lowerBound * planes) * size,
          blockRows.count * planes, weights + first * size, rowStep, planeStep, isBackward ? 1 : 0,
          tileRows.count, planes)
      }
    }
  }

  // MARK: - Products

  /// Computes the rows of `work` of some items, and returns whether all are finite.
  private func multiply(
    _ work: Work, _ items: Range<Int>, group: Int, _ source: UnsafeMutableRawPointer,
    _ matrix: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer
  ) -> Bool {
    let (piece, size, lanes) = (work.piece, kernels.elementSize, kernels.lanes)
    let table = kernels.table.pointee
    let tiles = work.tileRows * tilesWide
    let columns = (items.count * tiles + lanes - 1) / lanes * lanes
    // Tiles read a row and two vectors past the last element that they need.
    let regionStep = width + 2
    let regionCount = (piece.regionSize + regionStep + 4 * lanes + 15) / 16 * 16
    let windowStep = (planes * pitch + lanes + 15) / 16 * 16
    let blockCount = rows(ofBlock: 0).count
    let sumStep = blockCount * pitch
    guard
      let region = host_thread_scratch((regionCount + Self.products * (windowStep + sumStep) + 16) * size)
    else { return true }
    let windows = region + regionCount * size
    let sums = windows + Self.products * windowStep * size
    for (index, item) in items.enumerated() {
      let first = (item * convolution.groups + group) * planes
      for plane in 0..<planes {
        piece.fill(
          region, planes: 1, from: source + (first + plane) * sourceCount * size, step: sourceCount, kernels)
        table.winograd_windows(
          windows + (plane * pitch + index * tiles) * size, windowStep, region, regionStep, work.tileRows,
          tilesWide)
      }
    }
    var isFinite: Int32 = 1
    for block in 0..<rowBlocks {
      let blockRows = rows(ofBlock: block)
      for product in 0..<Self.products {
        let weights = start(group: group, block: block) + product * blockRows.count * planes
        offsets.withUnsafeBufferPointer { offsets in
          guard let offsets = offsets.baseAddress else { return }
          table.window_block(
            blockRows.count, columns, planes, matrix + weights * size,
            windows + product * windowStep * size, offsets, sums + product * sumStep * size, pitch, 0)
        }
      }
      for (index, item) in items.enumerated() {
        for (number, row) in blockRows.enumerated() {
          let plane = (item * convolution.groups + group) * rows + row
          isFinite &= table.winograd_outputs(
            target + (plane * targetCount + Int(piece.drains[0].source)) * size, width,
            piece.count / width, width, sums + (number * pitch + index * tiles) * size, sumStep)
        }
      }
    }
    return isFinite != 0
  }
}
