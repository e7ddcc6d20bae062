import HeklaArrays
import HeklaDevices

extension QRFactorization {
  /// The host's LAPACK; elsewhere a workgroup per matrix, which lies in shared memory where it fits.
  var variants: [KernelVariant] {
    [
      .lapack("qr_factorization", writing: 2),
      KernelVariant(
        "shared", applies: { device, _, output in Self.fits(output, device) },
        program: { _, output, device in Self.program(output, device, isGlobal: false) }),
      KernelVariant(
        "global", applies: { device, _, output in Self.runsGlobally(output, device) },
        program: { _, output, device in Self.program(output, device, isGlobal: true) }),
    ]
  }

  /// Whether the device factors a batch of matrices like `matrix` with `call`.
  static func runs(on device: Capabilities, _ matrix: Signature) -> Bool {
    fits(matrix, device) || runsGlobally(matrix, device)
  }

  /// The factors of the batch `matrix`, as a part of another program.
  static func call(
    _ signature: Signature, on device: Capabilities, matrix: KernelCall.Operand, triangle: KernelCall.Operand,
    orthonormal: KernelCall.Operand
  ) -> KernelCall {
    call(
      signature, device, isGlobal: !fits(signature, device), bindings: [matrix, triangle, orthonormal])
  }

  private static let localSize = 64

  /// Whether matrices lie in shared memory.
  private static func fits(_ output: Signature, _ device: Capabilities) -> Bool {
    device.runs(output.elementType, localSize: localSize) && capacity(output, device) != nil
      && iterations(output, localSize: localSize) <= device.loopIterationLimit
  }

  /// Whether the device runs a wide workgroup for each matrix where it lies.
  private static func runsGlobally(_ output: Signature, _ device: Capabilities) -> Bool {
    device.runs(output.elementType, localSize: device.wideLocalSize)
      && iterations(output, localSize: device.wideLocalSize) <= device.loopIterationLimit
  }

  /// The elements of shared memory for all rows, an odd number each; nil where they do not fit.
  private static func capacity(_ output: Signature, _ device: Capabilities) -> Int? {
    device.sharedCapacity(
      output.shape[1] * (output.shape[2] | 1), of: output.elementType, localSize: localSize)
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

  private static func program(
    _ output: Signature, _ device: Capabilities, isGlobal: Bool
  ) -> KernelProgram {
    KernelProgram([
      call(output, device, isGlobal: isGlobal, bindings: [.input(0), .secondary(0), .output])
    ])
  }

  private static func call(
    _ output: Signature, _ device: Capabilities, isGlobal: Bool, bindings: [KernelCall.Operand]
  ) -> KernelCall {
    var constants: [UInt32: UInt32] = [0: UInt32(isGlobal ? device.wideLocalSize : localSize)]
    if !isGlobal, let capacity = capacity(output, device) { constants[1] = UInt32(capacity) }
    return KernelCall(
      .shader(
        "qr_reflections", constants: constants,
        defines: output.elementType.factorizationDefines(isGlobal: isGlobal)),
      bindings: bindings, writing: 2, groupCount: GroupCount(folding: output.shape[0]),
      pushConstants: output.shape.extents.map(UInt32.init))
  }
}
