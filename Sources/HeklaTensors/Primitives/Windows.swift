import HeklaArrays

/// Sliding windows along an axis: out[..., o, ..., k] = in[..., o stride + k dilation, ...], `k` innermost.
struct Windows: Primitive {
  let axis: Int
  /// The number of elements in a window.
  let size: Int
  /// From the start of a window to that of the next.
  let stride: Int
  /// From one element of a window to the next.
  let dilation: Int

  var name: String { "windows" }
  var attributes: String { "\(size) along \(axis) stride \(stride) dilation \(dilation)" }

  /// The extent of a window with its gaps.
  var span: Int { (size - 1) * dilation + 1 }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    var extents = inputs[0].shape.extents
    require(
      extents.indices.contains(axis) && size > 0 && stride > 0 && dilation > 0 && extents[axis] >= span,
      "windows: \(size) elements with stride \(stride) and dilation \(dilation) do not fit axis \(axis) of "
        + "\(inputs[0].shape)")
    extents[axis] = (extents[axis] - span) / stride + 1
    return Signature(Shape(extents + [size]), inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    [context.upstream.foldingWindows(self, to: context.inputs[0].shape)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    referenceMovement(inputs, signature) { point in
      var source = Array(point.dropLast())
      source[axis] = point[axis] * stride + point[point.count - 1] * dilation
      return source
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      let rank = inputs[0].rank
      var source = Array(point.prefix(rank))
      source[self.axis] = point[self.axis] * self.stride + point[rank] * self.dilation
      return Movement(from: source)
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    func sample(_ label: String, _ shape: Shape, _ windows: Windows) -> Sample {
      Sample(label, inputs: [.init(shape)], tolerance: .exact) { Tensor(windows, [$0[0]]) }
    }
    return [
      sample("one", [1], Windows(axis: 0, size: 1, stride: 1, dilation: 1)),
      sample("overlapping", [7, 29], Windows(axis: 1, size: 5, stride: 1, dilation: 1)),
      sample("strided", [23, 6], Windows(axis: 0, size: 3, stride: 2, dilation: 1)),
      sample("dilated", [23, 6], Windows(axis: 0, size: 3, stride: 1, dilation: 4)),
      sample("strided-and-dilated", [3, 31], Windows(axis: 1, size: 3, stride: 2, dilation: 3)),
      sample("apart", [3, 31], Windows(axis: 1, size: 2, stride: 5, dilation: 1)),
    ]
  }
}

extension Tensor {
  /// The sums of overlapping windows: what `windows` took from places of a tensor of `shape` added up there.
  ///
  /// With dilation 1 and k = stride m + r, an element of window o lands in stride (o + m) + r: so a shear of `o`
  /// by `m`, a sum along `m`, and `r` beside `o + m`. No place is visited that a window does not reach, and
  /// every index stays affine. With stride 1 and a dilation the same holds with k = m and a steeper shear; with
  /// both the windows are first filled up with zeros.
  func foldingWindows(_ windows: Windows, to shape: Shape) -> Tensor {
    let (axis, stride, inner) = (windows.axis, windows.stride, rank - 1)
    var (spread, size, dilation) = (self, windows.size, windows.dilation)
    if stride > 1, dilation > 1 {
      (spread, size, dilation) = (spread.spreadApart(by: dilation, along: inner), windows.span, 1)
    }
    let parts = (size + stride - 1) / stride
    var after = [Int](repeating: 0, count: rank)
    after[inner] = parts * stride - size
    let split = spread.padded(after: after).reshaped(
      to: Shape(spread.shape.extents.dropLast() + [parts, stride]))
    let length = spread.shape.extents[axis] + (parts - 1) * dilation
    let shear = Shear(axis: axis, guide: inner, factor: -dilation, offset: 0, extent: length)
    let summed = Tensor(shear, [split]).sum(along: inner)
    // [..., o + m, ..., r] to [..., (o + m) stride + r, ...].
    var order = Array(0..<summed.rank)
    order.insert(order.removeLast(), at: axis + 1)
    var merged = Array(summed.shape.extents.dropLast())
    merged[axis] = length * stride
    let places = summed.permuted(order).reshaped(to: Shape(merged))
    let wanted = shape.extents[axis]
    if wanted <= merged[axis] { return places.sliced(0..<wanted, along: axis) }
    after = [Int](repeating: 0, count: merged.count)
    after[axis] = wanted - merged[axis]
    return places.padded(after: after)
  }

  /// The elements along `axis`, with `factor` - 1 zeros between neighbours.
  func spreadApart(by factor: Int, along axis: Int) -> Tensor {
    guard factor > 1, shape.extents[axis] > 0 else { return self }
    var split = shape.extents
    split.insert(1, at: axis + 1)
    var after = [Int](repeating: 0, count: split.count)
    after[axis + 1] = factor - 1
    var merged = shape.extents
    merged[axis] *= factor
    return reshaped(to: Shape(split)).padded(after: after).reshaped(to: Shape(merged))
      .sliced(0..<(merged[axis] - factor + 1), along: axis)
  }
}
