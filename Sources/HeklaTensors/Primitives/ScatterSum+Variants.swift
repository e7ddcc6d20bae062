import HeklaArrays
import HeklaDevices

extension ScatterSum {
  /// On GPUs the indices are sorted and each row's terms summed in input order; few terms are scanned instead.
  var variants: [KernelVariant] {
    [
      KernelVariant(
        "host", applies: { device, _, output in device.interface == .host && output.elementType == .float32 }
      ) { inputs, output, _ in
        let body = KernelCall.Body.host(
          "scatter_sum", [inputs[0].shape[0], inputs[0].shape[1], output.shape[0]])
        return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
      },
      KernelVariant(
        "sorted",
        applies: { device, _, output in
          device.runs(output.elementType, localSize: 128) && output.elementType == .float32
        },
        suits: { _, inputs, _ in inputs[0].shape[0] > 64 }, program: sorted),
      KernelVariant(
        "scan",
        applies: { device, inputs, output in
          device.runs(output.elementType, localSize: 64) && output.elementType == .float32
            && inputs[0].shape[0] <= device.loopIterationLimit
        },
        program: scan),
    ]
  }

  private func scan(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let width = output.shape[1] % 4 == 0 ? output.shape[1] / 4 : output.shape[1]
    return KernelProgram([
      KernelCall(
        .shader(
          "scatter_sum_scan", constants: [0: 64], defines: output.shape[1] % 4 == 0 ? ["VECTORS": "1"] : [:]),
        bindings: [.input(0), .input(1), .output],
        groupCount: GroupCount(folding: (rows * width).groups(of: 64)),
        pushConstants: [rows, width, inputs[0].shape[0]].map(UInt32.init))
    ])
  }

  /// Sort, find where each row's segment starts, sum the segments.
  private func sorted(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let count = inputs[0].shape[0]
    var program = KernelProgram([])
    let offsets = program.temporary(4 * (rows + 1))
    let order = program.sortSegments(count: count, rows: rows, indices: .input(1), offsets: offsets)
    program.sumSegments(
      count: count, columns: output.shape[1], rows: rows, values: .input(0), order: order, offsets: offsets,
      on: device)
    return program
  }
}
