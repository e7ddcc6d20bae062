import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Where a sparse matrix has elements, sorted once by rows and by columns; the elements are tensors.
///
/// Both sortings are constants of every computation that uses the matrix, so no step sorts and no gradient does.
/// Gradients flow to the elements and to the dense factor, of every order. A product reads one row of the dense
/// factor for each element, so it takes memory for as many rows as there are elements.
public struct SparseMatrix: Sendable {
  /// The elements by their row.
  public let rows: Segments
  /// The elements by their column.
  public let columns: Segments

  /// A matrix with elements in the rows `rowIndices` and the columns `columnIndices`; those at one place add up.
  /// - Throws: `DeviceError.indexOutOfRange` for an index that is not below `rows` or `columns`, and
  ///   `DeviceError.invalidArgument` when there are not as many columns as rows named.
  public init(
    rows: Int, columns: Int, rowIndices: [Int32], columnIndices: [Int32]
  ) throws(DeviceError) {
    guard rowIndices.count == columnIndices.count else {
      throw .invalidArgument(
        call: "sparse-matrix",
        reason: "\(rowIndices.count) rows and \(columnIndices.count) columns. Give each element one of both.")
    }
    self.rows = try Segments(rowIndices, count: rows)
    self.columns = try Segments(columnIndices, count: columns)
  }

  /// A matrix in compressed rows: row `r` has the elements `rowOffsets[r]..<rowOffsets[r + 1]`.
  /// - Throws: As the other initializer, and when offsets fall.
  public init(columns: Int, rowOffsets: [Int32], columnIndices: [Int32]) throws(DeviceError) {
    rows = try Segments(offsets: rowOffsets)
    self.columns = try Segments(columnIndices, count: columns)
    guard rows.termCount == columnIndices.count else {
      throw .invalidArgument(
        call: "sparse-matrix",
        reason: "\(rows.termCount) elements in rows and \(columnIndices.count) in columns. Check the offsets."
      )
    }
  }

  /// The number of elements.
  public var elementCount: Int { rows.termCount }

  /// The matrix times `dense`: shape `[columns, width]` to `[rows, width]`.
  /// - Parameters:
  ///   - elements: One number per element, shape `[elementCount]`; ones when nil.
  ///   - dense: Shape `[columns, width]`.
  public func product(elements: Tensor? = nil, _ dense: Tensor) -> Tensor {
    weighted(dense.gathered(at: columns), elements).segmentSum(rows)
  }

  /// The transposed matrix times `dense`: shape `[rows, width]` to `[columns, width]`.
  /// - Parameters:
  ///   - elements: One number per element, shape `[elementCount]`; ones when nil.
  ///   - dense: Shape `[rows, width]`.
  public func transposedProduct(elements: Tensor? = nil, _ dense: Tensor) -> Tensor {
    weighted(dense.gathered(at: rows), elements).segmentSum(columns)
  }

  /// The product of `left` and the transposed `right` at the places of the elements only, shape `[elementCount]`.
  /// - Parameters:
  ///   - left: Shape `[rows, width]`.
  ///   - right: Shape `[columns, width]`.
  public func sampledProduct(_ left: Tensor, _ right: Tensor) -> Tensor {
    (left.gathered(at: rows) * right.gathered(at: columns)).sum(along: -1)
  }

  /// The elements divided by the roots of the sums of their row and of their column, for nonnegative elements.
  ///
  /// Of an adjacency matrix with loops, what graph convolutions propagate by. Source: Kipf & Welling 2017,
  /// "Semi-supervised classification with graph convolutional networks", equation 2.
  public func symmetricallyNormalized(elements: Tensor) -> Tensor {
    func scale(_ segments: Segments) -> Tensor {
      let inverse = elements.segmentSum(segments).map {
        .select($0 .> 0, .reciprocalSquareRoot(.select($0 .> 0, $0, 1)), 0)
      }
      return inverse.gathered(at: segments)
    }
    return elements * scale(rows) * scale(columns)
  }

  private func weighted(_ gathered: Tensor, _ elements: Tensor?) -> Tensor {
    guard let elements else { return gathered }
    require(
      elements.shape == [elementCount],
      "sparse-product: elements \(elements.signature) of a matrix that has \(elementCount)")
    return gathered * elements.reshaped(to: [elementCount] + [Int](repeating: 1, count: gathered.rank - 1))
  }
}
