import HeklaArrays

extension Tensor {
  /// The subarrays along the outermost axis that `indices` name.
  ///
  /// - Parameter indices: `int32` of any shape, each in `0..<shape[0]`.
  /// - Returns: Shape `indices.shape + shape[1...]`.
  public func gathered(at indices: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      rank >= 1 && indices.elementType == .int32,
      "gather: \(signature) at \(indices.signature); the tensor needs an axis and the indices must be int32",
      file: file, line: line)
    require(
      shape[0] > 0 || indices.shape.count == 0, "gather: \(signature) has no rows to gather from", file: file,
      line: line)
    let columns = shape.extents.dropFirst().reduce(1, *)
    return Tensor(
      Gather(), [reshaped(to: [shape[0], columns]), indices.reshaped(to: [indices.shape.count])]
    )
    .reshaped(to: Shape(indices.shape.extents + shape.extents.dropFirst()))
  }

  /// Sums the subarrays of `values` into the places along a new outermost axis that `indices` name.
  ///
  /// - Parameters:
  ///   - values: What to add, shape `indices.shape + [columns...]`.
  ///   - indices: `int32`, each in `0..<rows`; a repeated one accumulates, always in the same order.
  ///   - rows: The outermost extent of the result.
  /// - Returns: Shape `[rows, columns...]`; rows nobody names are 0.
  public static func scatterSum(
    _ values: Tensor, at indices: Tensor, rows: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      Array(values.shape.extents.prefix(indices.rank)) == indices.shape.extents,
      "scatter-sum: values \(values.shape) do not start with the extents of indices \(indices.shape)",
      file: file, line: line)
    let tail = Array(values.shape.extents.dropFirst(indices.rank))
    guard values.shape.count > 0, rows > 0 else { return .zeros(Shape([rows] + tail), values.elementType) }
    let flat = values.reshaped(to: [indices.shape.count, tail.reduce(1, *)])
    return Tensor(ScatterSum(rows: rows), [flat, indices.reshaped(to: [indices.shape.count])])
      .reshaped(to: Shape([rows] + tail))
  }
}
