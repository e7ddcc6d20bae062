import CHostLoops

/// Small products of an attention's blocks, by the micro-kernels of the matrix product, and what is between them.
struct AttentionProducts: Sendable {
  /// The most queries of a block.
  static let queries = 96
  /// The most keys of a block.
  static let keys = 128

  /// What is done to blocks of scores between the products.
  let rows: HostAttentionKernels
  private let kernels: ProductKernels

  /// With the instructions of `level`, nil where the processor lacks it; without one, with the best.
  init?(level: ProductKernels.Level) {
    guard let kernels = ProductKernels(elementSize: 4, level: level),
      let library = BlockLibrary(level: HostLevel(UInt32(level.rawValue)))
    else { return nil }
    (self.kernels, rows) = (kernels, library.attention)
  }

  init() { (kernels, rows) = (ProductKernels(elementSize: 4), BlockLibrary.best.attention) }

  /// A right factor is read where it lies, not packed, where it meets at most so many rows.
  private static let directRows = 48

  /// Floats from one row of a block of scores to the next.
  static func scoreStep(_ keys: Int) -> Int { (min(keys, Self.keys) + 15) / 16 * 16 }

  /// Floats that a packed factor of `depth` rows and `columns` takes, with what packing writes past its end.
  func packedCount(depth: Int, columns: Int) -> Int {
    let panel = 2 * kernels.lanes
    return (depth * ((columns + panel - 1) / panel * panel) + 2 * panel + 15) / 16 * 16
  }

  /// `matrix`, `depth` x `columns`, as a right factor that meets `rows` rows: where it lies or packed.
  /// - Parameters:
  ///   - step: Floats from one of its rows to the next.
  ///   - memory: Room for the packed factor.
  func right(
    _ matrix: UnsafePointer<Float>, step: Int, depth: Int, columns: Int, rows: Int,
    in memory: UnsafeMutablePointer<Float>
  ) -> HostProductRight {
    guard rows <= Self.directRows else {
      pack(matrix, step: step, depth: depth, columns: 0..<columns, into: memory)
      return HostProductRight(elements: memory, step: 0, edge: nil)
    }
    // What does not fill a vector would be read past the matrix's end.
    let rest = columns % (2 * kernels.lanes)
    guard rest % kernels.lanes != 0 else { return HostProductRight(elements: matrix, step: step, edge: nil) }
    pack(matrix, step: step, depth: depth, columns: columns - rest..<columns, into: memory)
    return HostProductRight(elements: matrix, step: step, edge: memory)
  }

  private func pack(
    _ matrix: UnsafePointer<Float>, step: Int, depth: Int, columns: Range<Int>,
    into memory: UnsafeMutablePointer<Float>
  ) {
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: 2 * kernels.lanes) {
      let count = min(columns.upperBound - column, 2 * kernels.lanes)
      kernels.table.pointee.pack_along(
        memory + (column - columns.lowerBound) * depth, matrix + column, step, count,
        kernels.panelWidth(count), depth)
    }
  }

  /// The transpose of `matrix`, `columns` rows of `depth`, as a right factor, which is packed.
  func transposed(
    _ matrix: UnsafePointer<Float>, step: Int, depth: Int, columns: Int,
    in memory: UnsafeMutablePointer<Float>
  ) -> HostProductRight {
    for column in stride(from: 0, to: columns, by: 2 * kernels.lanes) {
      let count = min(columns - column, 2 * kernels.lanes)
      kernels.table.pointee.pack_across(
        memory + column * depth, matrix + column * step, step, count, kernels.panelWidth(count), depth)
    }
    return HostProductRight(elements: memory, step: 0, edge: nil)
  }

  /// `product` = or += `left` times `right`.
  /// - Parameters:
  ///   - left: `rows` x `depth`, elements `rowStep` and `step` apart.
  ///   - product: Rows of `columns`, `productStep` apart.
  func multiply(
    _ left: UnsafePointer<Float>, rows: Int, depth: Int, rowStep: Int, step: Int, by right: HostProductRight,
    columns: Int, into product: UnsafeMutablePointer<Float>, productStep: Int, adding: Bool
  ) {
    var leftFactor = HostProductLeft(elements: left, row_step: rowStep, step: step)
    var rightFactor = right
    kernels.table.pointee.block(
      rows, columns, depth, &leftFactor, &rightFactor, adding ? UnsafeRawPointer(product) : nil, productStep,
      product,
      productStep)
  }
}

/// Lends room for `count` floats, which begins where a vector does.
func withAlignedFloats(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
  withUnsafeTemporaryAllocation(byteCount: count * 4, alignment: 64) { bytes in
    guard let start = bytes.bindMemory(to: Float.self).baseAddress else { return }
    body(start)
  }
}
