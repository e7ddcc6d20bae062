import HeklaArrays

/// The order of elements reversed along some axes.
struct Flip: Primitive {
  let axes: [Int]

  var name: String { "flip" }
  var attributes: String { "\(axes)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature { inputs[0] }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] { [context.upstream.flipped(along: axes)] }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    referenceMovement(inputs, signature) { point in
      point.indices.map { axes.contains($0) ? signature.shape.extents[$0] - 1 - point[$0] : point[$0] }
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      Movement(
        from: point.indices.map { axis in
          self.axes.contains(axis) ? point[axis] * -1 + (inputs[0].extents[axis] - 1) : point[axis]
        })
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("both-axes", inputs: [.init([13, 29])], tolerance: .exact) { $0[0].flipped(along: [0, 1]) },
      Sample(
        "halves", inputs: [.init([7, 1, 3], .float16)], tolerance: .exact, isDifferentiable: false
      ) { $0[0].flipped(along: [1, 2]) },
    ]
  }
}
