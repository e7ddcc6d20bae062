import HeklaArrays
import HeklaDevices

extension TriangularSolve {
  /// The host's BLAS; elsewhere a strip of right sides per group in shared memory, or a thread for each.
  var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { _, output, _ in
        let shape = output.shape
        let body = KernelCall.Body.host(
          "triangular_solve",
          [output.elementType == .float64 ? 1 : 0, shape[0], shape[1], shape[2]]
            + [isLower, isTransposed, hasUnitDiagonal].map { $0 ? 1 : 0 })
        return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
      },
      KernelVariant(
        "strips",
        applies: { device, _, output in
          device.runs(output.elementType, localSize: Self.localSize) && stripWidth(output, device) > 0
            && stripIterations(output, device) <= device.loopIterationLimit
        },
        program: strips),
      KernelVariant(
        "columns",
        applies: { device, _, output in
          let n = output.shape[1]
          return device.runs(output.elementType, localSize: Self.localSize)
            && n * (n + 1) / 2 <= device.loopIterationLimit
        },
        program: { _, output, _ in
          let shape = output.shape
          return KernelProgram([
            KernelCall(
              .shader("triangular_columns", constants: form, defines: output.elementType.scalarDefines),
              bindings: [.input(0), .input(1), .output],
              groupCount: GroupCount(folding: (shape[0] * shape[2]).groups(of: Self.localSize)),
              pushConstants: shape.extents.map(UInt32.init))
          ])
        }),
    ]
  }

  private static let localSize = 64
  private static let block = 32

  private var form: [UInt32: UInt32] {
    [0: UInt32(Self.localSize), 1: isLower ? 1 : 0, 2: isTransposed ? 1 : 0, 3: hasUnitDiagonal ? 1 : 0]
  }

  /// How many right sides of `output` shared memory holds beside a block of the matrix, a power of two, or 0.
  private func stripWidth(_ output: Signature, _ device: Capabilities) -> Int {
    let elements = device.sharedMemoryByteCount / output.elementType.byteCount - Self.block * (Self.block + 1)
    var width = Self.block
    while width > 0, width * output.shape[1] > elements || width >= 2 * output.shape[2] { width /= 2 }
    return width
  }

  /// How many iterations of loops an invocation comes to.
  private func stripIterations(_ output: Signature, _ device: Capabilities) -> Int {
    let (n, block, width) = (output.shape[1], Self.block, stripWidth(output, device))
    let load = (block * block).groups(of: Self.localSize)
    let product = (block * width).groups(of: Self.localSize) * (block + 1)
    let blocks = n.groups(of: block)
    return blocks * (blocks - 1) / 2 * (load + product + 1) + blocks * (load + block * (block + 1) / 2)
      + 2 * (n * width).groups(of: Self.localSize)
  }

  private func strips(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let (batch, n, columns) = (output.shape[0], output.shape[1], output.shape[2])
    let width = stripWidth(output, device)
    // Rounded up where that fits, so that matrices of many sizes share a kernel.
    let all = device.sharedMemoryByteCount / output.elementType.byteCount - Self.block * (Self.block + 1)
    var capacity = 512
    while capacity < width * n { capacity *= 2 }
    let constants = form.merging([4: UInt32(width), 5: UInt32(Self.block), 6: UInt32(min(capacity, all))]) {
      $1
    }
    return KernelProgram([
      KernelCall(
        .shader("triangular_strips", constants: constants, defines: output.elementType.scalarDefines),
        bindings: [.input(0), .input(1), .output],
        groupCount: GroupCount(folding: batch * columns.groups(of: width)),
        pushConstants: [batch, n, columns].map(UInt32.init))
    ])
  }
}
