import HeklaArrays

extension Tensor {
  /// Along a new innermost axis 1 at each element's own number, 0 elsewhere: shape `shape + [count]`.
  ///
  /// A number outside `0..<count` gives zeros only.
  public func oneHot(_ count: Int, _ type: ElementType = .float32) -> Tensor {
    require(elementType.isInteger, "one-hot: elements are \(elementType); they must be whole numbers")
    let wide = expanded(at: -1).broadcast(to: Shape(shape.extents + [count]))
    let expression = Scalar.coordinate(rank).converted(to: elementType.computed) .== .input(0, elementType)
    return Tensor(
      Map(expression.converted(to: type), shape: wide.shape, elementType: type), [wide])
  }

  private func triangular(_ isKept: (_ row: Scalar, _ column: Scalar) -> Scalar) -> Tensor {
    require(rank >= 2, "triangle: \(shape) has no rows and columns")
    let kept = isKept(.coordinate(rank - 2), .coordinate(rank - 1))
    let x = Scalar.input(0, elementType)
    return .elementwise(.select(kept, x, .constant(0, x.type)), [self], elementType: elementType)
  }

  /// The innermost matrices with 0 above diagonal `diagonal`; 0 is the main one, 1 that above it.
  public func lowerTriangle(diagonal: Int = 0) -> Tensor {
    triangular { $1 .<= $0 + .constant(Double(diagonal), .int32) }
  }

  /// The innermost matrices with 0 below diagonal `diagonal`; 0 is the main one, 1 that above it.
  public func upperTriangle(diagonal: Int = 0) -> Tensor {
    triangular { $1 .>= $0 + .constant(Double(diagonal), .int32) }
  }

  /// A `bool` matrix that is true where the column is at most the row plus `diagonal`: who may see whom.
  public static func causalMask(rows: Int, columns: Int, diagonal: Int = 0) -> Tensor {
    let isSeen = Scalar.coordinate(1) .<= Scalar.coordinate(0) + .constant(Double(diagonal), .int32)
    return Tensor(Map(isSeen, shape: [rows, columns]), [])
  }

  /// The matrix with 1 on diagonal `diagonal` and 0 elsewhere, with `rows` columns when none are given.
  public static func identity(
    _ rows: Int, columns: Int? = nil, diagonal: Int = 0, _ type: ElementType = .float32
  ) -> Tensor {
    let isOn = Scalar.coordinate(1) .== Scalar.coordinate(0) + .constant(Double(diagonal), .int32)
    return Tensor(Map(isOn.converted(to: type), shape: [rows, columns ?? rows], elementType: type), [])
  }

  /// The diagonals of the matrices that two axes span: shape without both, and the diagonal innermost.
  ///
  /// By a reshape: in rows of one element more than the matrix has columns, the diagonal is a column.
  /// - Parameters:
  ///   - diagonal: 0 is the main one, positive ones lie above it.
  ///   - first: The axis of the rows.
  ///   - second: The axis of the columns.
  public func diagonal(_ diagonal: Int = 0, along first: Int = -2, _ second: Int = -1) -> Tensor {
    let (first, second) = (shape.normalized(axis: first), shape.normalized(axis: second))
    require(first != second, "diagonal: axis \(first) of \(shape) is named twice")
    let others = (0..<rank).filter { $0 != first && $0 != second }
    let matrices = permuted(others + [first, second])
    let (rows, columns) = (matrices.shape[-2], matrices.shape[-1])
    let (top, left) = (max(0, -diagonal), max(0, diagonal))
    let count = max(0, min(rows - top, columns - left))
    let outer = Array(matrices.shape.extents.dropLast(2))
    guard count > 0 else { return .zeros(Shape(outer + [0]), elementType) }
    let square = matrices.sliced(top..<(top + count), along: -2).sliced(left..<(left + count), along: -1)
    var after = [Int](repeating: 0, count: square.rank)
    after[square.rank - 2] = 1
    // Rows and columns change places in the flat order: n (n + 1) elements, every (n + 1)-th on the diagonal.
    let flat = square.padded(after: after).reshaped(to: outer + [count * (count + 1)])
    return flat.reshaped(to: outer + [count, count + 1]).element(0, along: -1)
  }

  /// Matrices with the innermost axis on diagonal `diagonal` and 0 elsewhere: one axis more.
  public func embeddedAsDiagonal(_ diagonal: Int = 0) -> Tensor {
    require(rank >= 1, "diagonal: a number is no diagonal")
    let extent = shape[-1] + abs(diagonal)
    var (before, after) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
    // Row i holds element i - max(0, -diagonal).
    (before[rank - 1], after[rank - 1]) = (max(0, -diagonal), max(0, diagonal))
    let wide = padded(before: before, after: after).expanded(at: -1)
      .broadcast(to: Shape(shape.extents.dropLast() + [extent, extent]))
    let isOn = Scalar.coordinate(rank) .== Scalar.coordinate(rank - 1) + .constant(Double(diagonal), .int32)
    let x = Scalar.input(0, elementType)
    return .elementwise(.select(isOn, x, .constant(0, x.type)), [wide], elementType: elementType)
  }

  /// The sum of the main diagonal of the innermost matrices.
  public func trace() -> Tensor { diagonal().sum(along: -1) }

  /// `count` numbers at equal distances, `start` and `end` included.
  public static func linearlySpaced(
    from start: Double, to end: Double, count: Int, _ type: ElementType = .float32
  ) -> Tensor {
    let step = count > 1 ? (end - start) / Double(count - 1) : 0
    // From the nearer end, so that both are exact.
    let position = Scalar.coordinate(0).converted(to: type)
    let fromStart = Scalar(start) + position * Scalar(step)
    let fromEnd = Scalar(end) - (Scalar(Double(count - 1)) - position) * Scalar(step)
    let isNearer = Scalar.coordinate(0) .< .constant(Double((count + 1) / 2), .int32)
    return Tensor(Map(.select(isNearer, fromStart, fromEnd), shape: [count], elementType: type), [])
  }

  /// For vectors of extents n1, n2, ... tensors of shape `[n1, n2, ...]`, each of which varies along its own axis.
  public static func meshGrid(_ vectors: [Tensor]) -> [Tensor] {
    require(vectors.allSatisfy { $0.rank == 1 }, "mesh-grid: shapes \(vectors.map(\.shape)) are no vectors")
    let shape = Shape(vectors.map { $0.shape[0] })
    return vectors.enumerated().map { axis, vector in
      var extents = [Int](repeating: 1, count: shape.rank)
      extents[axis] = vector.shape[0]
      return vector.reshaped(to: extents).broadcast(to: shape)
    }
  }
}
