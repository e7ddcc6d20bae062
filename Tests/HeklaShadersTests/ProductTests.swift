import HeklaDevices
import Testing

@Suite("Matrix products", .serialized)
struct ProductTests {
  /// Extents one off tiles of 8 and 32, primes, single elements, shared operands, k in several parts.
  private static let shapes = [
    ProductCase(m: 1, n: 1, k: 1),
    ProductCase(batches: 2, m: 7, n: 9, k: 5),
    ProductCase(batches: 3, m: 33, n: 31, k: 17, sharedA: true),
    ProductCase(batches: 2, m: 8, n: 65, k: 33, sharedB: true),
    ProductCase(m: 13, n: 21, k: 70, splits: 3, splitExtent: 32),
    ProductCase(batches: 2, m: 131, n: 37, k: 64, splits: 2, splitExtent: 48),
  ]

  /// Extents that suit vectors: one off tiles by a vector.
  private static let alignedShapes = [
    ProductCase(m: 4, n: 4, k: 4),
    ProductCase(batches: 2, m: 12, n: 36, k: 20, sharedB: true),
    ProductCase(batches: 3, m: 36, n: 28, k: 16, sharedA: true),
    ProductCase(batches: 2, m: 132, n: 60, k: 72, splits: 3, splitExtent: 32),
  ]

  private static let transpositions = [(false, false), (true, false), (false, true), (true, true)]

  @Test("The naive product is the sum of products", arguments: ShaderDevice.allCases)
  func naive(_ interface: ShaderDevice) throws {
    try check([.naive], shapes: Self.shapes, on: interface)
  }

  @Test("Register tiles give the product for any extents", arguments: ShaderDevice.allCases)
  func registers(_ interface: ShaderDevice) throws {
    try check([.registers], shapes: Self.shapes, on: interface)
    try check([.registers.vectorized], shapes: Self.alignedShapes, on: interface)
  }

  @Test("Reading floats in pairs gives the product for any extents that suit vectors")
  func pairs() throws {
    guard try ShaderDevice.vulkan.device().capabilities.arithmeticTypes.contains(.int64) else {
      try Test.cancel("the device does not compute with int64")
    }
    try check([.registers.paired], shapes: Self.alignedShapes, on: .vulkan)
  }

  @Test("Rows that a subgroup shares give the product for any extents that suit vectors")
  func subgroups() throws {
    let capabilities = try ShaderDevice.vulkan.device().capabilities
    guard capabilities.subgroupSize == 8, capabilities.subgroupOperations.contains(.shuffle) else {
      try Test.cancel("the device has no subgroups of 8 that shuffle")
    }
    try check([.subgroup], shapes: Self.alignedShapes, on: .vulkan)
  }

  @Test("Small shared tiles give the product for any extents", arguments: ShaderDevice.allCases)
  func smallTiles(_ interface: ShaderDevice) throws {
    let variant = ProductVariant.tiled(32, 32, depth: 16, micro: 4)
    try check([variant], shapes: Self.shapes, transpositions: [(false, true), (true, false)], on: interface)
    try check(
      [variant.vectorized], shapes: Self.alignedShapes, transpositions: [(false, false), (true, true)],
      on: interface)
  }

  // One geometry for each way to lie, as compiling kernels is what these tests spend their time on.
  @Test("Large shared tiles give the product for any extents", arguments: ShaderDevice.allCases)
  func largeTiles(_ interface: ShaderDevice) throws {
    try check(
      [.tiled(64, 64, depth: 8, micro: 8)], shapes: Self.shapes, transpositions: [(false, false)],
      on: interface)
    try check(
      [.tiled(64, 32, depth: 8, micro: 4)], shapes: Self.shapes, transpositions: [(true, true)],
      on: interface)
    try check(
      [.tiled(128, 128, depth: 16, micro: 8).vectorized], shapes: Self.alignedShapes,
      transpositions: [(true, false)], on: interface)
  }

  @Test("Tiles that fit exactly need no checks", arguments: ShaderDevice.allCases)
  func exactTiles(_ interface: ShaderDevice) throws {
    let shapes = [
      ProductCase(batches: 2, m: 128, n: 64, k: 32),
      ProductCase(m: 64, n: 128, k: 64, splits: 2, splitExtent: 32),
    ]
    let variant = ProductVariant.tiled(64, 64, depth: 8, micro: 8, exact: true)
    try check([variant], shapes: shapes, transpositions: [(true, false)], on: interface)
    try check([variant.vectorized], shapes: shapes, transpositions: [(false, true)], on: interface)
  }

