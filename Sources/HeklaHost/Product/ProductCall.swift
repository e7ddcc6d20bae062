import CHostLoops

/// One run of a scheduled product on three matrices.
struct ProductCall {
  let schedule: ProductSchedule
  let a: UnsafeRawPointer
  /// The right factors, or the panels that `FactorPacking` made of them.
  let b: UnsafeRawPointer
  /// What is added to every row.
  let bias: UnsafeRawPointer?
  let c: UnsafeMutableRawPointer
  var isRightPacked = false

  /// A right factor: as it is stored, or in panels.
  private enum RightFactor {
    case stored(StoredMatrix)
    case packed(PackedPanels)
  }

  /// Computes one rectangle of one product of the batch.
  func runTask(_ index: Int) {
    let product = schedule.product
    let kernels = schedule.kernels
    let size = kernels.elementSize
    let parts = schedule.rowParts * schedule.columnParts
    let item = index / parts
    let part = index % parts
    let rows = evenPart(
      part / schedule.columnParts, of: schedule.rowParts, in: product.rows, unit: kernels.tileRows)
    let columns = evenPart(
      part % schedule.columnParts, of: schedule.columnParts, in: product.columns, unit: 2 * kernels.lanes)
    guard !rows.isEmpty, !columns.isEmpty else { return }
    let left = StoredMatrix(
      a + item * product.leftStride * size, rows: product.rows, columns: product.depth,
      isTransposed: product.transposesLeft, elementSize: size)
    let target = c + item * product.rows * product.columns * size
    if isRightPacked {
      let panels = PackedPanels(b, of: item, schedule)
      ProductScratch.with { multiply(left, rows, .packed(panels), columns, into: target, $0) }
      return
    }
    let right = schedule.rightFactor(b, of: item)
    if product.columns == 1 {
      multiply(left, rows, byVector: right.elements, into: target)
    } else if product.rows == 1 {
      multiply(right.transposed, columns, byVector: left.elements, into: target)
      addBias(to: target, columns)
    } else {
      ProductScratch.with { multiply(left, rows, .stored(right), columns, into: target, $0) }
    }
  }

  /// `target[i] = sum over p of matrix[i, p] * vector[p]` for `i` in `rows`.
  private func multiply(
    _ matrix: StoredMatrix, _ rows: Range<Int>, byVector vector: UnsafeRawPointer,
    into target: UnsafeMutableRawPointer
  ) {
    let table = schedule.kernels.table.pointee
    let kernel = matrix.isTransposed ? table.vector_by_columns : table.rows_by_vector
    kernel(
      rows.count, schedule.product.depth, matrix.address(row: rows.lowerBound, column: 0), matrix.step,
      vector,
      target + rows.lowerBound * schedule.kernels.elementSize)
  }

  /// Adds the bias of `columns` to a row that is a whole result.
  private func addBias(to target: UnsafeMutableRawPointer, _ columns: Range<Int>) {
    guard let bias else { return }
    func add<Element: BinaryFloatingPoint>(_ type: Element.Type) {
      let (row, addend) = (target.assumingMemoryBound(to: type), bias.assumingMemoryBound(to: type))
      for column in columns { row[column] += addend[column] }
    }
    if schedule.product.elementType == .float32 { add(Float.self) } else { add(Double.self) }
  }

