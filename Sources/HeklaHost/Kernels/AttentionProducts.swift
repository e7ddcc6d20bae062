import CHostLoops

/// Small products of an attention's blocks, by the micro-kernels of the matrix product.
struct AttentionProducts: Sendable {
  /// The most queries of a block.
  static let queries = 96
  /// The most keys of a block.
  static let keys = 128

  private let kernels = ProductKernels(elementSize: 4)

  /// Floats that a packed factor of `depth` rows and `columns` takes, with what packing writes past its end.
  func packedCount(depth: Int, columns: Int) -> Int {
    let panel = 2 * kernels.lanes
    return depth * ((columns + panel - 1) / panel * panel) + 2 * panel
  }

  /// Packs `matrix`, `depth` x `columns`, or its transpose as `columns` rows of `depth`, as a right factor.
  func pack(
    _ matrix: UnsafePointer<Float>, depth: Int, columns: Int, transposed: Bool,
    into memory: UnsafeMutablePointer<Float>
  ) {
    let packing = transposed ? kernels.table.pointee.pack_across : kernels.table.pointee.pack_along
    let step = transposed ? depth : columns
    for column in stride(from: 0, to: columns, by: 2 * kernels.lanes) {
      let count = min(columns - column, 2 * kernels.lanes)
      packing(
        memory + column * depth, matrix + (transposed ? column * depth : column), step, count,
        kernels.panelWidth(count), depth)
    }
  }

  /// `product` = or += `left` times a packed factor.
  /// - Parameters:
  ///   - left: `rows` x `depth`, elements `rowStep` and `step` apart.
  ///   - product: Rows of `columns`, `productStep` apart.
  func multiply(
    _ left: UnsafePointer<Float>, rows: Int, depth: Int, rowStep: Int, step: Int,
    by packed: UnsafePointer<Float>,
    columns: Int, into product: UnsafeMutablePointer<Float>, productStep: Int, adding: Bool
  ) {
    var leftFactor = HostProductLeft(elements: left, row_step: rowStep, step: step)
    var rightFactor = HostProductRight(elements: packed, step: 0, edge: nil)
    kernels.table.pointee.block(
      rows, columns, depth, &leftFactor, &rightFactor, product, productStep, adding ? 1 : 0)
  }
}
