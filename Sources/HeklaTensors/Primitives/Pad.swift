import HeklaArrays

/// A border of a constant around the input.
struct Pad: Primitive {
  let before: [Int]
  let after: [Int]
  let fill: Double

  var name: String { "pad" }
  var attributes: String { "\(before) \(after) \(fill)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let input = inputs[0].shape
    require(
      before.count == input.rank && after.count == input.rank && (before + after).allSatisfy { $0 >= 0 },
      "pad: borders \(before) before and \(after) after do not fit shape \(input)")
    return Signature(
      Shape(input.extents.indices.map { before[$0] + input.extents[$0] + after[$0] }), inputs[0].elementType)
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    [context.upstream.sliced(starts: before, extents: context.inputs[0].shape.extents)]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let extents = inputs[0].shape.extents
    return referenceMovement(inputs, signature, fill: fill) { point in
      let source = point.indices.map { point[$0] - before[$0] }
      return source.indices.allSatisfy { (0..<extents[$0]).contains(source[$0]) } ? source : nil
    }
  }

  // MARK: Lowering

  var lowering: Lowering {
    .movement { point, inputs in
      let source = point.indices.map { point[$0] + -self.before[$0] }
      let conditions = source.indices.map { Movement.Condition(source[$0], in: 0..<inputs[0].extents[$0]) }
      return Movement([.init(point: source, where: conditions)], fill: self.fill)
    }
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("zeros", inputs: [.init([9, 14])], tolerance: .exact) {
        $0[0].padded(before: [1, 2], after: [3, 0])
      },
      Sample(
        "bytes", inputs: [.init([1, 3], .uint8, in: 0...255)], tolerance: .exact, isDifferentiable: false
      ) { $0[0].padded(before: [0, 1], after: [2, 3], with: 7) },
      Sample("ones-around-exp", inputs: [.init([9, 14])], tolerance: .ulps(24)) {
        $0[0].exp().padded(before: [0, 2], after: [1, 1], with: 1)
      },
    ]
  }
}
