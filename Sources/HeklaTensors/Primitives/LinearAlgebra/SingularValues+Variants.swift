import HeklaArrays
import HeklaDevices

extension SingularValues {
  /// The host's LAPACK; elsewhere rounds of one-sided Jacobi rotations, each a dispatch with a workgroup for each pair
  /// of columns, between two factorizations.
  ///
  /// Of the taller of the matrix and its transpose, `A = Q R`, the rotations J turn the columns of `R^T` until they are
  /// orthogonal: `R^T J = W S`, so that `A = (Q J) S W^T`. That R is triangular makes them come to rest soon; that W is
  /// a factor of what they leave makes it orthonormal whatever the rank. Source: Drmac and Veselic 2008, "New fast and
  /// accurate Jacobi SVD algorithm I", section 3.
  var variants: [KernelVariant] {
    [
      .lapack("singular_values", writing: 3),
      KernelVariant(
        "rounds",
        applies: { device, inputs, output in
          let tall = Self.tall(inputs[0])
          let (l, k) = (tall.shape[1], tall.shape[2])
          // The first kernel goes over the matrix, the last ones over columns.
          let longest = max((2 * l * k + k * k) / Self.localSize + 256, 2 * l + k)
          return device.runs(output.elementType, localSize: Self.localSize)
            && 4 * Self.localSize * output.elementType.byteCount <= device.sharedMemoryByteCount
            && longest <= device.loopIterationLimit && device.maxBindingCount >= 7
            && k <= Capabilities.mostRotatedColumns
            && QRFactorization.runs(on: device, tall)
        },
        program: { inputs, _, device in program(inputs[0], device) }),
    ]
  }

  private static let localSize = 64
  /// How often all columns meet: some more than clustered, graded and random matrices of up to 200 columns took.
  private static func sweeps(_ type: ElementType) -> Int { type == .float64 ? 14 : 12 }

  /// The taller of the matrix and its transpose.
  private static func tall(_ input: Signature) -> Signature {
    let (m, n) = (input.shape[1], input.shape[2])
    return Signature([input.shape[0], max(m, n), min(m, n)], input.elementType)
  }

  private func program(_ input: Signature, _ device: Capabilities) -> KernelProgram {
    let (tall, type) = (Self.tall(input), input.elementType)
    let (batch, l, k) = (tall.shape[0], tall.shape[1], tall.shape[2])
    let (square, count) = (Signature([batch, k, k], type), k + k % 2)
    var program = KernelProgram([])
    func temporary(_ elements: Int) -> KernelCall.Operand {
      program.temporary(batch * elements * type.byteCount)
    }
    let (matrix, orthonormal, triangle) = (temporary(l * k), temporary(l * k), temporary(k * k))
    let (rotations, scales, norms) = (temporary(k * k), temporary(1), temporary(k))
    let (sortedColumns, sortedRotations) = (temporary(k * k), temporary(k * k))
    let (short, rest, long) = (temporary(k * k), temporary(k * k), temporary(l * k))

    func add(
      _ kernel: String, _ bindings: [KernelCall.Operand], writing count: Int, groups: Int, _ push: [Int],
      constants: [UInt32: UInt32] = [:]
    ) {
      program.calls.append(
        KernelCall(
          .shader(
            kernel, constants: constants.merging([0: UInt32(Self.localSize)]) { $1 },
            defines: type.scalarDefines),
          bindings: bindings, writing: count, groupCount: GroupCount(folding: groups),
          pushConstants: push.map(UInt32.init)))
    }
    add(
      "singular_begin", [.input(0), matrix, rotations, scales], writing: 3, groups: batch, input.shape.extents
    )
    program.calls.append(
      QRFactorization.call(tall, on: device, matrix: matrix, triangle: triangle, orthonormal: orthonormal))
    for _ in 0..<Self.sweeps(type) {
      for round in 0..<(count - 1) {
        // The rows of R are the columns of its transpose.
        add(
          "singular_round", [triangle, rotations], writing: 2, groups: batch * count / 2,
          [batch, k, count, round])
      }
    }
    let columnGroups = (batch * k).groups(of: Self.localSize)
    add("singular_norms", [triangle, norms], writing: 1, groups: columnGroups, [batch * k, k])
    add(
      "singular_sort",
      [triangle, rotations, norms, scales, sortedColumns, sortedRotations, .secondary(0)], writing: 3,
      groups: columnGroups, [batch, k])
    program.calls.append(
      QRFactorization.call(square, on: device, matrix: sortedColumns, triangle: rest, orthonormal: short))
    add(
      "matmul_naive", [orthonormal, sortedRotations, long], writing: 1,
      groups: (batch * l * k).groups(of: Self.localSize), [batch, l, k, k, l * k, k * k, 1, k],
      constants: [1: 0, 2: 1])
    add(
      "singular_finish", [long, short, .secondary(1), .output], writing: 2, groups: columnGroups,
      input.shape.extents)
    return program
  }
}
