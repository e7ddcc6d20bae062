import HeklaArrays
import HeklaDevices

extension Attention {
  /// The host's blocked loops; elsewhere four queries to an invocation, in registers.
  var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, _, _ in
        let launch = AttentionLaunch(options, inputs)
        return KernelProgram([
          KernelCall(
            .host("attention", launch.hostParameters), bindings: launch.inputs + [.output, .secondary(0)],
            writing: 2)
        ])
      }
    ]
      + [16, 8, 4].map { columns in
        KernelVariant(
          "registers-\(columns)",
          applies: { device, inputs, output in
            device.runs(output.elementType, localSize: 32) && device.maxBindingCount >= 7
              && AttentionLaunch(options, inputs).iterations <= device.loopIterationLimit
          },
          suits: { device, inputs, _ in columns <= AttentionLaunch.columns(for: device, inputs) },
          program: { inputs, _, _ in
            let launch = AttentionLaunch(options, inputs)
            let chunks = (launch.size.width / 4).groups(of: columns)
            return KernelProgram([
              launch.call(
                "attention", columns: columns,
                rows: launch.streams * launch.size.queries.groups(of: 4) * chunks,
                bindings: launch.inputs + [.output, .secondary(0)], writing: 2)
            ])
          })
      }
  }
}

extension AttentionGradient {
  /// The host's blocked loops; elsewhere two kernels, one for the queries, one for keys and values.
  var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, _, _ in
        let launch = AttentionLaunch(options, inputs)
        return KernelProgram([
          KernelCall(
            .host("attention_gradient", launch.hostParameters),
            bindings: launch.inputs + launch.rest + [.output, .secondary(0), .secondary(1)], writing: 3)
        ])
      }
    ]
      + [16, 8, 4].map { columns in
        KernelVariant(
          "registers-\(columns)",
          applies: { device, inputs, output in
            device.runs(output.elementType, localSize: 32) && device.maxBindingCount >= 10
              && AttentionLaunch(options, inputs).gradientIterations <= device.loopIterationLimit
          },
          suits: { device, inputs, _ in columns <= AttentionLaunch.columns(for: device, inputs) },
          program: { inputs, _, _ in
            let launch = AttentionLaunch(options, inputs)
            let size = launch.size
            let chunks = (size.depth / 4).groups(of: columns)
            let bothChunks = (max(size.depth, size.width) / 4).groups(of: columns)
            return KernelProgram([
              launch.call(
                "attention_gradient_queries", columns: columns,
                rows: launch.streams * size.queries.groups(of: 4) * chunks,
                bindings: launch.inputs + launch.rest + [.output], writing: 1),
              launch.call(
                "attention_gradient_keys", columns: columns,
                rows: size.batch * size.groups * size.keys.groups(of: 4) * bothChunks,
                bindings: launch.inputs + launch.rest + [.secondary(0), .secondary(1)], writing: 2),
            ])
          })
      }
  }
}

/// How an attention's kernels are called.
private struct AttentionLaunch {
  let size: AttentionSize
  private let options: AttentionOptions

  init(_ options: AttentionOptions, _ inputs: [Signature]) {
    size = AttentionSize(options, inputs)
    self.options = options
  }

  /// Streams of queries.
  var streams: Int { size.batch * size.heads }

  /// How many iterations of loops an invocation comes to: for four keys at once the loop over the depth.
  var iterations: Int { size.keys.groups(of: 4) * (1 + size.depth / 4) }

  /// The same for the gradient, whose invocations see all keys, or all queries of the heads that share their keys.
  var gradientIterations: Int {
    let blocks = max(size.keys.groups(of: 4), size.heads / size.groups * size.queries.groups(of: 4))
    return blocks * (1 + size.depth / 4 + size.width / 4) + size.heads / size.groups
  }

  /// The attention's inputs at bindings 0...4; where there is no mask, or are no lengths, the queries stand in.
  var inputs: [KernelCall.Operand] {
    [
      .input(0), .input(1), .input(2), .input(options.hasMask ? 3 : 0),
      .input(options.hasLengths ? options.inputCount - 1 : 0),
    ]
  }

  /// Delta, L and dO.
  var rest: [KernelCall.Operand] { (0..<3).map { .input(options.inputCount + $0) } }

  /// What is asked for besides the products, by bit: 0 a mask; 1...4 the mask varies with batch, head, query, key;
  /// 5 lengths; 6 causal; 7...10 Q, K, V, O lie interleaved, and their gradients.
  private var flags: Int {
    let mask = size.mask.map { shape in
      shape.extents.enumerated().reduce(1) { $0 + ($1.element == 1 ? 0 : 2 << $1.offset) }
    }
    return (mask ?? 0) + (options.hasLengths ? 32 : 0) + (options.isCausal ? 64 : 0)
      + options.interleaved.rawValue << 7
  }

  var hostParameters: [Int] {
    [
      size.batch, size.heads, size.groups, size.queries, size.keys, size.depth, size.width, flags,
      Int(Float(options.scale).bitPattern),
    ]
  }

  /// The columns, in vectors of four, whose sums an invocation keeps for each of its four rows.
  ///
  /// Fewer leave a GPU's registers to more invocations; software drivers keep the sums in memory in any case, and
  /// with more columns compute fewer scores twice.
  static func columns(for device: Capabilities, _ inputs: [Signature]) -> Int {
    let widest = max(inputs[0].shape[3], inputs[2].shape[3]) / 4
    let most = device.kind.isGPU ? 8 : 16
    return widest <= 4 ? 4 : min(widest <= 8 ? 8 : 16, most)
  }

  /// A run of `kernel` with an invocation for each of `rows`.
  func call(
    _ kernel: String, columns: Int, rows: Int, bindings: [KernelCall.Operand], writing count: Int
  ) -> KernelCall {
    KernelCall(
      .shader(kernel, constants: [0: 32, 1: UInt32(flags)], defines: ["COLUMNS": "\(columns)"]),
      bindings: bindings, writing: count, groupCount: GroupCount(folding: rows.groups(of: 32)),
      pushConstants: [
        size.batch, size.heads, size.groups, size.queries, size.keys, size.depth / 4, size.width / 4,
      ]
      .map(UInt32.init) + [Float(options.scale).bitPattern])
  }
}
