import HeklaArrays
import HeklaDevices

extension ScatterSum {
  /// On GPUs the indices are sorted and each row's terms summed in input order; few terms are scanned instead.
  var variants: [KernelVariant] {
    [
      KernelVariant(
        "host", applies: { device, _, output in device.interface == .host && output.elementType == .float32 }
      ) { inputs, output, _ in
        let body = KernelCall.Body.host("scatter_sum", [inputs[0].shape[0], inputs[0].shape[1], output.shape[0]])
        return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
      },
      KernelVariant(
        "sorted", applies: { device, _, output in device.runs(output.elementType, localSize: 128) && output.elementType == .float32 },
        suits: { _, inputs, _ in inputs[0].shape[0] > 64 }, program: sorted),
      KernelVariant(
        "scan", applies: { device, _, output in device.runs(output.elementType, localSize: 64) && output.elementType == .float32 },
        program: scan),
    ]
  }

  private func scan(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let width = output.shape[1] % 4 == 0 ? output.shape[1] / 4 : output.shape[1]
    return KernelProgram([
      KernelCall(
        .shader("scatter_sum_scan", constants: [0: 64], defines: output.shape[1] % 4 == 0 ? ["VECTORS": "1"] : [:]),
        bindings: [.input(0), .input(1), .output],
        groupCount: GroupCount(folding: (rows * width).groups(of: 64)),
        pushConstants: [rows, width, inputs[0].shape[0]].map(UInt32.init))
    ])
  }

  /// Sort, find where each row's segment starts, sum the segments.
  private func sorted(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let count = inputs[0].shape[0]
    let (localSize, bits, items) = (128, 4, 8)
    let tiles = count.groups(of: localSize * items)
    let keyBits = Int.bitWidth - rows.leadingZeroBitCount
    let passes = max(keyBits.groups(of: bits), 1)
    // Temporaries: 0 counts, 1 and 2 keys in turn, 3 and 4 payloads in turn, 5 offsets.
    let pairs = 4 * count
    var program = KernelProgram(
      [], temporaries: [4 * ((tiles << bits) + (1 << bits)), pairs, pairs, pairs, pairs, 4 * (rows + 1)])
    var (keys, order): (KernelCall.Operand, KernelCall.Operand) = (.input(1), .input(1))
    for pass in 0..<passes {
      let push = [UInt32(count), UInt32(pass * bits), UInt32(rows), UInt32(tiles)]
      let geometry: [UInt32: UInt32] = [0: UInt32(localSize), 1: UInt32(bits), 2: UInt32(items)]
      let target: (keys: KernelCall.Operand, order: KernelCall.Operand) = (.temporary(1 + pass % 2), .temporary(3 + pass % 2))
      program.calls += [
        KernelCall(
          .shader("radix_histogram", constants: geometry), bindings: [keys, .temporary(0)],
          groupCount: GroupCount(folding: tiles), pushConstants: push),
        KernelCall(
          .shader("radix_scan", constants: [0: UInt32(localSize)]), bindings: [.temporary(0)],
          groupCount: GroupCount(1 << bits), pushConstants: [UInt32(1 << bits), UInt32(tiles)]),
        KernelCall(
          .shader("radix_scatter", constants: geometry.merging([3: pass == 0 ? 1 : 0]) { $1 }),
          bindings: [keys, order, .temporary(0), target.keys, target.order], writing: 2,
          groupCount: GroupCount(folding: tiles), pushConstants: push),
      ]
      (keys, order) = target
    }
    program.calls.append(
      KernelCall(
        .shader("segment_offsets", constants: [0: 256]), bindings: [keys, .temporary(5)],
        groupCount: GroupCount(folding: (rows + 1).groups(of: 256)), pushConstants: [UInt32(count), UInt32(rows)]))
    let usesVectors = output.shape[1] % 4 == 0
    let width = usesVectors ? output.shape[1] / 4 : output.shape[1]
    let isLong = count / rows >= 256 && rows * width < 4096
    let groups = isLong ? rows * width.groups(of: 256 / 32) : (rows * width).groups(of: 64)
    program.calls.append(
      KernelCall(
        .shader(
          isLong ? "segment_sum_long" : "segment_sum", constants: [0: isLong ? 256 : 64, 1: 1],
          defines: usesVectors ? ["VECTORS": "1"] : [:]),
        bindings: [.input(0), order, .temporary(5), .output], groupCount: GroupCount(folding: groups),
        pushConstants: [rows, width, count].map(UInt32.init)))
    return program
  }
}
