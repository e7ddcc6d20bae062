import HeklaArrays
import HeklaDevices

extension Gather {
  /// Rows moved as the widest words that divide them.
  var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, output, _ in
        let body = KernelCall.Body.host(
          "gather_rows",
          [inputs[0].shape[0], inputs[0].shape[1], output.shape[0], output.elementType.byteCount])
        return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
      },
      KernelVariant("rows", applies: { device, _, _ in device.runs(.float32, localSize: 128) }) {
        inputs, output, device in
        let rowByteCount = output.shape[1] * output.elementType.byteCount
        let isWords = rowByteCount % 4 == 0
        let words: (type: String, byteCount: Int) =
          rowByteCount % 16 == 0 ? ("uvec4", 16) : rowByteCount % 8 == 0 ? ("uvec2", 8) : ("uint", 4)
        let width = isWords ? rowByteCount / words.byteCount : rowByteCount
        let localSize = min(256, device.maxWorkgroupInvocations)
        let elements = isWords ? output.shape[0] * width : (output.shape[0] * width).groups(of: 4)
        let call = KernelCall(
          .shader(
            isWords ? "gather_rows" : "gather_bytes", constants: [0: UInt32(localSize)],
            defines: isWords ? ["WORDS": words.type] : [:]),
          bindings: [.input(0), .input(1), .output],
          groupCount: GroupCount(folding: elements.groups(of: localSize)),
          pushConstants: [output.shape[0], width, inputs[0].shape[0]].map(UInt32.init))
        return KernelProgram([call])
      },
    ]
  }
}
