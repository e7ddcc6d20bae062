import HeklaArrays
import HeklaDevices

extension QRFactorization {
  /// The host's LAPACK; elsewhere a workgroup per matrix, which lies in shared memory where it fits.
  var variants: [KernelVariant] {
    [
      .lapack("qr_factorization", writing: 2),
      KernelVariant(
        "shared",
        applies: { device, _, output in
          device.runs(output.elementType, localSize: Self.localSize) && capacity(output, device) != nil
            && Self.iterations(output, localSize: Self.localSize) <= device.loopIterationLimit
        },
        program: { _, output, device in
          var constants: [UInt32: UInt32] = [0: UInt32(Self.localSize)]
          if let capacity = capacity(output, device) { constants[1] = UInt32(capacity) }
          return program(output, constants: constants, isGlobal: false)
        }),
      KernelVariant(
        "global",
        applies: { device, _, output in
          let localSize = device.wideLocalSize
          return device.runs(output.elementType, localSize: localSize)
            && Self.iterations(output, localSize: localSize) <= device.loopIterationLimit
        },
        program: { _, output, device in
          program(output, constants: [0: UInt32(device.wideLocalSize)], isGlobal: true)
        }),
    ]
  }

  private static let localSize = 64

  /// The elements of shared memory for all rows, an odd number each; nil where they do not fit.
  private func capacity(_ output: Signature, _ device: Capabilities) -> Int? {
    device.sharedCapacity(
      output.shape[1] * (output.shape[2] | 1), of: output.elementType, localSize: Self.localSize)
  }

  /// How many iterations of loops an invocation comes to, at most.
  private static func iterations(_ output: Signature, localSize: Int) -> Int {
    let (m, n) = (output.shape[1], output.shape[2])
    let reflections = (0..<n).reduce(0) { sum, k in
      let columns = max(n - k - 1, 1)
      let parts = max(localSize / columns, 1)
      let perColumn = 2 * (m - k).groups(of: parts) + parts
      return sum + 2 * columns.groups(of: localSize) * perColumn + 3 * m.groups(of: localSize) + 32
    }
    return reflections + 3 * (m * n).groups(of: localSize)
  }

  private func program(_ output: Signature, constants: [UInt32: UInt32], isGlobal: Bool) -> KernelProgram {
    KernelProgram([
      KernelCall(
        .shader(
          "qr_reflections", constants: constants,
          defines: output.elementType.factorizationDefines(isGlobal: isGlobal)),
        bindings: [.input(0), .secondary(0), .output], writing: 2,
        groupCount: GroupCount(folding: output.shape[0]), pushConstants: output.shape.extents.map(UInt32.init)
      )
    ])
  }
}
