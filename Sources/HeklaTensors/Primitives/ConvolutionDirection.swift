import HeklaArrays
import HeklaDevices

/// What a convolution's kernels compute: each direction is linear in the two others' results.
enum ConvolutionDirection: Int {
  case forward, inputGradient, weightGradient

  /// The define that the shaders know the direction by.
  private var define: String {
    switch self {
    case .forward: "FORWARD"
    case .inputGradient: "INPUT_GRADIENT"
    case .weightGradient: "WEIGHT_GRADIENT"
    }
  }

  /// The factors as the shaders take them, rows first, from the primitive's inputs.
  private var factors: [KernelCall.Operand] { [.input(1), .input(0)] }

  /// The extents, from the primitive's signatures.
  private func size(
    _ geometry: ConvolutionGeometry, _ inputs: [Signature], _ output: Signature
  ) -> ConvolutionSize {
    let (first, second, result) = (inputs[0].shape, inputs[1].shape, output.shape)
    return switch self {
    case .forward: ConvolutionSize(geometry, input: first, weights: second, output: result)
    case .inputGradient: ConvolutionSize(geometry, input: result, weights: second, output: first)
    case .weightGradient: ConvolutionSize(geometry, input: first, weights: result, output: second)
    }
  }

  /// The host's product of unrolled windows; on GPUs tiles in shared memory; on software drivers tiles in registers,
  /// forward of rows with a border where there is enough to do.
  ///
  /// Groups of one channel, and results too small for tiles, are computed element by element.
  func variants(_ geometry: ConvolutionGeometry) -> [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, output, _ in
        hostProgram(geometry, inputs, output)
      },
      KernelVariant(
        "direct",
        applies: { device, inputs, output in runs(geometry, inputs, output, on: device, localSize: 64) },
        suits: { _, inputs, output in
          let size = size(geometry, inputs, output)
          return size.features * size.channels <= 4 || matrix(size).columns < 8
        },
        program: { inputs, output, device in
          program("convolution_direct", 64, geometry, inputs, output, device) { splits, _ in
            (splits * output.shape.count).groups(of: 64)
          }
        }),
      KernelVariant(
        "tiled",
        applies: { device, inputs, output in
          runs(geometry, inputs, output, on: device, localSize: 64)
            && 2 * 8 * 17 * 4 * output.elementType.byteCount <= device.sharedMemoryByteCount
        },
        suits: { device, _, _ in device.kind.isGPU },
        program: { inputs, output, device in
          program("convolution_tiled", 64, geometry, inputs, output, device) { splits, matrix in
            splits * geometry.groups * matrix.rows.groups(of: 64) * matrix.columns.groups(of: 64)
          }
        }),
    ] + (self == .forward ? [rows(geometry)] : []) + [
      KernelVariant(
        "registers",
        applies: { device, inputs, output in runs(geometry, inputs, output, on: device, localSize: 32) },
        program: { inputs, output, device in
          program("convolution_registers", 32, geometry, inputs, output, device) { splits, matrix in
            (splits * geometry.groups * matrix.rows.groups(of: 8) * matrix.columns.groups(of: 8)).groups(
              of: 32)
          }
        })
    ]
  }

  private func rows(_ geometry: ConvolutionGeometry) -> KernelVariant {
    @Sendable func rows(_ inputs: [Signature], _ output: Signature) -> ConvolutionRows {
      ConvolutionRows(geometry, size(geometry, inputs, output), output.elementType)
    }
    return KernelVariant(
      "rows",
      applies: { device, inputs, output in
        let rows = rows(inputs, output)
        return device.runs(output.elementType, localSize: 64) && rows.applies
          && rows.iterationCount < device.loopIterationLimit / 2
      },
      // What is brought in order first costs two dispatches more.
      suits: { device, inputs, output in
        !device.kind.isGPU && size(geometry, inputs, output).flops >= 1 << 21
          && rows(inputs, output).utilization >= 0.6
      },
      program: { inputs, output, device in rows(inputs, output).program(on: device) })
  }

  /// Whether the device runs the kernels, which loop over the planes of one point at least.
  private func runs(
    _ geometry: ConvolutionGeometry, _ inputs: [Signature], _ output: Signature, on device: Capabilities,
    localSize: Int
  ) -> Bool {
    device.runs(output.elementType, localSize: localSize)
      && matrix(size(geometry, inputs, output)).planes < device.loopIterationLimit / 2
  }

  /// Rows and columns of the product in one group, and the points and planes it sums over.
  private func matrix(_ size: ConvolutionSize) -> (rows: Int, columns: Int, points: Int, planes: Int) {
    switch self {
    case .forward: (size.features, size.batch * size.outputCount, size.kernelCount, size.channels)
    case .inputGradient: (size.channels, size.batch * size.inputCount, size.kernelCount, size.features)
    case .weightGradient: (size.features, size.channels * size.kernelCount, size.outputCount, size.batch)
    }
  }

  /// `values` with axes of `filling` in front, so that there are three.
  private func three(_ values: [Int], _ filling: Int) -> [Int] {
    [Int](repeating: filling, count: 3 - values.count) + values
  }

  private func program(
    _ kernel: String, _ localSize: UInt32, _ geometry: ConvolutionGeometry, _ inputs: [Signature],
    _ output: Signature, _ device: Capabilities, groups: (Int, (rows: Int, columns: Int)) -> Int
  ) -> KernelProgram {
    let size = size(geometry, inputs, output)
    let matrix = matrix(size)
    let extents = (matrix.rows, matrix.columns)
    // Parts where the result alone gives a device too little to do at once, and the sums are long.
    var extent = matrix.points
    let (whole, wanted) = (groups(1, extents), max(4 * device.computeUnitCount, 16))
    if self == .weightGradient, whole < wanted, matrix.points * matrix.planes >= 512 {
      let parts = min(wanted.groups(of: whole), matrix.points * matrix.planes / 128, matrix.points)
      extent = matrix.points.groups(of: max(parts, 1))
    }
    extent = min(extent, max(device.loopIterationLimit / 2 / (matrix.planes + 1), 1))
    let splits = matrix.points.groups(of: extent)
    var constants: [UInt32: UInt32] = [0: localSize]
    let lists = [
      three(size.kernel, 1), three(geometry.strides, 1), three(geometry.dilations, 1),
      three(geometry.before, 0),
    ]
    for (index, value) in lists.joined().enumerated() { constants[UInt32(index + 1)] = UInt32(value) }
    var defines = [define: "1"]
    if output.elementType == .float64 {
      defines["SCALAR"] = "double"
      defines["VECTOR"] = "dvec4"
    }
    let push =
      [size.batch, size.groups, size.channels, size.features] + three(size.input, 1) + three(size.output, 1)
      + [splits, extent]
    let main = KernelCall(
      .shader(kernel, constants: constants, defines: defines),
      bindings: factors + [splits == 1 ? .output : .temporary(0)],
      groupCount: GroupCount(folding: groups(splits, extents)), pushConstants: push.map(UInt32.init))
    guard splits > 1 else { return KernelProgram([main]) }
    defines[define] = nil
    let sum = KernelCall(
      .shader("matmul_reduce", constants: [0: 256], defines: defines), bindings: [.temporary(0), .output],
      groupCount: GroupCount(folding: output.shape.count.groups(of: 256)),
      pushConstants: [output.shape.count, splits].map(UInt32.init))
    return KernelProgram([main, sum], temporaries: [splits * output.byteCount])
  }

  private func hostProgram(
    _ geometry: ConvolutionGeometry, _ inputs: [Signature], _ output: Signature
  ) -> KernelProgram {
    let size = size(geometry, inputs, output)
    let type = output.elementType == .float64 ? 1 : 0
    let isPlain =
      size.kernelCount == 1 && geometry.groups == 1 && geometry.strides.allSatisfy { $0 == 1 }
      && (geometry.before + geometry.after).allSatisfy { $0 == 0 }
    // A kernel of one tap is a matrix product as it stands, but for the sum over the batch in the weights' gradient.
    if isPlain, self != .weightGradient {
      let (rows, depth) = self == .forward ? (size.features, size.channels) : (size.channels, size.features)
      let body = KernelCall.Body.host(
        "matrix_product",
        [
          type, size.batch, rows, size.outputCount, depth, self == .forward ? 0 : 1, 0, 0,
          depth * size.outputCount,
        ])
      return KernelProgram([KernelCall(body, bindings: factors + [.output])])
    }
    let body = KernelCall.Body.host(
      "convolution",
      [rawValue, type, size.batch, size.groups, size.channels, size.features] + three(size.input, 1)
        + three(size.kernel, 1) + three(size.output, 1) + three(geometry.strides, 1)
        + three(geometry.dilations, 1)
        + three(geometry.before, 0))
    return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
  }
}
