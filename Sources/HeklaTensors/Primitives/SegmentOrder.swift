import HeklaArrays
import HeklaDevices

/// Terms sorted by the row they belong to: their order, and secondly the offsets `[rows + 1]` of the rows in it.
///
/// The order is stable, so whatever is folded along it is folded in the order of the terms.
struct SegmentOrder: Primitive {
  let rows: Int

  var name: String { "segment-order" }
  var attributes: String { "\(rows)" }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    require(
      inputs[0].shape.rank == 1 && inputs[0].elementType == .int32,
      "segment-order: indices \(inputs[0]); they must be int32 of rank 1")
    return inputs[0]
  }

  func secondarySignatures(of inputs: [Signature]) -> [Signature] { [Signature([rows + 1], .int32)] }

  func indexOperands(of inputs: [Signature]) -> [IndexOperand] { [IndexOperand(input: 0, below: rows)] }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let indices = inputs[0].elements(as: Int32.self)
    return HostArray(indices.indices.sorted { (indices[$0], $0) < (indices[$1], $1) }.map(Int32.init))
  }

  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    let indices = inputs[0].elements(as: Int32.self)
    return [HostArray((0...rows).map { row in Int32(indices.filter { $0 < row }.count) })]
  }

  // MARK: Lowering

  var lowering: Lowering {
    .kernels([
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, _, _ in
        KernelProgram([
          KernelCall(
            .host("segment_order", [inputs[0].shape[0], rows]),
            bindings: [.input(0), .output, .secondary(0)],
            writing: 2)
        ])
      },
      KernelVariant("radix", applies: { device, _, _ in device.runs(.float32, localSize: 256) }) {
        inputs, _, _ in
        let count = inputs[0].shape[0]
        var program = KernelProgram([])
        let order = program.sortSegments(count: count, rows: rows, indices: .input(0), offsets: .secondary(0))
        program.calls.append(
          KernelCall(
            .shader("copy_words", constants: [0: 256]), bindings: [order, .output],
            groupCount: GroupCount(folding: count.groups(of: 256)), pushConstants: [UInt32(count)]))
        return program
      },
    ])
  }

  // MARK: Samples

  static var samples: [Sample] {
    [
      Sample("order", inputs: [.init([300], .int32, in: 0...20)], tolerance: .exact, isDifferentiable: false)
      {
        Segments(at: $0[0], count: 23).order
      },
      Sample("one", inputs: [.init([1], .int32, in: 0...0)], tolerance: .exact, isDifferentiable: false) {
        Segments(at: $0[0], count: 1).order
      },
      Sample(
        "edge-257", inputs: [.init([257], .int32, in: 0...600)], tolerance: .exact, isDifferentiable: false
      ) {
        Segments(at: $0[0], count: 601).order
      },
      Sample("counts", inputs: [.init([300], .int32, in: 0...20)], tolerance: .exact, isDifferentiable: false)
      {
        .counts(of: $0[0], below: 23)
      },
    ]
  }
}
