import HeklaArrays
import HeklaDevices

/// The rows of `values`, shape `[terms, columns]`, folded by the segment they belong to: shape `[rows, columns]`.
///
/// Further inputs are a `Segments`: the segment of each term, the terms in order of segments, and the offsets.
struct SegmentReduction: Primitive {
  /// Sum, maximum or minimum.
  let fold: Loop.Fold
  /// What a segment without terms gives; 0 for sums.
  let fill: Double

  var name: String { "segment-reduction" }
  var attributes: String { fold == .sum ? "sum" : "\(fold), empty \(fill)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (values, offsets) = (inputs[0], inputs[3])
    let types: [ElementType] = fold == .sum ? [.float32, .float64] : [.float32, .float64, .int32]
    require(
      values.shape.rank == 2 && inputs[1] == Signature([values.shape[0]], .int32) && inputs[2] == inputs[1]
        && offsets.shape.rank == 1 && offsets.elementType == .int32 && types.contains(values.elementType),
      "\(name): values \(values) over segments of \(inputs[1].shape[0]) terms; values must be of \(types), one row a term"
    )
    return Signature([offsets.shape[0] - 1, values.shape[1]], values.elementType)
  }

  /// The order and the offsets: what the kernels read. Whoever made them from the terms' segments checked those.
  func indexOperands(of inputs: [Signature]) -> [IndexOperand] {
    let terms = inputs[0].shape[0]
    return [IndexOperand(input: 2, below: terms), IndexOperand(input: 3, below: terms + 1)]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let segments = Segments(
      indices: context.inputs[1], order: context.inputs[2], offsets: context.inputs[3],
      count: context.output.shape[0])
    let (values, upstream) = (context.inputs[0], context.upstream)
    guard fold != .sum else { return [upstream.gathered(at: segments), nil, nil, nil] }
    // Terms that attain the extremum share the gradient equally, as in `Reduction`.
    let attained = (values .== context.output.gathered(at: segments)).converted(to: values.elementType)
    let sharers = attained.segmentSum(segments).stoppingGradient().map { .maximum($0, 1) }
    return [attained.stoppingGradient() * (upstream / sharers).gathered(at: segments), nil, nil, nil]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (values, order, offsets) = (
      inputs[0].doubles(), inputs[2].elements(as: Int32.self), inputs[3].elements(as: Int32.self)
    )
    let columns = signature.shape[1]
    let results = (0..<signature.shape.count).map { index -> Double in
      let (row, column) = (index / columns, index % columns)
      let terms = (offsets[row]..<offsets[row + 1]).map { values[Int(order[Int($0)]) * columns + column] }
      if fold == .sum { return terms.reduce(0, +) }
      if terms.contains(where: \.isNaN) { return .nan }
      return (fold == .maximum ? terms.max() : terms.min()) ?? fill
    }
    return HostArray(converting: results, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    inputs[0].elementType.isFloating ? Double(inputs[0].shape.count) : nil
  }

  // MARK: Lowering

  var lowering: Lowering {
    .kernels([
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, output, _ in
        let parameters = [
          Sort.kinds.firstIndex(of: output.elementType) ?? 0, fold == .sum ? 0 : fold == .maximum ? 2 : 3,
          inputs[0].shape[0], output.shape[1], output.shape[0], Int(bitPattern: UInt(fill.bitPattern)),
        ]
        return KernelProgram([
          KernelCall(
            .host("segment_fold", parameters), bindings: [.input(0), .input(2), .input(3), .output])
        ])
      },
      KernelVariant(
        "ordered",
        applies: { device, _, output in
          device.runs(.float32, localSize: 64) && output.elementType != .float64
            && (fold != .sum || device.runs(.float32, localSize: 256))
        }
      ) { inputs, output, device in
        let (terms, columns, rows) = (inputs[0].shape[0], output.shape[1], output.shape[0])
        var program = KernelProgram([])
        if fold == .sum {
          program.sumSegments(
            count: terms, columns: columns, rows: rows, values: .input(0), order: .input(2),
            offsets: .input(3), on: device)
          return program
        }
        let isWhole = output.elementType == .int32
        let fillBits =
          isWhole
          ? UInt32(bitPattern: Int32(max(min(fill, 2_147_483_647), -2_147_483_648))) : Float(fill).bitPattern
        program.calls = KernelProgram.windows(of: terms, on: device).map { window in
          KernelCall(
            .shader(
              "segment_extremum", constants: [0: 64, 1: fillBits, 10: fold == .maximum ? 2 : 3],
              defines: output.elementType.scalarDefines),
            bindings: [.input(0), .input(2), .input(3), .output],
            groupCount: GroupCount(folding: output.shape.count.groups(of: 64)),
            pushConstants: [rows, columns, terms, window.first, window.count].map(UInt32.init))
        }
        return program
      },
    ])
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample(
        "sum", inputs: [.init([200, 5]), .init([200], .int32, in: 0...9)], tolerance: .sum(of: 200),
        flops: 1_000
      ) { $0[0].segmentSum(Segments(at: $0[1], count: 12)) },
      Sample("one", inputs: [.init([1]), .init([1], .int32, in: 0...0)], tolerance: .exact) {
        $0[0].segmentSum(Segments(at: $0[1], count: 1))
      },
      Sample(
        "sum-vectors", inputs: [.init([65, 8]), .init([65], .int32, in: 0...4)], tolerance: .sum(of: 65),
        flops: 65 * 8
      ) { $0[0].segmentSum(Segments(at: $0[1], count: 5)) },
      Sample(
        "sum-long", inputs: [.init([1_025, 1]), .init([1_025], .int32, in: 0...1)],
        tolerance: .sum(of: 1_025),
        flops: 1_025, isDifferentiable: false
      ) { $0[0].segmentSum(Segments(at: $0[1], count: 2)) },
      Sample(
        "maximum-int32", inputs: [.init([65, 3], .int32, in: -9...9), .init([65], .int32, in: 0...9)],
        tolerance: .exact, isDifferentiable: false
      ) { $0[0].segmentMaximum(Segments(at: $0[1], count: 13), empty: -100) },
      Sample("maximum", inputs: [.init([200, 4]), .init([200], .int32, in: 0...9)], tolerance: .exact) {
        $0[0].segmentMaximum(Segments(at: $0[1], count: 10), empty: -1)
      },
      Sample("minimum", inputs: [.init([65]), .init([65], .int32, in: 3...9)], tolerance: .exact) {
        $0[0].segmentMinimum(Segments(at: $0[1], count: 11), empty: 7)
      },
      Sample(
        "softmax", inputs: [.init([90, 2]), .init([90], .int32, in: 0...7)], tolerance: .ulps(64), flops: 720
      ) { $0[0].segmentSoftmax(Segments(at: $0[1], count: 8)) },
    ]
  }
}
