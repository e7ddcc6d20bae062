import HeklaDevices

/// A loop seen as work on rows: its outermost points, or the outermost steps of its reduction, cut into equal parts.
struct RowView {
  /// Whether the rows are those of the reduction.
  let foldsRows: Bool
  private let loop: Loop
  private let rowCount: Int
  /// The axes that count the rows, outermost first; the last one may go on within a row.
  private var axes: [(axis: Int, outer: Int, inner: Int)] = []

  /// The loop's points, or its reduction's steps, as `rowCount` rows; nil where they are not that many.
  init?(_ loop: Loop, rowCount: Int, foldsRows: Bool) {
    self.loop = loop
    self.rowCount = rowCount
    self.foldsRows = foldsRows
    let all = loop.extents + loop.reductionExtents
    guard rowCount > 0, !all.contains(0), !foldsRows || !loop.accumulators.isEmpty else { return nil }
    var rest = rowCount
    for axis in foldsRows ? loop.extents.count..<all.count : 0..<loop.extents.count where rest > 1 {
      let extent = all[axis]
      if rest.isMultiple(of: extent) {
        axes.append((axis, extent, 1))
        rest /= extent
      } else if extent.isMultiple(of: rest) {
        axes.append((axis, rest, extent / rest))
        rest = 1
      } else {
        return nil
      }
    }
    guard rest == 1 else { return nil }
  }

  /// Whether at each row the loop reads only that row of the `count` elements of `binding`.
  func readsRows(of binding: Int, count: Int) -> Bool {
    guard count.isMultiple(of: rowCount) else { return false }
    let length = count / rowCount
    return loop.reads.allSatisfy { $0.binding != binding || staysInRow($0.index, length: length) }
  }

  private func staysInRow(_ index: Loop.Affine, length: Int) -> Bool {
    func stride(_ axis: Int) -> Int { axis < index.strides.count ? index.strides[axis] : 0 }
    // What is left of each axis within a row.
    var extents = loop.extents + loop.reductionExtents
    var step = length
    for (axis, outer, inner) in axes.reversed() {
      guard outer == 1 || stride(axis) * inner == step else { return false }
      step *= outer
      extents[axis] = inner
    }
    var (lower, upper) = (index.offset, index.offset)
    for (axis, extent) in extents.enumerated() {
      let span = stride(axis) * (extent - 1)
      if span < 0 { lower += span } else { upper += span }
    }
    return lower >= 0 && upper < length
  }

  /// Whether what the loop reads lies in memory row after row: for maps, whether neighbours along the innermost axis lie
  /// near each other, for reductions, whether no row lies between the elements of another.
  ///
  /// Where it does not, a loop by itself is faster: maps run in tiles then, and sums of columns take all columns at once.
  var readsAlongRows: Bool {
    guard loop.accumulators.isEmpty else { return loop.reads.allSatisfy { !interleavesRows($0.index) } }
    guard let inner = loop.extents.indices.last else { return true }
    return loop.reads.allSatisfy { inner >= $0.index.strides.count || abs($0.index.strides[inner]) < 16 }
  }

  private func interleavesRows(_ index: Loop.Affine) -> Bool {
    var extents = loop.extents + loop.reductionExtents
    var rowStride = Int.max
    for (axis, outer, inner) in axes where axis < index.strides.count {
      let stride = abs(index.strides[axis]) * inner
      if outer > 1, stride > 0 { rowStride = min(rowStride, stride) }
      extents[axis] = inner
    }
    return zip(index.strides, extents).contains { stride, extent in extent > 1 && abs(stride) > rowStride }
  }
}
