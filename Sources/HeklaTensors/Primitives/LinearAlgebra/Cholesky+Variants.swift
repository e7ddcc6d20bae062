import HeklaArrays
import HeklaDevices

extension Cholesky {
  /// The host's LAPACK; elsewhere one dispatch per block of columns, which for small matrices is one in all.
  var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { _, output, _ in
        let shape = output.shape
        let body = KernelCall.Body.host(
          "cholesky", [output.elementType == .float64 ? 1 : 0, shape[0], shape[1]])
        return KernelProgram([KernelCall(body, bindings: [.input(0), .output])])
      },
      columns("shared", block: 64, isWhole: true),
      columns("columns", block: 32, isWhole: false),
    ]
  }

  /// - Parameters:
  ///   - block: Columns per dispatch.
  ///   - isWhole: Only for matrices that are one block, so that shared memory holds no second one.
  private func columns(_ name: String, block: Int, isWhole: Bool) -> KernelVariant {
    let (localSize, depth) = (64, isWhole ? 1 : 16)
    let rows = isWhole ? block : 2 * block
    // How many iterations of loops an invocation comes to for the last of n columns.
    @Sendable func iterations(_ n: Int) -> Int {
      let (each, square) = (rows.groups(of: localSize), (rows * block).groups(of: localSize))
      let finished = (n - 1) / block * block
      return finished / depth * (1 + (rows * depth).groups(of: localSize) + square) + 2 * square
        + block * (1 + each * (2 + block / 2))
    }
    return KernelVariant(
      name,
      applies: { device, _, output in
        let bytes = output.elementType.byteCount * (rows * (block + 1) + 2 * block * (depth + 1))
        return device.runs(output.elementType, localSize: localSize) && bytes <= device.sharedMemoryByteCount
          && (!isWhole || output.shape[1] <= block)
          && iterations(output.shape[1]) <= device.loopIterationLimit
      },
      suits: { _, _, output in !isWhole || output.shape[1] > 32 },
      program: { _, output, _ in
        let (batch, n) = (output.shape[0], output.shape[1])
        let calls = stride(from: 0, to: n, by: block).map { first in
          KernelCall(
            .shader(
              "cholesky_columns",
              constants: [0: UInt32(localSize), 1: UInt32(block), 2: UInt32(rows), 3: UInt32(depth)],
              defines: output.elementType.scalarDefines),
            bindings: [.input(0), .output], groupCount: GroupCount(folding: batch * n.groups(of: block)),
            pushConstants: [batch, n, first].map(UInt32.init))
        }
        return KernelProgram(calls)
      })
  }
}
