import HeklaArrays

extension Tensor {
  /// The elements moved up by `shift` along `axis`; what leaves at the end comes in at the start.
  public func rolled(by shift: Int, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    let extent = shape.extents[axis]
    guard extent > 0 else { return self }
    let start = ((-shift % extent) + extent) % extent
    guard start > 0 else { return self }
    return .concatenating(
      [sliced(start..<extent, along: axis), sliced(0..<start, along: axis)], along: axis)
  }

  /// The whole tensor repeated `counts[i]` times along axis `i`, one copy after the other.
  public func tiled(_ counts: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      counts.count == rank && counts.allSatisfy { $0 >= 0 },
      "tile: the repetitions \(counts) do not fit \(shape)", file: file, line: line)
    let split = shape.extents.flatMap { [1, $0] }
    let repeated = zip(counts, shape.extents).flatMap { [$0, $1] }
    return reshaped(to: split).broadcast(to: Shape(repeated))
      .reshaped(to: Shape(zip(counts, shape.extents).map { $0 * $1 }))
  }

  /// Each element repeated `count` times along `axis`, copies side by side.
  public func repeated(_ count: Int, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    var split = shape.extents
    split.insert(1, at: axis + 1)
    var wide = split
    wide[axis + 1] = count
    var merged = shape.extents
    merged[axis] *= count
    return reshaped(to: Shape(split)).broadcast(to: Shape(wide)).reshaped(to: Shape(merged))
  }

  /// Consecutive parts of the given extents along `axis`, which they must use up.
  public func split(
    into extents: [Int], along axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    require(
      extents.reduce(0, +) == shape[axis] && extents.allSatisfy { $0 >= 0 },
      "split: parts of \(extents) do not make up axis \(axis) of \(shape)", file: file, line: line)
    var start = 0
    return extents.map { extent in
      defer { start += extent }
      return sliced(start..<(start + extent), along: axis)
    }
  }

  /// Consecutive parts of extent `extent` along `axis`, the last one smaller where it does not divide.
  public func chunks(of extent: Int, along axis: Int) -> [Tensor] {
    require(extent > 0, "chunks: the extent \(extent) must be positive")
    let whole = shape[axis]
    return stride(from: 0, to: whole, by: extent).map { sliced($0..<min($0 + extent, whole), along: axis) }
  }

  /// The subarrays along `axis`, which disappears: the inverse of `stacking`.
  public func unstacked(along axis: Int = 0) -> [Tensor] {
    (0..<shape[axis]).map { element($0, along: axis) }
  }

  /// The tensor with `axis` at place `target`, the other axes in their order.
  public func movingAxis(_ axis: Int, to target: Int) -> Tensor {
    var order = Array(0..<rank)
    let moved = order.remove(at: shape.normalized(axis: axis))
    order.insert(moved, at: shape.normalized(axis: target))
    return permuted(order)
  }

  /// The tensor without `axes`, which all have extent 1; without all such axes when nil.
  public func squeezed(_ axes: [Int]? = nil, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let axes =
      axes?.map { shape.normalized(axis: $0) } ?? shape.extents.indices.filter { shape.extents[$0] == 1 }
    require(
      axes.allSatisfy { shape.extents[$0] == 1 }, "squeeze: an axis of \(axes) of \(shape) is longer than 1",
      file: file, line: line)
    return reshaped(to: shape.reduced(along: axes, keepingAxes: false))
  }

  /// What lies beyond the border of a tensor.
  public enum Border: Sendable, Hashable {
    /// A number.
    case constant(Double)
    /// The tensor mirrored at its outermost elements, which are not repeated: c b a b c d c b.
    case reflection
    /// The outermost elements again and again: a a a b c d d d.
    case replication
    /// The tensor again from its other end: c d a b c d a b.
    case circular
  }

  /// A border around the tensor.
  /// - Parameters:
  ///   - before: The width of the border before each axis, 0 when nil.
  ///   - after: The width of the border after each axis, 0 when nil.
  ///   - border: What it holds. A reflection must be narrower than the axis, a circular border not wider.
  public func padded(
    before: [Int]? = nil, after: [Int]? = nil, with border: Border, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    if case .constant(let fill) = border { return padded(before: before, after: after, with: fill) }
    let none = [Int](repeating: 0, count: rank)
    let (before, after) = (before ?? none, after ?? none)
    require(
      before.count == rank && after.count == rank && (before + after).allSatisfy { $0 >= 0 },
      "pad: borders \(before) before and \(after) after do not fit shape \(shape)", file: file, line: line)
    return (0..<rank).reduce(self) { result, axis in
      let (first, last, extent) = (before[axis], after[axis], shape.extents[axis])
      guard first + last > 0 else { return result }
      let limit =
        switch border {
        case .reflection: extent - 1
        case .circular: extent
        default: extent > 0 ? Int.max : 0
        }
      require(
        max(first, last) <= limit,
        "pad: a \(border) of \(first) before and \(last) after is too wide for axis \(axis) of \(shape)",
        file: file, line: line)
      func part(_ range: Range<Int>) -> Tensor { result.sliced(range, along: axis) }
      func edge(_ index: Int, _ count: Int) -> Tensor {
        part(index..<(index + 1)).repeated(count, along: axis)
      }
      let (start, end): (Tensor, Tensor) =
        switch border {
        case .reflection:
          (
            part(1..<(first + 1)).flipped(along: [axis]),
            part((extent - 1 - last)..<(extent - 1)).flipped(along: [axis])
          )
        case .circular: (part((extent - first)..<extent), part(0..<last))
        default: (edge(0, first), edge(extent - 1, last))
        }
      return .concatenating((first > 0 ? [start] : []) + [result] + (last > 0 ? [end] : []), along: axis)
    }
  }

  // MARK: Starts known only when the step runs

  /// `extent` elements along `axis` from `start` on, which is itself computed.
  ///
  /// - Parameters:
  ///   - start: `int32` of rank 0; held in `0...(shape[axis] - extent)`.
  ///   - extent: How many elements.
  ///   - axis: Along which.
  public func sliced(from start: Tensor, extent: Int, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    requireStart(start, extent: extent, along: axis)
    let first = start.map { .clamp($0, from: 0, to: .constant(Double(shape.extents[axis] - extent), .int32)) }
    return movingAxis(axis, to: 0).gathered(at: Tensor.range(extent) + first).movingAxis(0, to: axis)
  }

  /// The tensor with `part` in the place of the elements along `axis` from `start` on.
  ///
  /// - Parameters:
  ///   - part: Of this tensor's extents but along `axis`.
  ///   - start: `int32` of rank 0; held in `0...(shape[axis] - part.shape[axis])`.
  ///   - axis: Along which.
  public func replacing(from start: Tensor, with part: Tensor, along axis: Int) -> Tensor {
    let axis = shape.normalized(axis: axis)
    let extent = part.shape[axis]
    requireStart(start, extent: extent, along: axis)
    let first = start.map { .clamp($0, from: 0, to: .constant(Double(shape.extents[axis] - extent), .int32)) }
    // Which element of the part each place would take; the mask says where that is meant.
    let places = Tensor.range(shape.extents[axis]) - first
    let inside = places.map { ($0 .>= 0) .& ($0 .< .constant(Double(extent), .int32)) }
    let indices = places.map { .clamp($0, from: 0, to: .constant(Double(extent - 1), .int32)) }
    let spread = part.movingAxis(axis, to: 0).gathered(at: indices).movingAxis(0, to: axis)
    var extents = [Int](repeating: 1, count: rank)
    extents[axis] = shape.extents[axis]
    return .select(inside.reshaped(to: Shape(extents)), spread, self)
  }

  private func requireStart(_ start: Tensor, extent: Int, along axis: Int) {
    require(
      start.signature == Signature([], .int32) && (1...max(shape.extents[axis], 1)).contains(extent),
      "dynamic-slice: \(extent) elements along axis \(axis) of \(shape) from a start of \(start.signature); "
        + "the start must be int32 of rank 0 and the part fit")
  }
}
