import HeklaDevices

/// How a linear function runs over a stage: a start per outer point, then a walk over the block space.
///
/// Plain values with pointers into a `PlainStorage`. The block space is numbered in row-major order; its axes
/// are merged for this function alone, so that most walks have one axis.
struct Access {
  /// A condition on a walk, over the same axes.
  struct Condition {
    var offset: Int
    var lower: Int
    var upper: Int
    var outerStrides: UnsafeMutableBufferPointer<Int>
    var strides: UnsafeMutableBufferPointer<Int>
  }

  /// One stretch of a walk: a grid of elements in memory that lie one after another in a block.
  struct Piece {
    /// Where the grid lies in the block.
    var position: Int
    /// The index of its first element in memory.
    var index: Int
    var rows: Int
    var columns: Int
    var rowStride: Int
    var columnStride: Int
  }

  /// Which points of a block space a block holds: consecutive ones, or a tile of a space of two axes.
  struct Span {
    /// The first point, or the first column of a tile.
    var first: Int
    /// The number of points.
    var count: Int
    /// The rows of a tile; empty for consecutive points.
    var rows: Range<Int>

    /// Points `first..<first + count`.
    init(first: Int, count: Int) {
      self.first = first
      self.count = count
      rows = 0..<0
    }

    /// The points in these rows and columns.
    init(rows: Range<Int>, columns: Range<Int>) {
      first = columns.lowerBound
      count = rows.count * columns.count
      self.rows = rows
    }
  }

  var offset: Int
  var outerStrides: UnsafeMutableBufferPointer<Int>
  var extents: UnsafeMutableBufferPointer<Int>
  var strides: UnsafeMutableBufferPointer<Int>
  var conditions: UnsafeMutableBufferPointer<Condition>
  /// Where a frame keeps the start for the present outer point; those of the conditions follow.
  var startSlot: Int

  /// The walk of `pattern` over `outerAxes` and `blockAxes`, given as axes of the nest with `extents`.
  ///
  /// - Parameter isTiled: Whether blocks are tiles of two axes, which then stay apart.
  init(
    _ pattern: Nest.Pattern, extents allExtents: [Int], outerAxes: [Int], blockAxes: [Int], isTiled: Bool,
    startSlot: Int, storage: PlainStorage
  ) {
    func strides(_ affine: Loop.Affine, _ axes: [Int]) -> [Int] {
      axes.map { $0 < affine.strides.count ? affine.strides[$0] : 0 }
    }
    var extents = blockAxes.map { allExtents[$0] }
    var table = ([pattern.index] + pattern.guards.map(\.value)).map { strides($0, blockAxes) }
    var axis = 0
    while axis + 1 < extents.count, !isTiled {
      if table.allSatisfy({ $0[axis] == $0[axis + 1] * extents[axis + 1] }) {
        extents[axis] *= extents[axis + 1]
        extents.remove(at: axis + 1)
        for row in table.indices { table[row].remove(at: axis) }
      } else {
        axis += 1
      }
    }
    if extents.isEmpty {
      extents = [1]
      for row in table.indices { table[row] = [0] }
    }
    offset = pattern.index.offset
    outerStrides = storage.array(strides(pattern.index, outerAxes))
    self.extents = storage.array(extents)
    self.strides = storage.array(table[0])
    conditions = storage.array(
      pattern.guards.enumerated().map { position, condition in
        Condition(
          offset: condition.value.offset, lower: condition.lower, upper: condition.upper,
          outerStrides: storage.array(strides(condition.value, outerAxes)),
          strides: storage.array(table[position + 1]))
      })
    self.startSlot = startSlot
  }

  /// Whether the walk takes element after element, unconditionally.
  var isContiguous: Bool {
    conditions.isEmpty && extents.count == 1 && (strides[0] == 1 || extents[0] == 1)
  }

  /// Sets the starts for the outer point at `coordinates`.
  @inline(__always)
  func enter(_ coordinates: UnsafeMutablePointer<Int>, starts: UnsafeMutablePointer<Int>) {
    var start = offset
    for axis in 0..<outerStrides.count { start += outerStrides[axis] * coordinates[axis] }
    starts[startSlot] = start
    for position in 0..<conditions.count {
      let condition = conditions[position]
      var value = condition.offset
      for axis in 0..<condition.outerStrides.count {
        value += condition.outerStrides[axis] * coordinates[axis]
      }
      starts[startSlot + 1 + position] = value
    }
  }

