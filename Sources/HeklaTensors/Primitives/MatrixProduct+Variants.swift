import HeklaArrays
import HeklaDevices

extension MatrixProduct {
  /// The host's blocked product, in repetitions by a right factor that is packed once; on GPUs tiles in shared memory;
  /// on software drivers tiles in registers, where that pays of packed factors.
  ///
  /// The last ones suit nothing by rule: they are there for the tuner.
  var variants: [KernelVariant] {
    [host, packed] + Tiling.byRule.map { tiled($0, byRule: true) } + [panels, registers, naive]
      + Tiling.measured.map { tiled($0, byRule: false) }
  }

  /// How a group divides its part of the product.
  private struct Tiling {
    let name: String
    /// The tile of a group, and the square of it that one invocation sums.
    let rows, columns, depth, micro: Int

    var localSize: Int { (rows / micro) * (columns / micro) }

    /// Whether a result takes several tiles, none of which it leaves more than half empty.
    func divides(_ output: Signature) -> Bool {
      let (m, n) = (output.shape.extents[1], output.shape.extents[2])
      return m > rows / 2 && n > columns / 2 && m.groups(of: rows) * n.groups(of: columns) > 1
    }

    /// Largest first: the first that the result is large enough for is chosen.
    static let byRule = [
      Tiling(name: "tiled-128", rows: 128, columns: 128, depth: 16, micro: 8),
      Tiling(name: "tiled-64", rows: 64, columns: 64, depth: 8, micro: 8),
      Tiling(name: "tiled-32", rows: 32, columns: 32, depth: 16, micro: 4),
    ]

    /// What may beat them, on a device or at a shape that no rule foresees: oblong tiles for oblong results, half the
    /// shared memory for more groups at once, and more invocations for each tile to hide latency behind.
    ///
    /// They are for results that take several tiles; where one is too large, those by rule are enough to try.
    static let measured = [
      Tiling(name: "tiled-128x64", rows: 128, columns: 64, depth: 8, micro: 8),
      Tiling(name: "tiled-64x128", rows: 64, columns: 128, depth: 8, micro: 8),
      Tiling(name: "tiled-128-shallow", rows: 128, columns: 128, depth: 8, micro: 8),
      Tiling(name: "tiled-64-fine", rows: 64, columns: 64, depth: 16, micro: 4),
    ]
  }

  private var host: KernelVariant {
    KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { inputs, output, _ in
      let body = KernelCall.Body.host(
        "matrix_product", Geometry(self, inputs, output).hostParameters(output.elementType))
      return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
    }
  }

  /// The host's product by a right factor that a call of its own packs: where the factor is the same each time.
  private var packed: KernelVariant {
    KernelVariant(
      "packed",
      applies: { device, inputs, output in
        let size = Extents(self, inputs.map(\.shape))
        return device.interface == .host && output.shape.count > 0 && size.m > 1 && size.n > 1 && size.k > 0
      },
      suits: { _, _, _ in false }, preparing: [1],
      program: { inputs, output, _ in
        let product = Geometry(self, inputs, output)
        let parameters = product.hostParameters(output.elementType)
        // The host fills rows up to whole vectors, which have 16 elements at most.
        let width = product.size.n.groups(of: 16) * 16
        return KernelProgram(
          [
            KernelCall(.host("pack_right_factor", parameters), bindings: [.input(1), .temporary(0)]),
            KernelCall(
              .host("product_by_packed", parameters), bindings: [.input(0), .temporary(0), .output]),
          ], temporaries: [inputs[1].shape[0] * product.size.k * width * output.elementType.byteCount])
      })
  }

  private func tiled(_ tiling: Tiling, byRule: Bool) -> KernelVariant {
    KernelVariant(
      tiling.name,
      applies: { device, _, output in
        let words = tiling.depth * (tiling.rows / 4 + tiling.columns / 4 + 2)
        return (byRule || tiling.divides(output))
          && device.runs(output.elementType, localSize: tiling.localSize)
          && 4 * output.elementType.byteCount * words <= device.sharedMemoryByteCount
      },
      suits: { device, _, output in
        let (m, n) = (output.shape.extents[1], output.shape.extents[2])
        return byRule && device.kind.isGPU && (tiling.rows == 32 || min(m, n) >= 2 * tiling.rows)
      },
      program: { inputs, output, device in
        let product = Geometry(self, inputs, output)
        let tiles =
          product.size.batch * product.size.m.groups(of: tiling.rows)
          * product.size.n.groups(of: tiling.columns)
        let splitting = Splitting(k: product.size.k, tiles: tiles, depth: tiling.depth, device: device)
        let isExact =
          product.size.m % tiling.rows == 0 && product.size.n % tiling.columns == 0
          && product.size.k % splitting.extent == 0 && splitting.extent % tiling.depth == 0
        return product.program(
          "matmul_tiled",
          constants: [
            0: UInt32(tiling.localSize), 3: UInt32(tiling.rows), 4: UInt32(tiling.columns),
            5: UInt32(tiling.depth), 6: UInt32(tiling.micro), 7: isExact ? 1 : 0,
          ],
          splitting: splitting, groups: splitting.count * tiles)
      })
  }

