import HeklaArrays
import HeklaDevices

extension LUFactorization {
  /// The host's LAPACK; elsewhere a small matrix at once in shared memory, larger ones by panels of columns, each of
  /// which one workgroup eliminates, in shared memory or where it lies, before many update the rest.
  var variants: [KernelVariant] {
    [
      .lapack("lu_factorization", writing: 3),
      KernelVariant(
        "shared",
        applies: { device, _, output in
          device.runs(output.elementType, localSize: Self.localSize)
            && capacity(output, width: output.shape[1], device) != nil
            && Self.iterations(output, width: output.shape[1], Self.localSize) <= device.loopIterationLimit
        },
        suits: { _, _, output in output.shape[1] <= 64 },
        program: { _, output, device in
          program(
            output, width: output.shape[1], capacity: capacity(output, width: output.shape[1], device), device
          )
        }),
      KernelVariant(
        "panels",
        applies: { device, _, output in
          canUpdate(output, device) && output.shape[1] > Self.block && panelWidth(output, device) != nil
            && Self.iterations(output, width: Self.block, Self.localSize) <= device.loopIterationLimit
        },
        program: { _, output, device in
          let width = panelWidth(output, device) ?? Self.block
          return program(output, width: width, capacity: capacity(output, width: width, device), device)
        }),
      KernelVariant(
        "global",
        applies: { device, _, output in
          canUpdate(output, device)
            && Self.iterations(output, width: Self.block, device.wideLocalSize) <= device.loopIterationLimit
        },
        program: { _, output, device in program(output, width: Self.block, capacity: nil, device) }),
    ]
  }

  private static let localSize = 64
  /// The most columns of a panel, which the kernels have in their text.
  private static let block = 32

  /// How many iterations of loops an invocation comes to in a panel, or in the permutation of all rows.
  private static func iterations(_ output: Signature, width: Int, _ localSize: Int) -> Int {
    let n = output.shape[1]
    let (rows, columns) = (n.groups(of: localSize), min(width, n))
    return max(
      2 * n, 2 * rows * columns + columns * (2 * localSize / 16 + 1 + columns + rows * (2 + columns)))
  }

  /// Whether the device runs what follows a panel.
  private func canUpdate(_ output: Signature, _ device: Capabilities) -> Bool {
    device.runs(output.elementType, localSize: Self.localSize)
      && 2 * Self.block * (Self.block + 1) * output.elementType.byteCount <= device.sharedMemoryByteCount
  }

  /// The elements of shared memory for all rows of a panel, an odd number each; nil where they do not fit.
  private func capacity(_ output: Signature, width: Int, _ device: Capabilities) -> Int? {
    device.sharedCapacity(output.shape[1] * (width | 1), of: output.elementType, localSize: Self.localSize)
  }

  /// The columns of a panel that fits in shared memory; nil where not even 8 do.
  private func panelWidth(_ output: Signature, _ device: Capabilities) -> Int? {
    [Self.block, 16, 8].first { capacity(output, width: $0, device) != nil }
  }

  /// - Parameter capacity: The elements of shared memory for a panel; nil for panels that stay where they are.
  private func program(
    _ output: Signature, width: Int, capacity: Int?, _ device: Capabilities
  ) -> KernelProgram {
    let (batch, n, type) = (output.shape[0], output.shape[1], output.elementType)
    let isWhole = capacity != nil && n <= width
    var program = KernelProgram([])
    let exchanges = program.temporary(4 * batch * n)
    if !isWhole {
      let words = output.byteCount / 4
      program.calls.append(
        KernelCall(
          .shader("copy_words", constants: [0: 256]), bindings: [.input(0), .output],
          groupCount: GroupCount(folding: words.groups(of: 256)), pushConstants: [UInt32(words)]))
    }
    var panelConstants: [UInt32: UInt32] = [
      0: UInt32(capacity == nil ? device.wideLocalSize : Self.localSize)
    ]
    if let capacity { panelConstants[1] = UInt32(capacity) }
    for first in stride(from: 0, to: n, by: width) {
      let columns = min(width, n - first)
      let push = [batch, n, first, columns].map(UInt32.init)
      program.calls.append(
        KernelCall(
          .shader(
            "lu_panel", constants: panelConstants,
            defines: type.factorizationDefines(isGlobal: capacity == nil)),
          bindings: [isWhole ? .input(0) : .output, exchanges, .output], writing: 2,
          groupCount: GroupCount(folding: batch), pushConstants: push))
      if n > width {
        program.calls.append(
          KernelCall(
            .shader("lu_exchange", constants: [0: UInt32(Self.localSize)], defines: type.scalarDefines),
            bindings: [exchanges, .output],
            groupCount: GroupCount(folding: batch * n.groups(of: Self.localSize)), pushConstants: push))
      }
      let tiles = (n - first - columns).groups(of: Self.block)
      if tiles > 0 {
        program.calls.append(
          KernelCall(
            .shader("lu_update", constants: [0: UInt32(Self.localSize)], defines: type.scalarDefines),
            bindings: [.output], groupCount: GroupCount(folding: batch * tiles * tiles), pushConstants: push))
      }
    }
    program.calls.append(
      KernelCall(
        .shader("lu_permutation", constants: [0: UInt32(Self.localSize)], defines: type.scalarDefines),
        bindings: [exchanges, .secondary(0), .secondary(1)], writing: 2,
        groupCount: GroupCount(folding: batch.groups(of: Self.localSize)),
        pushConstants: [UInt32(batch), UInt32(n)]))
    return program
  }
}
