import HeklaArrays
import HeklaDevices

extension SymmetricEigen {
  /// The host's LAPACK; elsewhere a workgroup per matrix, which lies in shared memory where it fits.
  var variants: [KernelVariant] {
    [
      .lapack("symmetric_eigen", writing: 2),
      KernelVariant(
        "shared",
        applies: { device, _, output in
          device.runs(output.elementType, localSize: Self.localSize) && capacity(output, device) != nil
            && Self.iterations(output, localSize: Self.localSize) <= device.loopIterationLimit
        },
        program: { _, output, device in
          var constants: [UInt32: UInt32] = [0: UInt32(Self.localSize), 2: UInt32(Self.pairs(output))]
          if let capacity = capacity(output, device) { constants[1] = UInt32(capacity) }
          return KernelProgram([call(output, constants: constants)])
        }),
      KernelVariant(
        "global",
        applies: { device, _, output in
          let localSize = device.wideLocalSize
          return device.runs(output.elementType, localSize: localSize) && device.maxBindingCount >= 5
            && device.sharedCapacity(
              2 * Self.pairs(output), of: output.elementType, localSize: localSize) != nil
            && Self.iterations(output, localSize: localSize) <= device.loopIterationLimit
        },
        program: { _, output, device in
          let size = Self.size(output)
          var program = KernelProgram([])
          let work = (0..<2).map { _ in
            program.temporary(output.shape[0] * size * size * output.elementType.byteCount)
          }
          program.calls = [
            call(
              output, constants: [0: UInt32(device.wideLocalSize), 2: UInt32(Self.pairs(output))],
              temporaries: work)
          ]
          return program
        }),
    ]
  }

  private static let localSize = 64

  /// The matrices' extent, made even.
  private static func size(_ output: Signature) -> Int { output.shape[1] + output.shape[1] % 2 }

  /// About how many iterations of loops an invocation comes to in 12 sweeps, more than are usual.
  private static func iterations(_ output: Signature, localSize: Int) -> Int {
    let size = Self.size(output)
    let half = size / 2
    let round =
      half.groups(of: localSize) + (half * (half + 1) / 2).groups(of: localSize)
      + (half * size).groups(of: localSize) + 1
    return 12 * (size * round + (size * size).groups(of: localSize))
      + size.groups(of: localSize) * 3 * size
  }

  private static func pairs(_ output: Signature) -> Int { (size(output) / 2).powerOfTwo(atLeast: 16) }

  /// The elements of shared memory for the matrix, and as many for its vectors; nil where they do not fit.
  private func capacity(_ output: Signature, _ device: Capabilities) -> Int? {
    let size = Self.size(output)
    return device.sharedCapacity(
      size * size, of: output.elementType, arrays: 2, beside: 2 * Self.pairs(output),
      localSize: Self.localSize)
  }

  /// - Parameter temporaries: The matrix and its vectors while they change; none where they are in shared memory.
  private func call(
    _ output: Signature, constants: [UInt32: UInt32], temporaries: [KernelCall.Operand] = []
  ) -> KernelCall {
    KernelCall(
      .shader(
        "symmetric_eigen", constants: constants,
        defines: output.elementType.factorizationDefines(isGlobal: !temporaries.isEmpty)),
      bindings: [.input(0), .secondary(0), .output] + temporaries, writing: 2 + temporaries.count,
      groupCount: GroupCount(folding: output.shape[0]),
      pushConstants: [UInt32(output.shape[0]), UInt32(output.shape[1])])
  }
}
