import HeklaArrays
import HeklaDevices

extension SymmetricEigen {
  /// The host's LAPACK; elsewhere rounds of Jacobi rotations, each a dispatch that turns all columns in pairs.
  var variants: [KernelVariant] {
    [
      .lapack("symmetric_eigen", writing: 2),
      KernelVariant(
        "rounds",
        applies: { device, _, output in
          // One kernel goes over the matrix, the last one over columns.
          let n = output.shape[1]
          return device.runs(output.elementType, localSize: Self.localSize)
            && n <= Capabilities.mostRotatedColumns
            && max(n * n / Self.localSize + 256, 3 * n) <= device.loopIterationLimit
        },
        program: { _, output, _ in program(output) }),
    ]
  }

  private static let localSize = 64
  /// How often all columns meet: some more than clustered, graded and random matrices of up to 200 columns took.
  private static func sweeps(_ type: ElementType) -> Int { type == .float64 ? 24 : 16 }

  private func program(_ output: Signature) -> KernelProgram {
    let (batch, n, type) = (output.shape[0], output.shape[1], output.elementType)
    let count = n + n % 2
    var program = KernelProgram([])
    func temporary(_ elements: Int) -> KernelCall.Operand {
      program.temporary(batch * elements * type.byteCount)
    }
    var (work, turned) = (temporary(count * count), temporary(count * count))
    let (vectors, rests) = (temporary(n * count), temporary(1))
    func add(
      _ kernel: String, _ bindings: [KernelCall.Operand], writing written: Int, groups: Int, _ push: [Int]
    ) {
      program.calls.append(
        KernelCall(
          .shader(kernel, constants: [0: UInt32(Self.localSize)], defines: type.scalarDefines),
          bindings: bindings, writing: written, groupCount: GroupCount(folding: groups),
          pushConstants: push.map(UInt32.init)))
    }
    add(
      "eigen_begin", [.input(0), work, vectors], writing: 2,
      groups: (batch * count * count).groups(of: Self.localSize), [batch, n, count])
    for _ in 0..<(n > 1 ? Self.sweeps(type) : 0) {
      add("eigen_rest", [work, rests], writing: 1, groups: batch, [batch, count])
      for round in 0..<(count - 1) {
        add(
          "eigen_round", [work, rests, turned, vectors], writing: 2,
          groups: (batch * count / 2 * (count / 2 + n)).groups(of: Self.localSize), [batch, n, count, round])
        swap(&work, &turned)
      }
    }
    add(
      "eigen_finish", [work, vectors, .secondary(0), .output], writing: 2,
      groups: (batch * n).groups(of: Self.localSize), [batch, n, count])
    return program
  }
}
