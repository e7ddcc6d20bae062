import HeklaArrays

/// Axes in another order: axis `i` of the result is axis `order[i]` of the input.
struct Permute: Primitive {
  let order: [Int]

  var name: String { "permute" }
  var attributes: String { "\(order)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      order.sorted() == Array(0..<inputs[0].shape.rank),
      "permute: \(order) is no order of the axes of \(inputs[0].shape)")
    return Signature(Shape(order.map { inputs[0].shape.extents[$0] }), inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    [context.upstream.permuted(order.indices.map { axis in order.firstIndex(of: axis) ?? axis })]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    referenceMovement(inputs, signature) { point in
      var source = point
      for (axis, original) in order.enumerated() { source[original] = point[axis] }
      return source
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, _ in
      var source = point
      for (axis, original) in self.order.enumerated() { source[original] = point[axis] }
      return Movement(from: source)
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("transpose", inputs: [.init([129, 65])], tolerance: .exact) { $0[0].transposed() },
      Sample(
        "bytes", inputs: [.init([7, 1, 3], .uint8, in: 0...255)], tolerance: .exact, isDifferentiable: false
      ) { $0[0].permuted([2, 1, 0]) },
      Sample("rank-4", inputs: [.init([3, 5, 7, 4])], tolerance: .exact) { $0[0].permuted([2, 0, 3, 1]) },
    ]
  }
}

extension Node {
  /// The order of the input's axes in the result, where that is all that the operation does.
  package var permutation: [Int]? { (primitive as? Permute)?.order }
}

/// The reference of a movement: the element at `source(point)` of the only input, for each point; nil gives `fill`.
func referenceMovement(
  _ inputs: [HostArray], _ signature: Signature, fill: Double = 0, source: ([Int]) -> [Int]?
) -> HostArray {
  let values = inputs[0].doubles()
  let strides = inputs[0].shape.strides
  let moved = (0..<signature.shape.count).map { index -> Double in
    guard let point = source(signature.shape.coordinates(ofIndex: index)) else { return fill }
    return values[zip(point, strides).reduce(0) { $0 + $1.0 * $1.1 }]
  }
  return HostArray(converting: moved, shape: signature.shape, to: signature.elementType)
}
