import HeklaArrays

/// The same elements in row-major order under other extents.
struct Reshape: Primitive {
  let shape: Shape

  var name: String { "reshape" }
  var attributes: String { "\(shape)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs[0].shape.count == shape.count,
      "reshape: \(inputs[0].shape) has \(inputs[0].shape.count) elements, \(shape) has \(shape.count)")
    return Signature(shape, inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    [context.upstream.reshaped(to: context.inputs[0].shape)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray { inputs[0].reshaped(to: shape) }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      Movement(from: delinearized(linearized(point, in: self.shape), in: inputs[0]))
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("split-and-merge", inputs: [.init([6, 35])], tolerance: .exact) {
        $0[0].reshaped(to: [10, 21])
      },
      Sample("one-to-scalar", inputs: [.init([1, 1])], tolerance: .exact) { $0[0].reshaped(to: Shape([])) },
      Sample("of-transposed", inputs: [.init([12, 10])], tolerance: .exact) {
        $0[0].transposed().reshaped(to: [8, 15])
      },
    ]
  }
}

/// The row-major position of `point` in an array of `shape`.
func linearized(_ point: [IndexExpression], in shape: Shape) -> IndexExpression {
  zip(point, shape.strides).reduce(IndexExpression(0)) { $0 + $1.0 * $1.1 }
}

/// The coordinates of row-major position `index` in an array of `shape`.
func delinearized(_ index: IndexExpression, in shape: Shape) -> [IndexExpression] {
  zip(shape.extents, shape.strides).map { extent, stride in
    // A stride of 0 means that there are no elements, so that no position matters.
    extent <= 1 || stride == 0 ? IndexExpression(0) : index.divided(by: stride).remainder(by: extent)
  }
}
