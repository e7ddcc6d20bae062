import HeklaArrays

extension Tensor {
  /// The elements in order along `axis`.
  ///
  /// NaN comes last in both directions; -0 and 0 are equal. Elements are float32, int32 or uint32, on the host
  /// also float64 or int64. The gradient goes back to the places where the elements came from.
  public func sorted(along axis: Int = -1, descending: Bool = false) -> Tensor {
    topSorted(shape[axis], along: axis, descending: descending).values
  }

  /// The positions along `axis` of the elements in order, `int32`; equal elements keep their order.
  public func argumentSorted(along axis: Int = -1, descending: Bool = false) -> Tensor {
    topSorted(shape[axis], along: axis, descending: descending).positions
  }

  /// The `count` largest elements along `axis`, the largest first, and their positions, `int32`.
  ///
  /// Of equal elements the first come first. NaN counts as smaller than every number.
  /// - Parameters:
  ///   - count: At most the extent of the axis.
  ///   - axis: Along which to look.
  ///   - smallest: Whether the smallest are wanted, the smallest first; NaN then counts as larger.
  public func topK(
    _ count: Int, along axis: Int = -1, smallest: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (values: Tensor, positions: Tensor) {
    require(
      count >= 0 && count <= shape[axis], "topK: \(count) elements of \(shape) along axis \(axis)",
      file: file,
      line: line)
    return topSorted(count, along: axis, descending: !smallest)
  }

  private func topSorted(_ count: Int, along axis: Int, descending: Bool) -> (
    values: Tensor, positions: Tensor
  ) {
    let axis = shape.normalized(axis: axis)
    var order = (0..<rank).filter { $0 != axis }
    order.append(axis)
    let moved = permuted(order)
    let kept = Shape(moved.shape.extents.dropLast() + [count])
    let extent = shape[axis]
    let inverse = order.indices.map { position in order.firstIndex(of: position) ?? 0 }
    guard kept.count > 0 else {
      return (Tensor.zeros(kept, elementType).permuted(inverse), Tensor.zeros(kept, .int32).permuted(inverse))
    }
    let rows = moved.reshaped(to: [shape.count / extent, extent])
    let sorted = Tensor(Sort(descending: descending, kept: count), [rows])
    let positions = SecondaryOutput.outputs(of: sorted.node)[0]
    return (
      sorted.reshaped(to: kept).permuted(inverse), positions.reshaped(to: kept).permuted(inverse)
    )
  }

  /// How many elements of this sorted tensor lie before each of `values`: where it could be inserted, `int32`.
  ///
  /// The tensor is sorted along its last axis; both have the same other axes. NaN belongs behind all numbers.
  /// - Parameters:
  ///   - values: What to find, of the tensor's type.
  ///   - afterEquals: Whether the place behind equal elements is meant; before them otherwise.
  public func searchSorted(
    _ values: Tensor, afterEquals: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      rank >= 1 && values.rank == rank && values.shape.extents.dropLast() == shape.extents.dropLast(),
      "search-sorted: \(values.signature) in \(signature); all axes but the last must agree", file: file,
      line: line)
    guard values.shape.count > 0, shape.count > 0 else { return .zeros(values.shape, .int32) }
    let rows = shape.extents.dropLast().reduce(1, *)
    return Tensor(
      SearchSorted(afterEquals: afterEquals),
      [reshaped(to: [rows, shape[-1]]), values.reshaped(to: [rows, values.shape[-1]])]
    ).reshaped(to: values.shape)
  }

  /// The numbers 0, 1, ..., `count` - 1 in an order that `key` decides, `int32`: the same on every device.
  ///
  /// 24 random bits are sorted, so positions that draw the same bits, a share of about `count` / 2^25, keep
  /// their order.
  /// - Parameters:
  ///   - count: How many numbers.
  ///   - key: `uint32` of shape `[2]`.
  public static func permutation(_ count: Int, key: Tensor) -> Tensor {
    uniform([count], key: key).argumentSorted(along: 0)
  }

  /// The numbers 0, 1, ..., `count` - 1 in an order that `key` decides; see `permutation(_:key:)` of a tensor.
  public static func permutation(_ count: Int, key: RandomKey) -> Tensor {
    permutation(count, key: Tensor(key))
  }
}