  private var registers: KernelVariant {
    KernelVariant(
      "registers", applies: { device, _, output in device.runs(output.elementType, localSize: 32) },
      suits: { device, _, output in !device.kind.isGPU && output.shape.count >= 64 },
      program: { inputs, output, device in
        let product = Geometry(self, inputs, output)
        let (batch, m, n) = (product.size.batch, product.size.m, product.size.n)
        let splitting = Splitting(k: product.size.k, on: device)
        let readsVectors = output.elementType == .float32 && product.suitsVectors(of: splitting)
        // A subgroup shares its rows, unless tiles would be more than a quarter empty.
        let shared = batch * m.groups(of: 16) * n.groups(of: 64)
        if readsVectors, device.prefersTexels, device.subgroupSize == 8,
          device.subgroupOperations.contains(.shuffle),
          4 * batch * m * n >= 3 * 16 * 64 * shared
        {
          return product.program(
            "matmul_subgroup", constants: [0: 8], splitting: splitting,
            groups: splitting.count * shared)
        }
        let tiles = batch * m.groups(of: 8) * n.groups(of: 8)
        return product.program(
          "matmul_registers", constants: [0: 32], readsPairs: readsVectors && device.prefersFloatsInPairs,
          splitting: splitting,
          groups: (splitting.count * tiles).groups(of: 32))
      })
  }

  /// How a software driver for OpenCL, which has long vectors, divides the result: into tiles for one invocation each.
  private struct Panels {
    static let rows = 8
    static let columns = 32

    /// How many elements a factor has when its rows or columns are in panels of `width`.
    static func count(_ extent: Int, _ width: Int, depth: Int) -> Int {
      extent.groups(of: width) * width * depth
    }

    /// Whether packing `m + n` rows and columns takes little of the time that it saves.
    static func pays(_ size: Extents) -> Bool {
      let tiles = size.m.groups(of: rows) * size.n.groups(of: columns)
      return min(size.m, size.n) >= 32 && size.m * size.n * size.k >= 1 << 20
        && 4 * size.m * size.n >= 3 * rows * columns * tiles
    }
  }

  private var panels: KernelVariant {
    KernelVariant(
      "panels",
      applies: { device, inputs, output in
        let product = Geometry(self, inputs, output)
        return device.interface == .opencl && !device.kind.isGPU && output.elementType == .float32
          && device.runs(.float32, localSize: 32)
          && product.suitsVectors(of: Splitting(k: product.size.k, on: device))
      },
      suits: { _, inputs, _ in Panels.pays(Extents(self, inputs.map(\.shape))) },
      program: { inputs, output, _ in
        let size = Extents(self, inputs.map(\.shape))
        let factors = [
          (isDeepOutside: transposingLeft, extent: size.m, width: Panels.rows),
          (isDeepOutside: !transposingRight, extent: size.n, width: Panels.columns),
        ]
        var calls: [KernelCall] = []
        var counts: [Int] = []
        for (index, factor) in factors.enumerated() {
          let batches = inputs[index].shape[0]
          counts.append(Panels.count(factor.extent, factor.width, depth: size.k))
          calls.append(
            KernelCall(
              .shader(
                "matmul_pack",
                constants: [0: 32, 1: factor.isDeepOutside ? 1 : 0, 2: UInt32(factor.width)]),
              bindings: [.input(index), .temporary(index)],
              groupCount: GroupCount(folding: (batches * counts[index] / 16).groups(of: 32)),
              pushConstants: [batches, factor.extent, size.k].map(UInt32.init)))
        }
        let strides = zip(inputs, counts).map { $0.shape[0] == 1 ? 0 : $1 }
        let tiles = size.batch * size.m.groups(of: Panels.rows) * size.n.groups(of: Panels.columns)
        let push = [size.batch, size.m, size.n, size.k] + strides + [1, size.k]
        calls.append(
          KernelCall(
            .shader("matmul_panels", constants: [0: 4]),
            bindings: [.temporary(0), .temporary(1), .output],
            groupCount: GroupCount(folding: tiles.groups(of: 4)), pushConstants: push.map(UInt32.init)))
        return KernelProgram(
          calls, temporaries: zip(inputs, counts).map { $0.shape[0] * $1 * ElementType.float32.byteCount })
      })
  }

  private var naive: KernelVariant {
    KernelVariant(
      "naive", applies: { device, _, output in device.runs(output.elementType, localSize: 64) },
      program: { inputs, output, device in
        let product = Geometry(self, inputs, output)
        let splitting = Splitting(k: product.size.k, on: device)
        return product.program(
          "matmul_naive", constants: [0: 64], splitting: splitting,
          groups: (splitting.count * output.shape.count).groups(of: 64))
      })
  }

