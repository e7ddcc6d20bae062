import HeklaArrays
import HeklaDevices

/// A matrix most of whose elements are 0: the values of the others, and where they stand.
///
/// Rows and columns are sorted once, so neither a product with the matrix nor its gradient sorts anything. An element
/// that is stored twice counts as the sum of both.
public struct SparseMatrix: Sendable {
  /// The row of each stored element.
  public let rows: Segments
  /// The column of each stored element.
  public let columns: Segments
  /// The stored elements, shape `[rows.termCount]`. Gradients flow into them.
  public let values: Tensor

  /// The matrix with `values[e]` at row `rows.indices[e]` and column `columns.indices[e]`.
  public init(
    rows: Segments, columns: Segments, values: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      values.shape == [rows.termCount] && rows.termCount == columns.termCount,
      "sparse-matrix: \(rows.termCount) rows, \(columns.termCount) columns and values \(values.signature); "
        + "each stored element has one of all three",
      file: file, line: line)
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// The matrix of `rowCount` rows and `columnCount` columns with `values[e]` at row `rows[e]`, column `columns[e]`.
  /// - Throws: `DeviceError.indexOutOfRange` for a row or column that the matrix does not have, and
  ///   `DeviceError.invalidArgument` where rows, columns and values differ in number.
  public init(
    rowCount: Int, columnCount: Int, rows: [Int32], columns: [Int32], values: [Float]
  ) throws(DeviceError) {
    guard rows.count == columns.count, rows.count == values.count else {
      throw .invalidArgument(
        call: "sparse-matrix",
        reason: "\(rows.count) rows, \(columns.count) columns and \(values.count) values. "
          + "Give each stored element one of all three.")
    }
    self.init(
      rows: try Segments(rows, count: rowCount), columns: try Segments(columns, count: columnCount),
      values: Tensor(values))
  }

  /// The extents, rows first.
  public var shape: Shape { [rows.count, columns.count] }

  /// The matrix with rows and columns exchanged; nothing is moved.
  public var transposed: SparseMatrix { SparseMatrix(rows: columns, columns: rows, values: values) }

  /// The matrix with other values at the same places.
  public func withValues(_ values: Tensor, file: StaticString = #fileID, line: UInt = #line) -> SparseMatrix {
    SparseMatrix(rows: rows, columns: columns, values: values, file: file, line: line)
  }

  /// The product with a dense matrix.
  ///
  /// The terms of each sum are added in the order of the stored elements; no array with a row per element is made.
  /// - Parameter x: Shape `[columns.count, width]`, of the values' type.
  /// - Returns: Shape `[rows.count, width]`.
  public func product(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank == 2 && x.shape[0] == columns.count && x.elementType == values.elementType,
      "sparse-product: a \(values.elementType) matrix of \(shape) and \(x.signature)", file: file, line: line)
    let result: Shape = [rows.count, x.shape[1]]
    guard result.count > 0, rows.termCount > 0 else { return .zeros(result, x.elementType) }
    return Tensor(
      SparseProduct(),
      [
        x, values, rows.indices, rows.order, rows.offsets, columns.indices, columns.order, columns.offsets,
      ])
  }
}
