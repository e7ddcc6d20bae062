import HeklaArrays

/// The inputs one after the other along an axis.
struct Concatenate: Primitive {
  let axis: Int

  var name: String { "concatenate" }
  var attributes: String { "\(axis)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    var extents = inputs[0].shape.extents
    require(
      extents.indices.contains(axis), "concatenate: axis \(axis) is out of range for shape \(inputs[0].shape)"
    )
    for input in inputs.dropFirst() {
      var others = input.shape.extents
      require(
        others.count == extents.count && input.elementType == inputs[0].elementType,
        "concatenate: \(input) does not go with \(inputs[0])")
      extents[axis] += others[axis]
      others[axis] = extents[axis]
      require(others == extents, "concatenate: \(input) differs from \(inputs[0]) off axis \(axis)")
    }
    return Signature(Shape(extents), inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    var start = 0
    return context.inputs.map { input in
      var starts = [Int](repeating: 0, count: input.shape.rank)
      starts[axis] = start
      start += input.shape.extents[axis]
      return context.upstream.sliced(starts: starts, extents: input.shape.extents)
    }
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let values = inputs.map { $0.doubles() }
    let joined = (0..<signature.shape.count).map { index -> Double in
      var point = signature.shape.coordinates(ofIndex: index)
      var input = 0
      while point[axis] >= inputs[input].shape.extents[axis] {
        point[axis] -= inputs[input].shape.extents[axis]
        input += 1
      }
      return values[input][zip(point, inputs[input].shape.strides).reduce(0) { $0 + $1.0 * $1.1 }]
    }
    return HostArray(converting: joined, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      var start = 0
      return Movement(
        inputs.enumerated().map { position, input in
          var source = point
          source[self.axis] = point[self.axis] + -start
          start += input.extents[self.axis]
          return Movement.Piece(
            input: position, point: source,
            where: [.init(source[self.axis], in: 0..<input.extents[self.axis])])
        })
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("three", inputs: [.init([4, 5]), .init([4, 1]), .init([4, 9])], tolerance: .exact) {
        .concatenating($0, along: 1)
      },
      Sample("ones", inputs: [.init([1]), .init([1])], tolerance: .exact) { .concatenating($0, along: 0) },
      Sample(
        "bytes", inputs: [.init([3, 5], .uint8, in: 0...255), .init([1, 5], .uint8, in: 0...255)],
        tolerance: .exact, isDifferentiable: false
      ) { .concatenating($0, along: 0) },
      Sample("strided-parts", inputs: [.init([7, 10]), .init([5, 7])], tolerance: .exact) {
        let (rows, columns) = ($0[0].shape[0], $0[0].shape[1])
        let part = $0[0].sliced(starts: [0, 1], extents: [rows, columns / 2], steps: [1, 2])
        return .concatenating([part, $0[1].transposed()], along: 1)
      },
    ]
  }
}