  /// How the inner extent is divided between groups that sum parts of it.
  private struct Splitting {
    let count: Int
    let extent: Int

    /// `k` in at least `parts`, each a multiple of `depth`; more where a loop over one would be too long.
    init(k: Int, parts: Int = 1, depth: Int = 4, on device: Capabilities) {
      let parts = max(parts, k.groups(of: device.loopIterationLimit / 2))
      extent = parts == 1 ? k : k.groups(of: parts).groups(of: depth) * depth
      count = k.groups(of: extent)
    }

    /// A division when there are fewer tiles than a GPU can work on at once and the sums are long.
    init(k: Int, tiles: Int, depth: Int, device: Capabilities) {
      let wanted = max(2 * device.computeUnitCount, 64)
      let isLong = device.kind.isGPU && tiles * 2 <= wanted && k >= 1024
      self.init(k: k, parts: isLong ? min(wanted / tiles, k / 256) : 1, depth: depth, on: device)
    }
  }

  /// One product's extents and strides, and how they are passed to a kernel.
  private struct Geometry {
    let size: Extents
    let strideA, strideB: Int
    private let product: MatrixProduct
    private let output: Signature

    init(_ product: MatrixProduct, _ inputs: [Signature], _ output: Signature) {
      size = Extents(product, inputs.map(\.shape))
      strideA = inputs[0].shape[0] == 1 ? 0 : size.m * size.k
      strideB = inputs[1].shape[0] == 1 ? 0 : size.k * size.n
      self.product = product
      self.output = output
    }

    /// What the host's kernels are built for.
    func hostParameters(_ type: ElementType) -> [Int] {
      [
        type == .float64 ? 1 : 0, size.batch, size.m, size.n, size.k, product.transposingLeft ? 1 : 0,
        product.transposingRight ? 1 : 0, strideA, strideB,
      ]
    }

    /// Whether kernels can read and store four elements at a time.
    func suitsVectors(of splitting: Splitting) -> Bool {
      splitting.extent % 4 == 0 && [size.n, size.k, strideA, strideB].allSatisfy { $0 % 4 == 0 }
        && (!product.transposingLeft || size.m % 4 == 0)
    }

    func program(
      _ kernel: String, constants: [UInt32: UInt32], readsPairs: Bool = false, splitting: Splitting,
      groups: Int
    ) -> KernelProgram {
      let usesVectors = kernel != "matmul_naive" && suitsVectors(of: splitting)
      var defines: [String: String] = usesVectors ? ["VECTORS": "1"] : [:]
      if output.elementType == .float64 {
        defines["SCALAR"] = "double"
        defines["VECTOR"] = "dvec4"
      }
      var constants = constants
      constants[1] = product.transposingLeft ? 1 : 0
      constants[2] = product.transposingRight ? 1 : 0
      let push = [size.batch, size.m, size.n, size.k, strideA, strideB, splitting.count, splitting.extent]
      let main = KernelCall(
        .shader(
          kernel, constants: constants,
          defines: readsPairs ? defines.merging(["LONG": "1"]) { $1 } : defines),
        bindings: [.input(0), .input(1), splitting.count == 1 ? .output : .temporary(0)],
        groupCount: GroupCount(folding: groups), pushConstants: push.map(UInt32.init))
      guard splitting.count > 1 else { return KernelProgram([main]) }
      let count = usesVectors ? output.shape.count / 4 : output.shape.count
      let sum = KernelCall(
        .shader("matmul_reduce", constants: [0: 256], defines: defines), bindings: [.temporary(0), .output],
        groupCount: GroupCount(folding: count.groups(of: 256)),
        pushConstants: [UInt32(count), UInt32(splitting.count)])
      return KernelProgram([main, sum], temporaries: [splitting.count * output.byteCount])
    }
  }
}

extension Int {
  /// How many groups of `size` it takes to hold this many.
  func groups(of size: Int) -> Int { (self + size - 1) / size }
}

extension Capabilities {
  /// Whether shaders can compute with `type` in workgroups of `localSize`.
  func runs(_ type: ElementType, localSize: Int) -> Bool {
    interface != .host && localSize <= maxWorkgroupInvocations && localSize <= maxWorkgroupSize[0]
      && (type == .float32 || arithmeticTypes.contains(type)) && storageTypes.contains(type)
  }

  /// Whether kernels had better read arrays of floats by texels of four.
  ///
  /// Mesa's driver for processors gathers texels; other buffers it fetches lane by lane, in a loop that looks at the
  /// lane's mask each time.
  var prefersTexels: Bool { interface == .vulkan && kind == .software }

  /// Whether kernels had better read floats in pairs, as 64-bit integers.
  ///
  /// Mesa's driver for processors fetches lane by lane, and so in as few pieces as there can be.
  var prefersFloatsInPairs: Bool {
    interface == .vulkan && kind == .software && arithmeticTypes.contains(.int64)
  }
}
