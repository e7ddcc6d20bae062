import HeklaArrays
import HeklaDevices

/// The extents of one product and how its operands lie.
struct ProductCase: Sendable, CustomStringConvertible {
  var batches = 1
  var m: Int
  var n: Int
  var k: Int
  var transposedA = false
  var transposedB = false
  /// Whether one matrix serves the whole batch.
  var sharedA = false
  var sharedB = false
  /// Parts of k and their columns; the last part may be shorter.
  var splits = 1
  var splitExtent: Int?

  var description: String {
    "[\(batches), \(m), \(k)]\(transposedA ? "^T" : "")\(sharedA ? " shared" : "") x "
      + "[\(batches), \(k), \(n)]\(transposedB ? "^T" : "")\(sharedB ? " shared" : "") in \(splits)"
  }

  /// The push constants, in the order of `product.glsl`.
  var pushConstants: [UInt32] {
    [batches, m, n, k, sharedA ? 0 : m * k, sharedB ? 0 : k * n, splits, splitExtent ?? k].map(UInt32.init)
  }

  /// Numbers around 0, the same for the same key.
  func operands(seed: UInt64) -> (a: [Float], b: [Float]) {
    let key = RandomKey(seed: seed)
    func numbers(_ count: Int, _ name: String) -> [Float] {
      let key = key.folded(in: name)
      return (0..<count).map { 2 * key.uniform(at: $0) - 1 }
    }
    return (numbers((sharedA ? 1 : batches) * m * k, "a"), numbers((sharedB ? 1 : batches) * k * n, "b"))
  }

  /// The product in float64, and the sum of |a b| that bounds what rounding can do to each element.
  func reference(_ a: [Float], _ b: [Float]) -> (product: [Double], scale: [Double]) {
    var product: [Double] = []
    var scale: [Double] = []
    for batch in 0..<batches {
      let startA = sharedA ? 0 : batch * m * k
      let startB = sharedB ? 0 : batch * k * n
      for row in 0..<m {
        for column in 0..<n {
          var sum = 0.0
          var magnitude = 0.0
          for i in 0..<k {
            let left = Double(a[startA + (transposedA ? i * m + row : row * k + i)])
            let right = Double(b[startB + (transposedB ? column * k + i : i * n + column)])
            sum += left * right
            magnitude += abs(left * right)
          }
          product.append(sum)
          scale.append(magnitude)
        }
      }
    }
    return (product, scale)
  }
}

/// One kernel for products, its constants and its tile.
struct ProductVariant: Sendable, CustomStringConvertible {
  var kernel: String
  /// Rows and columns that one group (or, where `perInvocation`, one invocation) computes.
  var tile: (rows: Int, columns: Int)
  var localSize: Int
  var perInvocation = true
  var constants: [UInt32: Int] = [:]
  var vectors = false
  var isDouble = false
  var readsPairs = false

  var description: String {
    "\(kernel) \(tile.rows) x \(tile.columns)\(vectors ? " vectors" : "")\(isDouble ? " double" : "")"
      + (readsPairs ? " in pairs" : "")
  }

  static let naive = ProductVariant(kernel: "matmul_naive", tile: (1, 1), localSize: 64)
  static let registers = ProductVariant(kernel: "matmul_registers", tile: (8, 8), localSize: 32)

  /// Tiles in shared memory of `rows` x `columns` x `depth`.
  static func tiled(_ rows: Int, _ columns: Int, depth: Int, micro: Int, exact: Bool = false) -> Self {
    ProductVariant(
      kernel: "matmul_tiled", tile: (rows, columns), localSize: rows / micro * (columns / micro),
      perInvocation: false, constants: [3: rows, 4: columns, 5: depth, 6: micro, 7: exact ? 1 : 0])
  }

  /// The same with loads and stores of four elements.
  var vectorized: Self {
    var variant = self
    variant.vectors = true
    return variant
  }

  /// A tile per subgroup of 8.
  static let subgroup = ProductVariant(
    kernel: "matmul_subgroup", tile: (16, 64), localSize: 8, perInvocation: false, vectors: true)

  /// The same with vectors that are read as pairs of floats.
  var paired: Self {
    var variant = vectorized
    variant.readsPairs = true
    return variant
  }

  /// The same in float64.
  var doubled: Self {
    var variant = self
    variant.isDouble = true
    return variant
  }

  /// The preprocessor's part of the variant.
  var defines: [String: String] {
    var defines: [String: String] = vectors ? ["VECTORS": "1"] : [:]
    if readsPairs { defines["LONG"] = "1" }
    if isDouble { defines.merge(["SCALAR": "double", "VECTOR": "dvec4"]) { $1 } }
    return defines
  }

  /// The kernel for operands as `shape` has them.
  func kernel(for shape: ProductCase, on bench: Workbench) throws -> any Kernel {
    var constants = constants
    constants[0] = localSize
    constants[1] = shape.transposedA ? 1 : 0
    constants[2] = shape.transposedB ? 1 : 0
    return try bench.kernel(kernel, constants, defines: defines)
  }

  /// The number of groups for `shape`.
  func groupCount(for shape: ProductCase) -> Int {
    let tiles =
      ceilingDivide(shape.m, tile.rows) * ceilingDivide(shape.n, tile.columns) * shape.batches * shape.splits
    return perInvocation ? ceilingDivide(tiles, localSize) : tiles
  }
}
