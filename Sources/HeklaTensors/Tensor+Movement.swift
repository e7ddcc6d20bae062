import HeklaArrays

extension Tensor {
  /// The same elements in row-major order under other extents; at most one extent may be -1, for what is left over.
  public func reshaped(to extents: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let known = extents.filter { $0 != -1 }.reduce(1, *)
    let openCount = extents.filter { $0 == -1 }.count
    require(
      openCount == 0 || (openCount == 1 && known > 0 && shape.count % known == 0),
      "reshape: \(shape) cannot become \(extents)", file: file, line: line)
    let resolved = Shape(extents.map { $0 == -1 ? shape.count / known : $0 })
    require(
      resolved.count == shape.count,
      "reshape: \(shape) has \(shape.count) elements, \(resolved) has \(resolved.count)",
      file: file, line: line)
    return resolved == shape ? self : Tensor(Reshape(shape: resolved), [self])
  }

  /// The same elements in row-major order under other extents.
  public func reshaped(to shape: Shape, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    reshaped(to: shape.extents, file: file, line: line)
  }

  /// The axes in another order: axis `i` of the result is axis `order[i]`.
  public func permuted(_ order: [Int]) -> Tensor {
    let order = order.map { shape.normalized(axis: $0) }
    return order == Array(0..<rank) ? self : Tensor(Permute(order: order), [self])
  }

  /// Two axes exchanged, the innermost two when none are named.
  public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
    var order = Array(0..<rank)
    order.swapAt(shape.normalized(axis: first), shape.normalized(axis: second))
    return permuted(order)
  }

  /// The tensor repeated along new outer axes and along axes of extent 1.
  public func broadcast(to shape: Shape) -> Tensor {
    shape == self.shape ? self : Tensor(Broadcast(shape: shape), [self])
  }

  /// `extents` elements along each axis, from `starts` on, every `steps`-th.
  public func sliced(starts: [Int], extents: [Int], steps: [Int]? = nil) -> Tensor {
    let steps = steps ?? [Int](repeating: 1, count: rank)
    let isWhole = extents == shape.extents && starts.allSatisfy { $0 == 0 }
    return isWhole ? self : Tensor(Slice(starts: starts, extents: extents, steps: steps), [self])
  }

  /// The elements of `range` along `axis`.
  public func sliced(_ range: Range<Int>, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    var starts = [Int](repeating: 0, count: rank)
    var extents = shape.extents
    starts[axis] = range.lowerBound
    extents[axis] = range.count
    return sliced(starts: starts, extents: extents)
  }

  /// The subarray at `index` along `axis`, which disappears.
  public func element(_ index: Int, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    return sliced(index..<(index + 1), along: axis).reshaped(
      to: shape.reduced(along: [axis], keepingAxes: false))
  }

  /// A border of `fill` around the tensor.
  public func padded(before: [Int]? = nil, after: [Int]? = nil, with fill: Double = 0) -> Tensor {
    let none = [Int](repeating: 0, count: rank)
    let (before, after) = (before ?? none, after ?? none)
    return (before + after).allSatisfy { $0 == 0 }
      ? self : Tensor(Pad(before: before, after: after, fill: fill), [self])
  }

  /// The elements in reverse order along `axes`.
  public func flipped(along axes: [Int]) -> Tensor {
    axes.isEmpty ? self : Tensor(Flip(axes: axes.map { shape.normalized(axis: $0) }), [self])
  }

  /// `tensors` one after the other along `axis`.
  public static func concatenating(_ tensors: [Tensor], along axis: Int) -> Tensor {
    require(!tensors.isEmpty, "concatenate: there is nothing to concatenate")
    // A kernel reads only so many arrays, so many tensors are joined a few at a time.
    let most = 8
    if tensors.count > most {
      let groups = stride(from: 0, to: tensors.count, by: most).map { start in
        concatenating(Array(tensors[start..<min(start + most, tensors.count)]), along: axis)
      }
      return concatenating(groups, along: axis)
    }
    return tensors.count == 1
      ? tensors[0] : Tensor(Concatenate(axis: tensors[0].shape.normalized(axis: axis)), tensors)
  }

  /// `tensors`, all of one shape, along a new axis.
  public static func stacking(_ tensors: [Tensor], along axis: Int = 0) -> Tensor {
    require(!tensors.isEmpty, "stack: there is nothing to stack")
    var extents = tensors[0].shape.extents
    extents.insert(1, at: axis < 0 ? axis + extents.count + 1 : axis)
    return concatenating(tensors.map { $0.reshaped(to: Shape(extents)) }, along: axis)
  }

  /// The tensor with a new axis of extent 1 at `axis`.
  public func expanded(at axis: Int) -> Tensor {
    var extents = shape.extents
    extents.insert(1, at: axis < 0 ? axis + rank + 1 : axis)
    return reshaped(to: Shape(extents))
  }
}
