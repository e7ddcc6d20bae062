import HeklaArrays

/// Every `step`-th element from `start` on, along each axis.
struct Slice: Primitive {
  let starts: [Int]
  let extents: [Int]
  let steps: [Int]

  var name: String { "slice" }
  var attributes: String { "\(starts) \(extents) \(steps)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let input = inputs[0].shape
    require(
      starts.count == input.rank && extents.count == input.rank && steps.count == input.rank,
      "slice: \(starts.count) ranges for shape \(input)")
    for axis in 0..<input.rank {
      let last = starts[axis] + (extents[axis] - 1) * steps[axis]
      // Of nothing, the place still has to lie within the input or at its end.
      let end = extents[axis] == 0 ? starts[axis] : last + 1
      require(
        steps[axis] > 0 && starts[axis] >= 0 && extents[axis] >= 0 && end <= input.extents[axis],
        "slice: elements \(starts[axis])...\(last) along axis \(axis) of shape \(input)")
    }
    return Signature(Shape(extents), inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let input = context.inputs[0].shape
    var result = context.upstream
    // Spread strided elements: [n] -> [n, 1] -> padded [n, step] -> [n * step], cut to the covered length.
    for axis in 0..<input.rank where steps[axis] > 1 && extents[axis] > 0 {
      let shape = result.shape.extents
      var split = shape
      split.insert(1, at: axis + 1)
      var after = [Int](repeating: 0, count: split.count)
      after[axis + 1] = steps[axis] - 1
      var merged = shape
      merged[axis] *= steps[axis]
      result = result.reshaped(to: Shape(split)).padded(after: after).reshaped(to: Shape(merged))
      var covered = merged
      covered[axis] -= steps[axis] - 1
      result = result.sliced(starts: covered.map { _ in 0 }, extents: covered)
    }
    let after = input.extents.indices.map { input.extents[$0] - starts[$0] - result.shape.extents[$0] }
    return [result.padded(before: starts, after: after)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    referenceMovement(inputs, signature) { point in
      point.indices.map { starts[$0] + point[$0] * steps[$0] }
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, _ in
      Movement(from: point.indices.map { point[$0] * self.steps[$0] + self.starts[$0] })
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("window", inputs: [.init([19, 33])], tolerance: .exact) {
        $0[0].sliced(starts: [3, 5], extents: [11, 20])
      },
      Sample("last-one", inputs: [.init([7, 13])], tolerance: .exact) {
        $0[0].sliced(starts: [6, 12], extents: [1, 1])
      },
      Sample(
        "strided-bytes", inputs: [.init([11, 7], .uint8, in: 0...255)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].sliced(starts: [0, 1], extents: [4, 3], steps: [3, 2]) },
      Sample("strided", inputs: [.init([20, 31])], tolerance: .exact) {
        $0[0].sliced(starts: [1, 2], extents: [6, 10], steps: [3, 3])
      },
    ]
  }
}
