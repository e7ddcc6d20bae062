import HeklaArrays

/// Each subarray along one axis moved along another by as many places as its own coordinate says, 0 where
/// nothing comes from.
///
/// out[..., i, ..., j, ...] = in[..., i + factor j + offset, ..., j, ...]. Diagonals become columns and columns
/// diagonals, so that a sum along `j` adds up overlapping windows. Its gradient is another shear.
struct Shear: Primitive {
  /// The axis of `i`, along which elements move.
  let axis: Int
  /// The axis of `j`, which says how far.
  let guide: Int
  /// Places per unit of `j`.
  let factor: Int
  /// Places for `j` = 0.
  let offset: Int
  /// The result's extent along `axis`.
  let extent: Int

  var name: String { "shear" }
  var attributes: String { "\(axis) by \(guide) times \(factor) from \(offset) to \(extent)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    var extents = inputs[0].shape.extents
    require(
      axis != guide && extents.indices.contains(axis) && extents.indices.contains(guide) && extent >= 0,
      "shear: axis \(axis) by axis \(guide) of \(inputs[0]) to extent \(extent)")
    extents[axis] = extent
    return Signature(Shape(extents), inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let back = Shear(
      axis: axis, guide: guide, factor: -factor, offset: -offset,
      extent: context.inputs[0].shape.extents[axis])
    return [Tensor(back, [context.upstream])]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    referenceMovement(inputs, signature) { point in
      var source = point
      source[axis] += factor * point[guide] + offset
      return (0..<inputs[0].shape.extents[axis]).contains(source[axis]) ? source : nil
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      var source = point
      source[self.axis] = point[self.axis] + point[self.guide] * self.factor + self.offset
      return Movement([
        .init(point: source, where: [.init(source[self.axis], in: 0..<inputs[0].extents[self.axis])])
      ])
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("diagonals", inputs: [.init([17, 5, 3])], tolerance: .exact) {
        Tensor(Shear(axis: 0, guide: 1, factor: -2, offset: 1, extent: 25), [$0[0]])
      },
      Sample("one", inputs: [.init([1, 1])], tolerance: .exact) {
        Tensor(Shear(axis: 1, guide: 0, factor: 1, offset: 0, extent: 1), [$0[0]])
      },
    ]
  }
}