  @Test("Products in float64 are as exact as float64", arguments: ShaderDevice.allCases)
  func doubles(_ interface: ShaderDevice) throws {
    guard try interface.device().capabilities.arithmeticTypes.contains(.float64) else {
      try Test.cancel("the device does not compute with float64")
    }
    let variants = [ProductVariant.registers, .tiled(32, 32, depth: 16, micro: 4)]
    try check(
      variants.map(\.doubled), shapes: [Self.shapes[1], Self.shapes[4]], transpositions: [(false, true)],
      on: interface)
    try check(
      [ProductVariant.registers.vectorized.doubled], shapes: [Self.alignedShapes[1]],
      transpositions: [(false, false)], on: interface)
  }

  // All kernels add the products of one element in order of k with fused multiply-adds, so the tile is a matter of
  // speed alone.
  @Test("All tiles give the same bits", arguments: ShaderDevice.allCases)
  func sameBits(_ interface: ShaderDevice) throws {
    let bench = try Workbench(interface)
    let shape = Self.alignedShapes[3]
    let (a, b) = shape.operands(seed: 8)
    let naive = try compute(shape, with: .naive, a, b, on: bench)
    let tiled = ProductVariant.tiled(32, 32, depth: 16, micro: 4)
    for variant in [.registers, .registers.vectorized, tiled, tiled.vectorized] as [ProductVariant] {
      #expect(try compute(shape, with: variant, a, b, on: bench) == naive, "\(variant)")
    }
  }

  // Any order of summing k products, fused or not, is off by at most k units of rounding of the sum of |a b|
  // (Higham, "Accuracy and stability of numerical algorithms", section 3.1); the parts add one each.
  private func check(
    _ variants: [ProductVariant], shapes: [ProductCase],
    transpositions: [(Bool, Bool)] = ProductTests.transpositions, on interface: ShaderDevice
  ) throws {
    let bench = try Workbench(interface)
    for (transposedA, transposedB) in transpositions {
      for var shape in shapes {
        shape.transposedA = transposedA
        shape.transposedB = transposedB
        let (a, b) = shape.operands(seed: 7)
        let (product, scale) = shape.reference(a, b)
        for variant in variants {
          let found = try compute(shape, with: variant, a, b, on: bench)
          let unit = variant.isDouble ? 0x1p-53 : 0x1p-24
          let bound = 1.01 * unit * Double(shape.k + shape.splits)
          let wrong = found.indices.first { !(abs(found[$0] - product[$0]) <= bound * scale[$0]) }
          #expect(wrong == nil, "\(variant) of \(shape): element \(wrong ?? 0) is \(found[wrong ?? 0])")
        }
      }
    }
  }

  /// The product, its parts added where there are several.
  private func compute(
    _ shape: ProductCase, with variant: ProductVariant, _ a: [Float], _ b: [Float], on bench: Workbench
  ) throws -> [Double] {
    let elementWords = variant.isDouble ? 2 : 1
    let left = try variant.isDouble ? bench.input(a.map(Double.init)) : bench.input(a)
    let right = try variant.isDouble ? bench.input(b.map(Double.init)) : bench.input(b)
    let count = shape.batches * shape.m * shape.n
    let parts = try bench.output(wordCount: shape.splits * count * elementWords)
    var dispatches = [
      Dispatch(
        try variant.kernel(for: shape, on: bench), bindings: [left.slice, right.slice, parts.slice],
        groupCount: GroupCount(folding: variant.groupCount(for: shape), limit: 3),
        pushConstants: shape.pushConstants, label: variant.description)
    ]
    var product = parts
    if shape.splits > 1 {
      product = try bench.output(wordCount: count * elementWords)
      let elements = variant.vectors ? count / 4 : count
      dispatches.append(
        Dispatch(
          try bench.kernel("matmul_reduce", [0: 64], defines: variant.defines),
          bindings: [parts.slice, product.slice],
          groupCount: GroupCount(folding: ceilingDivide(elements, 64), limit: 3),
          pushConstants: [UInt32(elements), UInt32(shape.splits)], label: "matmul_reduce"))
    }
    try bench.runThrice(dispatches, outputs: shape.splits > 1 ? [parts, product] : [product])
    return try variant.isDouble ? product.doubles() : product.floats().map(Double.init)
  }
}
