import CHostLoops

/// A convolution forward, or its input gradient, as `target = matrix x windows` for each item of the batch and group.
///
/// The matrix holds the weights, packed once. The windows, `[planes * taps, positions]`, are packed by the task
/// that multiplies them, a block of positions and planes at a time.
///
/// `@unchecked Sendable`: tasks read the same memory and write to their own parts of the target.
struct WindowProduct: @unchecked Sendable {
  private let convolution: Convolution
  private let kernels: ProductKernels
  private let weights: UnsafeMutableRawPointer
  private let source, target: UnsafeMutableRawPointer
  private let isBackward: Bool
  /// Rows of the matrix, planes of the source and positions of the target, in one group.
  private let rows, planes, positions: Int
  /// Planes in a block; their taps are the depth of one product.
  private let blockPlanes: Int
  private let columnParts: Int

  init(
    _ convolution: Convolution, x: UnsafeMutableRawPointer, weights: UnsafeMutableRawPointer,
    y: UnsafeMutableRawPointer
  ) {
    self.convolution = convolution
    kernels = ProductKernels(elementSize: convolution.elementSize)
    self.weights = weights
    isBackward = convolution.direction == .inputGradient
    (source, target) = isBackward ? (y, x) : (x, y)
    (rows, planes) =
      isBackward
      ? (convolution.channels, convolution.features) : (convolution.features, convolution.channels)
    positions = isBackward ? convolution.inputCount : convolution.outputCount
    blockPlanes = max(1, ProductBlocking.depth / convolution.taps)
    let items = convolution.batch * convolution.groups
    let panels = (positions + 2 * kernels.lanes - 1) / (2 * kernels.lanes)
    // Enough tasks for the threads, and blocks that stay in the second level of the cache.
    let wanted = (4 * ThreadPool.shared.threadCount + items - 1) / items
    columnParts = min(panels, max((positions + 511) / 512, wanted))
  }

  func run() {
    let byteCount = convolution.groups * rows * planes * convolution.taps * kernels.elementSize + 64
    let matrix = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    defer { matrix.deallocate() }
    pack(into: matrix)
    ThreadPool.shared.parallel(count: convolution.batch * convolution.groups * columnParts) { task in
      multiply(
        matrix, item: task / columnParts,
        evenPart(task % columnParts, of: columnParts, in: positions, unit: 2 * kernels.lanes))
    }
  }

  /// Calls `body` with each block of planes: its depth in the matrix.
  private func forEachBlock(_ body: (_ firstPlane: Int, _ planeCount: Int) -> Void) {
    for first in Swift.stride(from: 0, to: planes, by: blockPlanes) {
      body(first, min(blockPlanes, planes - first))
    }
  }

  /// The rows of the blocks that a block of the matrix falls in.
  private var rowBlocks: Int { (rows + ProductBlocking.rows - 1) / ProductBlocking.rows }

  /// Packs all weights: group after group, block after block, tile after tile.
  private func pack(into matrix: UnsafeMutableRawPointer) {
    let (taps, size) = (convolution.taps, kernels.elementSize)
    let depth = planes * taps
    let ordered = isBackward ? exchangedWeights() : weights
    for group in 0..<convolution.groups {
      forEachBlock { firstPlane, planeCount in
        let start = (group * rows * depth + firstPlane * taps * rows) * size
        for block in 0..<rowBlocks {
          let blockRows = evenPart(block, of: rowBlocks, in: rows, unit: kernels.tileRows)
          let tiles = (blockRows.count + kernels.tileRows - 1) / kernels.tileRows
          for tile in 0..<tiles {
            let tileRows = evenPart(tile, of: tiles, in: blockRows.count)
            let row = blockRows.lowerBound + tileRows.lowerBound
            kernels.table.pointee.pack_across(
              matrix + start + row * planeCount * taps * size,
              ordered + ((group * rows + row) * depth + firstPlane * taps) * size, depth, tileRows.count,
              tileRows.count, planeCount * taps)
          }
        }
      }
    }
    if isBackward { ordered.deallocate() }
  }

  /// The weights `[channels, features, taps]` of each group, from `[features, channels, taps]`.
  private func exchangedWeights() -> UnsafeMutableRawPointer {
    let byteCount = convolution.taps * kernels.elementSize
    let count = convolution.groups * rows * planes
    let result = UnsafeMutableRawPointer.allocate(byteCount: count * byteCount, alignment: 64)
    for index in 0..<count {
      let (group, row, plane) = (index / (rows * planes), index / planes % rows, index % planes)
      (result + index * byteCount).copyMemory(
        from: weights + ((group * planes + plane) * rows + row) * byteCount, byteCount: byteCount)
    }
    return result
  }

  /// Computes the `columns` of one item and group.
  private func multiply(_ matrix: UnsafeMutableRawPointer, item: Int, _ columns: Range<Int>) {
    let (taps, size, panel) = (convolution.taps, kernels.elementSize, 2 * kernels.lanes)
    let group = item % convolution.groups
    let sourceCount = isBackward ? convolution.outputCount : convolution.inputCount
    let planesStart = source + item * planes * sourceCount * size
    let targetStart = target + item * rows * positions * size
    let most = min(blockPlanes, planes) * taps * (columns.count + panel) * size
    guard !columns.isEmpty, let scratch = host_thread_scratch(most) else { return }
    var finder = WindowRuns(convolution, isBackward: isBackward)
    forEachBlock { firstPlane, planeCount in
      let depth = planeCount * taps
      for start in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: panel) {
        let end = min(start + panel, columns.upperBound)
        let width = kernels.panelWidth(end - start)
        let packed = scratch + (start - columns.lowerBound) * depth * size
        for tap in 0..<taps {
          finder.find(tap: tap, start..<end, width: width)
          finder.runs.withUnsafeBufferPointer { runs in
            guard let first = runs.baseAddress else { return }
            kernels.table.pointee.pack_runs(
              packed + tap * width * size, taps * width, planesStart + firstPlane * sourceCount * size,
              sourceCount,
              planeCount, first, runs.count)
          }
        }
      }
      var right = HostProductRight(elements: UnsafeRawPointer(scratch), step: 0, edge: nil)
      let block = matrix + (group * rows * planes + firstPlane * rows) * taps * size
      for index in 0..<rowBlocks {
        let blockRows = evenPart(index, of: rowBlocks, in: rows, unit: kernels.tileRows)
        var left = HostProductLeft(
          elements: UnsafeRawPointer(block + blockRows.lowerBound * depth * size), row_step: 1, step: 0)
        kernels.table.pointee.block(
          blockRows.count, columns.count, depth, &left, &right,
          targetStart + (blockRows.lowerBound * positions + columns.lowerBound) * size, positions,
          firstPlane > 0 ? 1 : 0)
      }
    }
  }
}
