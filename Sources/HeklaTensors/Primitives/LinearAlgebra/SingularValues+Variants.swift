import HeklaArrays
import HeklaDevices

extension SingularValues {
  /// The host's LAPACK; elsewhere a workgroup per matrix, which lies in shared memory where it fits.
  var variants: [KernelVariant] {
    [
      .lapack("singular_values", writing: 3),
      KernelVariant(
        "shared",
        applies: { device, inputs, _ in
          device.runs(inputs[0].elementType, localSize: Self.localSize)
            && capacity(Extents(inputs[0]), inputs[0].elementType, device) != nil
            && Extents(inputs[0]).iterations(localSize: Self.localSize) <= device.loopIterationLimit
        },
        program: { inputs, _, device in
          let extents = Extents(inputs[0])
          var constants: [UInt32: UInt32] = [0: UInt32(Self.localSize), 2: UInt32(extents.values)]
          if let capacity = capacity(extents, inputs[0].elementType, device) {
            constants[1] = UInt32(capacity)
          }
          return KernelProgram([call(inputs[0], constants: constants)])
        }),
      KernelVariant(
        "global",
        applies: { device, inputs, _ in
          let localSize = device.wideLocalSize
          return device.runs(inputs[0].elementType, localSize: localSize) && device.maxBindingCount >= 6
            && device.sharedCapacity(
              2 * Extents(inputs[0]).values, of: inputs[0].elementType, beside: 3 * localSize,
              localSize: localSize) != nil
            && Extents(inputs[0]).iterations(localSize: localSize) <= device.loopIterationLimit
        },
        program: { inputs, _, device in
          let extents = Extents(inputs[0])
          var program = KernelProgram([])
          let work = [extents.length, extents.count].map {
            program.temporary(inputs[0].shape[0] * extents.size * $0 * inputs[0].elementType.byteCount)
          }
          program.calls = [
            call(
              inputs[0], constants: [0: UInt32(device.wideLocalSize), 2: UInt32(extents.values)],
              temporaries: work)
          ]
          return program
        }),
    ]
  }

  private static let localSize = 64

  /// The vectors that are turned: `count` of `length` numbers, and one of zeros where that makes their number even.
  private struct Extents {
    let count, length: Int

    init(_ matrix: Signature) {
      count = min(matrix.shape[1], matrix.shape[2])
      length = max(matrix.shape[1], matrix.shape[2])
    }

    var size: Int { count + count % 2 }

    /// What arrays with an element per singular value hold.
    var values: Int { count.powerOfTwo(atLeast: 32) }

    /// About how many iterations of loops an invocation comes to in 12 sweeps, more than are usual, and for vectors
    /// without a direction of their own, of which there may be as many as there are vectors.
    func iterations(localSize: Int) -> Int {
      let pairs = size / 2
      let parts = max(localSize / pairs, 1)
      let round =
        pairs.groups(of: localSize) * (2 * length.groups(of: parts) + count.groups(of: parts) + parts)
      let completion =
        count + 4 * count.groups(of: localSize) * length + 3 * length.groups(of: localSize) * count
      return 12 * size * round + count * completion
    }
  }

  /// The elements of shared memory for the vectors and their rotations; nil where they do not fit.
  private func capacity(_ extents: Extents, _ type: ElementType, _ device: Capabilities) -> Int? {
    device.sharedCapacity(
      extents.size * (extents.length + extents.count), of: type,
      beside: 2 * extents.values + 3 * Self.localSize, localSize: Self.localSize)
  }

  /// - Parameter temporaries: The vectors and their rotations; none where they are in shared memory.
  private func call(
    _ matrix: Signature, constants: [UInt32: UInt32], temporaries: [KernelCall.Operand] = []
  ) -> KernelCall {
    KernelCall(
      .shader(
        "singular_values", constants: constants,
        defines: matrix.elementType.factorizationDefines(isGlobal: !temporaries.isEmpty)),
      bindings: [.input(0), .secondary(0), .secondary(1), .output] + temporaries,
      writing: 3 + temporaries.count, groupCount: GroupCount(folding: matrix.shape[0]),
      pushConstants: matrix.shape.extents.map(UInt32.init))
  }
}
