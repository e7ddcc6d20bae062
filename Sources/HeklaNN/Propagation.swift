import HeklaArrays
import HeklaDevices
import HeklaTensors

extension Graph {
  /// The adjacency of an undirected graph with a loop at each vertex, normalized by degrees:
  /// D^-1/2 (A + I) D^-1/2, D the degrees in A + I.
  ///
  /// It is its own transpose, so gradients flow back along the same products. A vertex without edges keeps what it has.
  /// Source: Kipf & Welling 2017, "Semi-supervised classification with graph convolutional networks", equation 2.
  /// - Parameters:
  ///   - vertexCount: How many vertices there are.
  ///   - edges: Pairs of vertices; loops and repeated edges count once or not at all.
  /// - Returns: A matrix whose elements are stored row by row, columns ascending.
  /// - Throws: `DeviceError.indexOutOfRange` for a vertex that is not in `0..<vertexCount`.
  public static func normalizedAdjacency(
    vertexCount: Int, edges: [(Int32, Int32)]
  ) throws(DeviceError) -> SparseMatrix {
    for vertex in edges.flatMap({ [$0, $1] }) where vertex < 0 || Int(vertex) >= vertexCount {
      throw .indexOutOfRange(operation: "normalized-adjacency", index: Int(vertex), bound: vertexCount)
    }
    let neighbors = try CommonNeighbors(vertexCount: vertexCount, edges: edges).neighbors
    let scales = neighbors.map { 1 / Double($0.count + 1).squareRoot() }
    var (rows, columns, values): ([Int32], [Int32], [Float]) = ([], [], [])
    for (row, own) in neighbors.enumerated() {
      let vertex = Int32(truncatingIfNeeded: row)
      for column in own.filter({ $0 < vertex }) + [vertex] + own.filter({ $0 > vertex }) {
        rows.append(vertex)
        columns.append(column)
        values.append(Float(scales[row] * scales[Int(column)]))
      }
    }
    return try SparseMatrix(
      rowCount: vertexCount, columnCount: vertexCount, rows: rows, columns: columns, values: values)
  }
}

extension SparseMatrix {
  /// x, A x, A^2 x, ..., A^`count` x, for this square matrix A.
  /// - Parameter x: Shape `[vertices, width]`.
  public func powers(times x: Tensor, count: Int) -> [Tensor] {
    require(count >= 0 && shape[0] == shape[1], "powers: \(count) of a matrix of \(shape)")
    return (0..<count).reduce(into: [x]) { powers, _ in powers.append(product(powers[powers.count - 1])) }
  }

  /// A^`count` x, for this square matrix A; each product needs only the one before.
  public func power(_ count: Int, times x: Tensor) -> Tensor {
    require(count >= 0 && shape[0] == shape[1], "power: \(count) of a matrix of \(shape)")
    return (0..<count).reduce(x) { x, _ in product(x) }
  }

  /// `count` rounds of h <- (1 - teleport) A h + teleport x, from h = x.
  ///
  /// Source: Klicpera, Bojchevski & Guennemann 2019, "Predict then propagate", equations 4 and 5.
  public func personalizedPageRank(of x: Tensor, teleport: Double, count: Int) -> Tensor {
    require(
      (0...1).contains(teleport) && count >= 0,
      "page-rank: the teleport is \(teleport) and the count \(count); they must be in 0...1 and not negative")
    return (0..<count).reduce(x) { h, _ in (1 - teleport) * product(h) + teleport * x }
  }
}
