import HeklaArrays
import HeklaDevices

/// Each element of `[outer, extent, inner]` folded with all before it along the middle axis.
struct Scan: Primitive {
  /// Sum, product, maximum or minimum.
  let fold: Loop.Fold
  /// Whether the fold runs from the last element to the first.
  let isReversed: Bool

  var name: String { "scan" }
  var attributes: String { isReversed ? "\(fold), reversed" : "\(fold)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs[0].shape.rank == 3 && Sort.kinds.contains(inputs[0].elementType),
      "\(name): \(inputs[0]); it takes \(Sort.kinds), convert others")
    return inputs[0]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let (x, upstream) = (context.inputs[0], context.upstream)
    let extent = x.shape[1]
    switch fold {
    case .sum: return [upstream.scan(.sum, isReversed: !isReversed)]
    case .product:
      // dy[j] / dx[i] is the product of the others: what lies before i times what lies between i and j. The
      // second, weighted and summed over j, is a linear recurrence; nothing is divided, so zeros do no harm.
      let before = context.output.shifted(by: isReversed ? -1 : 1, along: 1, filling: 1)
      let next = x.shifted(by: isReversed ? 1 : -1, along: 1, filling: 0)
      return [before * upstream.recurrence(factors: next, isReversed: !isReversed)]
    default:
      // Each result goes back to the first element that attained it.
      let y = context.output.shifted(
        by: isReversed ? -1 : 1, along: 1, filling: fold == .maximum ? -.infinity : .infinity)
      let position = Tensor.coordinates(x.shape, along: 1)
      let isNew = fold == .maximum ? x .> y : x .< y
      let start = isReversed ? extent - 1 : 0
      let attained = Tensor.map(isNew, position) { isNew, position in
        .select(isNew, position, .constant(Double(start), .int32))
      }
      let sources = attained.scan(isReversed ? .minimum : .maximum, isReversed: isReversed)
      return [upstream.scattered(to: x.shape, along: 1, at: sources)]
    }
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    var values = inputs[0].doubles()
    let (outer, extent, inner) = (signature.shape[0], signature.shape[1], signature.shape[2])
    for column in 0..<outer * inner {
      let start = column / inner * extent * inner + column % inner
      for i in 1..<max(extent, 1) {
        let (here, before) = isReversed ? (extent - 1 - i, extent - i) : (i, i - 1)
        let (x, y) = (values[start + before * inner], values[start + here * inner])
        values[start + here * inner] =
          switch fold {
          case .sum: x + y
          case .product: x * y
          case .maximum: x.isNaN || y.isNaN ? .nan : max(x, y)
          default: x.isNaN || y.isNaN ? .nan : min(x, y)
          }
      }
    }
    return HostArray(converting: values, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  func operationCount(of inputs: [Signature]) -> Double? {
    inputs[0].elementType.isFloating ? Double(inputs[0].shape.count) : nil
  }

  // MARK: Lowering

  /// The constant that `accumulate.glsl` and the host know the fold by.
  private var foldNumber: Int { [Loop.Fold.sum, .product, .maximum, .minimum].firstIndex(of: fold) ?? 0 }

  var lowering: Lowering {
    .kernels([
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { _, output, _ in
        let kind = Sort.kinds.firstIndex(of: output.elementType) ?? 0
        let parameters = [kind, foldNumber, isReversed ? 1 : 0] + output.shape.extents
        return KernelProgram([KernelCall(.host("scan", parameters), bindings: [.input(0), .output])])
      },
      KernelVariant(
        "rows",
        applies: { device, _, output in
          Self.runs(output, on: device, localSize: 128) && output.shape[2] == 1
        }, suits: { _, _, output in output.shape[1] > 32 }, program: rows),
      KernelVariant(
        "columns",
        applies: { device, _, output in Self.runs(output, on: device, localSize: 64) }
      ) { _, output, device in
        KernelProgram(
          .scanColumns(
            [.input(0), .output], of: output, constants: constants(64),
            defines: output.elementType.scalarDefines,
            on: device))
      },
    ])
  }

  private static func runs(_ output: Signature, on device: Capabilities, localSize: Int) -> Bool {
    let isWhole = [.int32, .uint32].contains(output.elementType)
    return device.runs(isWhole ? .float32 : output.elementType, localSize: localSize)
  }

  private func constants(_ localSize: UInt32) -> [UInt32: UInt32] {
    [0: localSize, 1: isReversed ? 1 : 0, 10: UInt32(foldNumber)]
  }

  /// Rows cut in chunks: each chunk's total, the totals scanned, each chunk scanned from where the last ended.
  private func rows(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let (rows, extent, localSize, items) = (output.shape[0], output.shape[1], 128, 8)
    let chunks = extent.groups(of: localSize * items)
    var program = KernelProgram([])
    let byteCount = output.elementType.byteCount * rows * chunks
    let (totals, running) = (program.temporary(byteCount), program.temporary(byteCount))
    let geometry = constants(UInt32(localSize)).merging([2: UInt32(items)]) { $1 }
    let push = [rows, extent, chunks].map(UInt32.init)
    let defines = output.elementType.scalarDefines
    if chunks > 1 {
      program.calls.append(
        KernelCall(
          .shader("scan_rows", constants: geometry, defines: defines), bindings: [.input(0), totals],
          groupCount: GroupCount(folding: rows * chunks), pushConstants: push))
      // The totals lie in the order of the scan already.
      program.calls += .scanColumns(
        [totals, running], of: Signature([rows, chunks, 1], output.elementType),
        constants: [0: 64, 1: 0, 10: UInt32(foldNumber)], defines: defines, on: device)
    }
    program.calls.append(
      KernelCall(
        .shader("scan_rows", constants: geometry, defines: defines.merging(["CARRY": "1"]) { $1 }),
        bindings: [.input(0), chunks > 1 ? running : .input(0), .output],
        groupCount: GroupCount(folding: rows * chunks), pushConstants: push))
    return program
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample(
        "sum-rows", inputs: [.init([5, 1_037])], tolerance: .sum(of: 1_037), flops: 5 * 1_037,
        isDifferentiable: false
      ) {
        $0[0].cumulativeSum(along: 1)
      },
      Sample("sum-of-one", inputs: [.init([1, 1])], tolerance: .exact, flops: 1) {
        $0[0].cumulativeSum(along: 1)
      },
      Sample(
        "sum-chunk", inputs: [.init([2, 1_024])], tolerance: .sum(of: 1_024), flops: 2 * 1_024,
        isDifferentiable: false
      ) {
        $0[0].cumulativeSum(along: 1)
      },
      Sample(
        "sum-chunk-reversed", inputs: [.init([1, 1_025])], tolerance: .sum(of: 1_025), flops: 1_025,
        isDifferentiable: false
      ) { $0[0].cumulativeSum(along: 1, isReversed: true) },
      Sample(
        "sum-int32", inputs: [.init([65, 9, 1], .int32, in: -99...99)], tolerance: .exact, flops: 65 * 9,
        isDifferentiable: false
      ) { $0[0].cumulativeSum(along: 1) },
      Sample(
        "maximum-uint32", inputs: [.init([3, 31], .uint32, in: 0...99)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].cumulativeMaximum(along: 1) },
      Sample("sum-double", inputs: [.init([7, 5], .float64)], tolerance: .sum(of: 14), flops: 35) {
        $0[0].cumulativeSum(along: 0)
      },
      Sample("sum-columns-reversed", inputs: [.init([2, 65, 3])], tolerance: .sum(of: 65), flops: 390) {
        $0[0].cumulativeSum(along: 1, isReversed: true)
      },
      Sample("sum-exclusive", inputs: [.init([3, 40])], tolerance: .sum(of: 40), flops: 120) {
        $0[0].cumulativeSum(along: 1, isExclusive: true)
      },
      Sample("product", inputs: [.init([4, 33], in: 0.5...1.5)], tolerance: .ulps(66), flops: 132) {
        $0[0].cumulativeProduct(along: 1)
      },
      Sample("maximum", inputs: [.init([3, 130])], tolerance: .exact) { $0[0].cumulativeMaximum(along: 1) },
      Sample("minimum-reversed", inputs: [.init([19, 4])], tolerance: .exact) {
        $0[0].cumulativeMinimum(along: 0, isReversed: true)
      },
    ]
  }
}

extension [KernelCall] {
  /// Running folds, or a recurrence, along the middle axis of `[outer, extent, inner]`, a column per invocation.
  static func scanColumns(
    _ bindings: [KernelCall.Operand], of output: Signature, constants: [UInt32: UInt32],
    defines: [String: String], on device: Capabilities
  ) -> [KernelCall] {
    let (extent, inner) = (output.shape[1], output.shape[2])
    let columns = output.shape[0] * inner
    return KernelProgram.windows(of: extent, on: device).map { window in
      KernelCall(
        .shader("scan_columns", constants: constants, defines: defines), bindings: bindings,
        groupCount: GroupCount(folding: columns.groups(of: 64)),
        pushConstants: [columns, extent, inner, window.first, window.count].map(UInt32.init))
    }
  }
}