  /// Calls `body` for the stretches that the points of `span` are made of, where all conditions hold, and `skip`
  /// with position and length of those where one does not.
  @inline(__always)
  func forEachPiece(
    _ span: Span, starts: UnsafeMutablePointer<Int>, skip: (Int, Int) -> Void, body: (Piece) -> Void
  ) {
    let start = starts[startSlot]
    let (first, count) = (span.first, span.count)
    let last = extents.count - 1
    let columnStride = strides[last]
    if !span.rows.isEmpty {
      let columns = count / span.rows.count
      let index = start + span.rows.lowerBound * strides[0] + first * columnStride
      if conditions.isEmpty {
        body(
          Piece(
            position: 0, index: index, rows: span.rows.count, columns: columns, rowStride: strides[0],
            columnStride: columnStride))
        return
      }
      for (number, row) in span.rows.enumerated() {
        clipped(
          row: row, column: first, columns: columns, position: number * columns,
          index: index + number * strides[0],
          starts: starts, skip: skip, body: body)
      }
      return
    }
    if last == 0, conditions.isEmpty {
      body(
        Piece(
          position: 0, index: start + first * columnStride, rows: 1, columns: count, rowStride: 0,
          columnStride: columnStride))
      return
    }
    let length = extents[last]
    var position = 0
    while position < count {
      let point = first + position
      let column = point % length
      var row = point / length
      var rows = 1
      let columns = min(length - column, count - position)
      // Whole rows go together as far as the axis around them reaches.
      if conditions.isEmpty, last > 0, column == 0, columns == length {
        let around = extents[last - 1]
        rows = min((count - position) / length, around - row % around)
      }
      let rowOfPiece = row
      var index = start + column * columnStride
      for axis in stride(from: last - 1, through: 0, by: -1) {
        index += (row % extents[axis]) * strides[axis]
        row /= extents[axis]
      }
      if conditions.isEmpty {
        body(
          Piece(
            position: position, index: index, rows: rows, columns: columns,
            rowStride: last > 0 ? strides[last - 1] : 0, columnStride: columnStride))
      } else {
        clipped(
          row: rowOfPiece, column: column, columns: columns, position: position, index: index, starts: starts,
          skip: skip, body: body)
      }
      position += rows * columns
    }
  }

  /// One row's stretch from `column` on, cut to where all conditions hold.
  @inline(__always)
  private func clipped(
    row: Int, column: Int, columns: Int, position: Int, index: Int, starts: UnsafeMutablePointer<Int>,
    skip: (Int, Int) -> Void, body: (Piece) -> Void
  ) {
    let columnStride = strides[strides.count - 1]
    let valid = clip(row: row, column: column, columns: columns, starts: starts)
    if valid.lowerBound > 0 || valid.isEmpty { skip(position, valid.isEmpty ? columns : valid.lowerBound) }
    if valid.isEmpty { return }
    body(
      Piece(
        position: position + valid.lowerBound, index: index + valid.lowerBound * columnStride, rows: 1,
        columns: valid.count, rowStride: 0, columnStride: columnStride))
    if valid.upperBound < columns { skip(position + valid.upperBound, columns - valid.upperBound) }
  }

  /// Which of `columns` columns from `column` on meet all conditions in `row`.
  private func clip(row: Int, column: Int, columns: Int, starts: UnsafeMutablePointer<Int>) -> Range<Int> {
    var lower = 0
    var upper = columns
    let last = extents.count - 1
    for position in 0..<conditions.count {
      let condition = conditions[position]
      var value = starts[startSlot + 1 + position] + column * condition.strides[last]
      var row = row
      for axis in stride(from: last - 1, through: 0, by: -1) {
        value += (row % extents[axis]) * condition.strides[axis]
        row /= extents[axis]
      }
      let step = condition.strides[last]
      if step == 0 {
        if value < condition.lower || value >= condition.upper { return 0..<0 }
      } else if step > 0 {
        lower = max(lower, Self.ceilingQuotient(condition.lower - value, step))
        upper = min(upper, Self.ceilingQuotient(condition.upper - value, step))
      } else {
        lower = max(lower, Self.floorQuotient(value - condition.upper, -step) + 1)
        upper = min(upper, Self.floorQuotient(value - condition.lower, -step) + 1)
      }
    }
    return lower < upper ? lower..<upper : 0..<0
  }

  private static func floorQuotient(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((-a + b - 1) / b) }
  private static func ceilingQuotient(_ a: Int, _ b: Int) -> Int { -floorQuotient(-a, b) }
}
