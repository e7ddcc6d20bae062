import HeklaArrays

/// Repetition along new outer axes and along axes of extent 1.
struct Broadcast: Primitive {
  let shape: Shape

  var name: String { "broadcast" }
  var attributes: String { "\(shape)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs[0].shape.broadcast(with: shape) == shape,
      "broadcast: \(inputs[0].shape) does not broadcast to \(shape)")
    return Signature(shape, inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let input = context.inputs[0].shape
    let added = shape.rank - input.rank
    let repeated = shape.extents.indices.filter { axis in
      axis < added || (input.extents[axis - added] == 1 && shape.extents[axis] != 1)
    }
    return [context.upstream.sum(along: repeated, keepingAxes: true).reshaped(to: input)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let extents = inputs[0].shape.extents
    let added = signature.shape.rank - extents.count
    return referenceMovement(inputs, signature) { point in
      extents.enumerated().map { axis, extent in extent == 1 ? 0 : point[axis + added] }
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      let added = self.shape.rank - inputs[0].rank
      return Movement(
        from: inputs[0].extents.enumerated().map { axis, extent in
          extent == 1 ? IndexExpression(0) : point[axis + added]
        })
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("rows", inputs: [.init([31])], tolerance: .exact) { $0[0].broadcast(to: [17, 31]) },
      Sample("scalar", inputs: [.init([], .int32, in: -99...99)], tolerance: .exact, isDifferentiable: false)
      {
        $0[0].broadcast(to: [1, 7, 1, 3])
      },
      Sample("column-of-transposed", inputs: [.init([1, 13])], tolerance: .exact) {
        $0[0].transposed().broadcast(to: [13, 5])
      },
      Sample("middle", inputs: [.init([3, 1, 5])], tolerance: .exact) { $0[0].broadcast(to: [2, 3, 9, 5]) },
    ]
  }
}
