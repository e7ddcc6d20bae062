import HeklaArrays

extension Tensor {
  /// The subarrays along `axis` that `indices` name; the axis gives way to those of `indices`.
  /// - Parameters:
  ///   - indices: `int32` of any shape, each in `0..<shape[axis]`.
  ///   - axis: Along which.
  /// - Returns: Shape `shape[..<axis] + indices.shape + shape[(axis + 1)...]`.
  public func gathered(at indices: Tensor, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    guard axis > 0 else { return gathered(at: indices) }
    let order = [axis] + (0..<rank).filter { $0 != axis }
    let gathered = permuted(order).gathered(at: indices)
    // The axes are: those of indices, those before, those after.
    let back =
      (0..<axis).map { indices.rank + $0 } + Array(0..<indices.rank)
      + ((indices.rank + axis)..<gathered.rank)
    return gathered.permuted(Array(back))
  }

  /// In each batch the subarrays that the batch's own indices name.
  ///
  /// - Parameters:
  ///   - indices: `int32`, shape `shape[..<batchAxes] + [more...]`, each in `0..<shape[batchAxes]`.
  ///   - batchAxes: How many outer axes are a batch's.
  /// - Returns: Shape `indices.shape + shape[(batchAxes + 1)...]`.
  public func gathered(at indices: Tensor, batchAxes: Int) -> Tensor {
    require(
      batchAxes < rank
        && Array(indices.shape.extents.prefix(batchAxes)) == Array(shape.extents.prefix(batchAxes)),
      "gather: \(signature) at \(indices.signature) with \(batchAxes) batch axes; their extents must agree")
    let batches = shape.extents.prefix(batchAxes).reduce(1, *)
    let extent = shape[batchAxes]
    let each = indices.shape.extents.dropFirst(batchAxes).reduce(1, *)
    let tail = shape.extents.dropFirst(batchAxes + 1)
    let result = Shape(indices.shape.extents + tail)
    guard result.count > 0 else { return .zeros(result, elementType) }
    let flat = Tensor.flattening(indices.reshaped(to: [batches, each, 1]), extent: extent)
    return reshaped(to: Shape([batches * extent] + tail)).gathered(at: flat.reshaped(to: [batches * each]))
      .reshaped(to: result)
  }

  /// At each point the element whose coordinate along `axis` is the index there, as NumPy's `take_along_axis`.
  ///
  /// An error over an index that is out of range calls it -1, and the bound the number of the tensor's elements.
  /// - Parameters:
  ///   - axis: Along which to take.
  ///   - indices: `int32`, of the tensor's shape but for the extent of the axis, each in `0..<shape[axis]`.
  /// - Returns: The shape of `indices`.
  public func takenAlong(_ axis: Int, _ indices: Tensor) -> Tensor {
    let axis = shape.normalized(axis: axis)
    Self.requireFit(indices, shape, axis, "take-along")
    guard indices.shape.count > 0 else { return .zeros(indices.shape, elementType) }
    let flat = Self.places(indices, in: shape, along: axis)
    return reshaped(to: [shape.count]).gathered(at: flat).reshaped(to: indices.shape)
  }

  /// The elements summed into zeros of `target` at the coordinates along `axis` that `indices` give: what
  /// `takenAlong` takes, put back.
  func scattered(to target: Shape, along axis: Int, at indices: Tensor) -> Tensor {
    Self.requireFit(indices, target, axis, "scatter-along")
    let flat = Self.places(indices, in: target, along: axis)
    return .scatterSum(reshaped(to: [shape.count]), at: flat, rows: target.count).reshaped(to: target)
  }

  private static func requireFit(_ indices: Tensor, _ shape: Shape, _ axis: Int, _ name: String) {
    require(
      indices.elementType == .int32 && indices.rank == shape.rank
        && shape.extents.indices.allSatisfy { $0 == axis || shape.extents[$0] == indices.shape.extents[$0] },
      "\(name): \(indices.signature) along axis \(axis) of \(shape); the other extents must agree")
  }

  /// Row-major places in `shape` of the elements that `indices` name along `axis`.
  private static func places(_ indices: Tensor, in shape: Shape, along axis: Int) -> Tensor {
    let (outer, inner) = (shape.extents[..<axis].reduce(1, *), shape.extents[(axis + 1)...].reduce(1, *))
    return flattening(indices.reshaped(to: [outer, indices.shape[axis], inner]), extent: shape[axis])
      .reshaped(to: [indices.shape.count])
  }

  /// Indices `[outer, any, inner]` along the middle axis of `[outer, extent, inner]` as places in the flat array;
  /// -1 for one that is out of range, which might else be a place in another row.
  private static func flattening(_ indices: Tensor, extent: Int) -> Tensor {
    let inner = indices.shape[2]
    func number(_ value: Int) -> Scalar { .constant(Double(value), .int32) }
    return indices.map { index in
      let place = (Scalar.coordinate(0) * number(extent) + index) * number(inner) + Scalar.coordinate(2)
      return .select(index .>= number(0), .select(index .< number(extent), place, number(-1)), number(-1))
    }
  }
}
