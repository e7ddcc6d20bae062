import HeklaArrays
import HeklaDevices

/// How a convolution of stride 1 along its last axis is computed row by row: see `convolution_rows`.
///
/// The input is copied once with the border that its windows reach into, unless they reach into none, and the weights
/// are put in the order in which they are read. The kernel then needs no tests and loads whole vectors.
struct ConvolutionRows {
  private let size: ConvolutionSize
  private let type: ElementType
  /// Channels, and extents by axis, where channels may have become rows of a kernel.
  private var channels: Int
  private var input, kernel, output, strides, dilations, before: [Int]

  init(_ geometry: ConvolutionGeometry, _ size: ConvolutionSize, _ type: ElementType) {
    func three(_ values: [Int], _ filling: Int) -> [Int] {
      [Int](repeating: filling, count: 3 - values.count) + values
    }
    self.size = size
    self.type = type
    channels = size.channels
    (input, kernel, output) = (three(size.input, 1), three(size.kernel, 1), three(size.output, 1))
    strides = three(geometry.strides, 1)
    dilations = three(geometry.dilations, 1)
    before = three(geometry.before, 0)
    // Without windows along y and z all places are one row, and as many channels as rows of a kernel.
    if kernel == [1, 1, 1], strides == [1, 1, 1], input == output, before == [0, 0, 0] {
      input = [1, 1, size.inputCount]
      output = input
    }
    if before[0] + before[1] == 0, [kernel, input, output].allSatisfy({ $0[0] == 1 && $0[1] == 1 }),
      let fold = [4, 3, 2].first(where: { channels % $0 == 0 && $0 * kernel[2] <= Self.mostTaps })
    {
      channels /= fold
      input[1] = fold
      kernel[1] = fold
      dilations[1] = 1
    }
  }

  /// Whether the kernel does this: it takes up to eight taps in a row, and is for features that fill half a tile.
  var applies: Bool {
    strides[2] == 1 && (dilations[2] == 1 || kernel[2] == 1) && kernel[2] <= 8 && size.features >= 4
  }

  /// The most taps that the kernel spells out: more save little and take drivers longer to compile.
  private static let mostTaps = 12

  /// The rows of the kernel that are spelled out, a divisor of all.
  private var rows: Int { [4, 3, 2].first { kernel[1] % $0 == 0 && $0 * kernel[2] <= Self.mostTaps } ?? 1 }

  /// The iterations of the kernel's loop.
  var iterationCount: Int { channels * kernel[0] * kernel[1] / rows }

  /// The part of all tiles' columns that exist.
  var utilization: Double { Double(output[2]) / Double(8 * output[2].groups(of: 8)) }

  /// What the tiles of all rows read.
  private var reach: [Int] {
    let windows = (0..<2).map { axis -> Int in
      let (steps, taps) = (output[axis] - 1, kernel[axis] - 1)
      return steps * strides[axis] + taps * dilations[axis] + 1
    }
    return windows + [8 * (output[2].groups(of: 8) + (kernel[2] > 1 ? 1 : 0))]
  }

  /// Weights in order, the input with its border, and the sums.
  func program(on device: Capabilities) -> KernelProgram {
    let defines = type == .float64 ? ["SCALAR": "double", "VECTOR": "dvec4"] : [:]
    let tiles = size.groups * size.features.groups(of: 8)
    let terms = size.channels * size.kernelCount
    var temporaries = [tiles * 8 * terms * type.byteCount]
    var calls = [
      KernelCall(
        .shader("convolution_weights", constants: [0: 64], defines: defines),
        bindings: [.input(1), .temporary(0)], groupCount: GroupCount(folding: (tiles * terms).groups(of: 64)),
        pushConstants: [size.groups, size.features, terms].map(UInt32.init))
    ]
    let (planes, reach) = (size.batch * size.groups * channels, reach)
    let isWhole =
      before == [0, 0, 0] && input[2] % 8 == 0 && zip(reach, input).allSatisfy { $0 <= $1 }
    if !isWhole {
      let width = reach[2] / 4
      temporaries.append(planes * reach.reduce(1, *) * type.byteCount)
      calls.append(
        KernelCall(
          .shader(
            "convolution_border",
            constants: [0: 32, 1: UInt32(before[0]), 2: UInt32(before[1]), 3: UInt32(before[2])],
            defines: defines),
          bindings: [.input(0), .temporary(1)],
          groupCount: GroupCount(
            folding: (planes * reach[0] * reach[1] * width.groups(of: 16)).groups(of: 32)),
          pushConstants: ([planes] + input + [reach[0], reach[1], width]).map(UInt32.init)))
    }
    var constants: [UInt32: UInt32] = [0: 32, 13: UInt32(rows)]
    for (index, value) in (kernel + strides + dilations).enumerated() {
      constants[UInt32(index + 1)] = UInt32(value)
    }
    let lines = size.batch * tiles * output[0] * output[1]
    let push =
      [size.batch, size.groups, channels, size.features] + (isWhole ? input : reach) + output + [
        1, kernel.reduce(1, *),
      ]
    let isLong = type == .float32 && device.prefersFloatsInPairs
    calls.append(
      KernelCall(
        .shader("convolution_rows", constants: constants, defines: isLong ? ["LONG": "1"] : defines),
        bindings: [.temporary(0), isWhole ? .input(0) : .temporary(1), .output],
        groupCount: GroupCount(folding: (lines * output[2].groups(of: 8)).groups(of: 32)),
        pushConstants: push.map(UInt32.init)))
    return KernelProgram(calls, temporaries: temporaries)
  }
}