  /// One rectangle, block by block, the depth outside the rows: each element's partial sums are added in
  /// order.
  private func multiply(
    _ left: StoredMatrix, _ rows: Range<Int>, _ right: RightFactor, _ columns: Range<Int>,
    into target: UnsafeMutableRawPointer, _ scratch: ProductScratch
  ) {
    let product = schedule.product
    let tileRows = schedule.kernels.tileRows
    let depthBlocks = ProductBlocking.depthBlockCount(product.depth)
    let rowBlocks = (rows.count + ProductBlocking.rows - 1) / ProductBlocking.rows
    let columnBlocks = (columns.count + ProductBlocking.columns - 1) / ProductBlocking.columns
    for columnBlock in 0..<columnBlocks {
      let blockColumns = evenPart(
        columnBlock, of: columnBlocks, in: columns.count, unit: 2 * schedule.kernels.lanes
      ).shifted(by: columns.lowerBound)
      let packsLeft =
        blockColumns.count
        > (left.isTransposed ? ProductBlocking.directColumns : ProductBlocking.directColumnsApart)
      for depthBlock in 0..<depthBlocks {
        let depth = ProductBlocking.depthBlock(depthBlock, of: product.depth)
        var rightFactor: HostProductRight
        switch right {
        case .packed(let panels): rightFactor = panels.block(depth, firstColumn: blockColumns.lowerBound)
        case .stored(let matrix) where matrix.isTransposed || rows.count > ProductBlocking.directRows:
          rightFactor = schedule.kernels.packPanels(matrix, depth, blockColumns, into: scratch.right)
        case .stored(let matrix): rightFactor = direct(matrix, depth, blockColumns, edge: scratch.right)
        }
        for rowBlock in 0..<rowBlocks {
          let blockRows = evenPart(rowBlock, of: rowBlocks, in: rows.count, unit: tileRows)
            .shifted(by: rows.lowerBound)
          var leftFactor =
            packsLeft
            ? packTiles(left, blockRows, depth, into: scratch.left)
            : HostProductLeft(
              elements: left.address(row: blockRows.lowerBound, column: depth.lowerBound),
              row_step: left.isTransposed ? 1 : left.step, step: left.isTransposed ? left.step : 1)
          let size = schedule.kernels.elementSize
          let corner = target + (blockRows.lowerBound * product.columns + blockColumns.lowerBound) * size
          let row = bias.map { $0 + blockColumns.lowerBound * size }
          schedule.kernels.table.pointee.block(
            blockRows.count, blockColumns.count, depth.count, &leftFactor, &rightFactor,
            depthBlock > 0 ? UnsafeRawPointer(corner) : row, depthBlock > 0 ? product.columns : 0, corner,
            product.columns)
        }
      }
    }
  }

  /// The tiles of a left block, packed one after another.
  private func packTiles(
    _ left: StoredMatrix, _ rows: Range<Int>, _ depth: Range<Int>, into memory: UnsafeMutableRawPointer
  ) -> HostProductLeft {
    let kernels = schedule.kernels
    let tiles = (rows.count + kernels.tileRows - 1) / kernels.tileRows
    let pack = left.isTransposed ? kernels.table.pointee.pack_along : kernels.table.pointee.pack_across
    let stretch = left.isTransposed ? ProductBlocking.packedRows : depth.count
    for start in stride(from: 0, to: depth.count, by: stretch) {
      for tile in 0..<tiles {
        let tileRows = evenPart(tile, of: tiles, in: rows.count)
        let source = left.address(
          row: rows.lowerBound + tileRows.lowerBound, column: depth.lowerBound + start)
        let offset = tileRows.lowerBound * depth.count + start * tileRows.count
        pack(
          memory + offset * kernels.elementSize, source, left.step, tileRows.count, tileRows.count,
          min(stretch, depth.count - start))
      }
    }
    return HostProductLeft(elements: UnsafeRawPointer(memory), row_step: 1, step: 0)
  }

  /// A right block where it lies; an incomplete last panel is packed into `edge`.
  private func direct(
    _ right: StoredMatrix, _ depth: Range<Int>, _ columns: Range<Int>, edge: UnsafeMutableRawPointer
  ) -> HostProductRight {
    let rest = columns.count % (2 * schedule.kernels.lanes)
    let elements = right.address(row: depth.lowerBound, column: columns.lowerBound)
    guard rest > 0 else { return HostProductRight(elements: elements, step: right.step, edge: nil) }
    let last = schedule.kernels.packPanels(
      right, depth, (columns.upperBound - rest)..<columns.upperBound, into: edge)
    return HostProductRight(elements: elements, step: right.step, edge: last.elements)
  }
}

extension Range<Int> {
  fileprivate func shifted(by offset: Int) -> Range<Int> { (lowerBound + offset)..<(upperBound + offset) }
}
