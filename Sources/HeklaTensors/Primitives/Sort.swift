import HeklaArrays
import HeklaDevices

/// Each row of `[rows, extent]` sorted, stably, cut after `kept` elements; secondly their positions, `int32`.
///
/// NaN comes last in both directions, and -0 counts as 0.
struct Sort: Primitive {
  let descending: Bool
  let kept: Int

  var name: String { "sort" }
  var attributes: String { "\(descending ? "descending" : "ascending"), first \(kept)" }

  /// The types that have an order on every kind of device, and those that have one on the host.
  static let kinds: [ElementType] = [.float32, .int32, .uint32, .float64, .int64]

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs[0].shape.rank == 2 && Self.kinds.contains(inputs[0].elementType) && kept <= inputs[0].shape[1],
      "sort: the first \(kept) of each row of \(inputs[0]); it takes rows of \(Self.kinds), convert others")
    return Signature([inputs[0].shape[0], kept], inputs[0].elementType)
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] {
    [Signature([inputs[0].shape[0], kept], .int32)]
  }

  // MARK: Gradient

  func gradient(_ context: GradientContext) -> [Tensor?] {
    let positions = SecondaryOutput.outputs(of: context.output.node)[0]
    return [context.upstream.scattered(to: context.inputs[0].shape, along: 1, at: positions)]
  }

  // MARK: Reference

  private func order(_ input: HostArray) -> [[Int]] {
    let (values, extent) = (input.doubles(), input.shape[1])
    return (0..<input.shape[0]).map { row in
      let ranked = (0..<extent).sorted { first, second in
        let (x, y) = (values[row * extent + first], values[row * extent + second])
        if x.isNaN || y.isNaN { return x.isNaN == y.isNaN ? first < second : y.isNaN }
        return x == y ? first < second : (x < y) != descending
      }
      return Array(ranked.prefix(kept))
    }
  }

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (values, extent) = (inputs[0].doubles(), inputs[0].shape[1])
    let sorted = order(inputs[0]).enumerated().flatMap { row, order in order.map { values[row * extent + $0] }
    }
    return HostArray(converting: sorted, shape: signature.shape, to: signature.elementType)
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    [HostArray(order(inputs[0]).flatMap { $0.map(Int32.init) }, shape: signatures[0].shape)]
  }

  func tolerance(of inputs: [Signature]) -> Sample.Tolerance? { .exact }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  private var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, _, _ in
        let kind = Self.kinds.firstIndex(of: inputs[0].elementType) ?? 0
        let parameters = [kind, inputs[0].shape[0], inputs[0].shape[1], kept, descending ? 1 : 0]
        return KernelProgram([
          KernelCall(
            .host("sort_rows", parameters), bindings: [.input(0), .output, .secondary(0)], writing: 2)
        ])
      },
      KernelVariant(
        "rows",
        applies: { device, inputs, _ in
          device.runs(.float32, localSize: 128) && Self.isWord(inputs[0]) && inputs[0].shape[1] <= 1_024
        }, program: rows),
      KernelVariant(
        "radix",
        applies: { device, inputs, _ in device.runs(.float32, localSize: 256) && Self.isWord(inputs[0]) },
        program: radix),
    ]
  }

  private static func isWord(_ input: Signature) -> Bool { kinds.prefix(3).contains(input.elementType) }

  private func keyConstants(_ input: Signature) -> [UInt32: UInt32] {
    [10: UInt32(Self.kinds.firstIndex(of: input.elementType) ?? 0), 11: descending ? 1 : 0]
  }

  private func rows(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let (rows, extent) = (inputs[0].shape[0], inputs[0].shape[1])
    var capacity = 32
    while capacity < extent { capacity *= 2 }
    let constants: [UInt32: UInt32] = [0: UInt32(min(128, capacity / 2)), 1: UInt32(capacity)]
    return KernelProgram([
      KernelCall(
        .shader("sort_rows", constants: constants.merging(keyConstants(inputs[0])) { $1 }),
        bindings: [.input(0), .output, .secondary(0)], writing: 2, groupCount: GroupCount(folding: rows),
        pushConstants: [rows, extent, kept].map(UInt32.init))
    ])
  }

  /// All rows at once: by value, then by row, which keeps each row's order by value.
  private func radix(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let (rows, extent) = (inputs[0].shape[0], inputs[0].shape[1])
    let count = rows * extent
    var program = KernelProgram([])
    let keys = program.temporary(4 * count)
    func makeKeys(_ source: KernelCall.Operand, ofRows: Bool) -> KernelCall {
      let constants: [UInt32: UInt32] = [0: 256, 1: ofRows ? 1 : 0]
      return KernelCall(
        .shader("sort_keys", constants: constants.merging(keyConstants(inputs[0])) { $1 }),
        bindings: [source, keys],
        groupCount: GroupCount(folding: count.groups(of: 256)),
        pushConstants: [UInt32(count), UInt32(extent)])
    }
    program.calls.append(makeKeys(.input(0), ofRows: false))
    var order = program.sortPairs(count: count, bitCount: 32, keys: keys).payloads
    if rows > 1 {
      program.calls.append(makeKeys(order, ofRows: true))
      let bitCount = Int.bitWidth - (rows - 1).leadingZeroBitCount
      order = program.sortPairs(count: count, bitCount: bitCount, keys: keys, payloads: order).payloads
    }
    program.calls.append(
      KernelCall(
        .shader("sort_take", constants: [0: 256]), bindings: [.input(0), order, .output, .secondary(0)],
        writing: 2,
        groupCount: GroupCount(folding: (rows * kept).groups(of: 256)),
        pushConstants: [rows, extent, kept].map(UInt32.init)))
    return program
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("rows", inputs: [.init([7, 33])], tolerance: .exact) { $0[0].sorted(along: 1) },
      Sample("one", inputs: [.init([3, 1])], tolerance: .exact) { $0[0].sorted(along: 1) },
      Sample("edge-31", inputs: [.init([5, 31])], tolerance: .exact) { $0[0].sorted(along: 1) },
      Sample(
        "full-rows-descending", inputs: [.init([2, 1_024])], tolerance: .exact, isDifferentiable: false
      ) { $0[0].sorted(along: 1, descending: true) },
      Sample(
        "uint32-257", inputs: [.init([1, 257], .uint32, in: 0...99)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].argumentSorted(along: 1, descending: true) },
      Sample("double", inputs: [.init([3, 17], .float64)], tolerance: .exact) { $0[0].sorted(along: 1) },
      Sample("columns-descending", inputs: [.init([65, 3])], tolerance: .exact) {
        $0[0].sorted(along: 0, descending: true)
      },
      Sample("largest", inputs: [.init([5, 300])], tolerance: .exact) { $0[0].topK(4, along: 1).values },
      // Among so many elements a finite difference would exchange neighbors.
      Sample("long-rows", inputs: [.init([3, 1_025])], tolerance: .exact, isDifferentiable: false) {
        $0[0].sorted(along: 1)
      },
      Sample(
        "many-equal", inputs: [.init([4, 128], .int32, in: -3...3)], tolerance: .exact,
        isDifferentiable: false
      ) { $0[0].argumentSorted(along: 1) },
    ]
  }
}
