import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

private let levels = ProductKernels.Level.allCases.filter { ProductKernels(elementSize: 4, level: $0) != nil }
private let flags = [false, true]

@Suite("Products by a right factor that is packed before")
struct FactorPackingTests {
  @Test("have the bits of the product in one launch, at every level", arguments: levels)
  func sameBits(level: ProductKernels.Level) throws {
    let pool = ThreadPool(threadCount: 3)
    let shapes = [
      (2, 2, 1), (3, 17, 5), (32, 128, 64), (33, 70, 19), (131, 137, 139),
      (17, 35, ProductBlocking.depth + 1),
      (5, ProductBlocking.columns + 1, 9), (ProductBlocking.directRows + 1, 67, 31),
    ]
    for (m, n, k) in shapes {
      for transposesA in flags {
        for transposesB in flags {
          let floats = ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
          #expect(try floats.computedByPacking(level: level, pool: pool) == floats.computed(level: level))
          let doubles = ProductCase<Double>(m, n, k, transposesA: transposesA, transposesB: transposesB)
          #expect(try doubles.computedByPacking(level: level, pool: pool) == doubles.computed(level: level))
        }
      }
    }
  }

  @Test("have them by whatever the device chooses, in batches and with shared factors")
  func batches() throws {
    for (m, n, k) in [(3, 4, 5), (17, 33, 18), (120, 90, 80)] {
      for transposesB in flags {
        for sharesA in flags {
          for sharesB in flags {
            let product = ProductCase<Float>(
              batch: 3, m, n, k, transposesB: transposesB, sharesA: sharesA, sharesB: sharesB)
            #expect(try product.computedByPacking() == product.computed())
          }
        }
      }
    }
  }

  @Test("add a bias as the product in one launch does", arguments: levels)
  func biases(level: ProductKernels.Level) throws {
    for (m, n, k) in [(3, 17, 5), (33, 70, 19), (17, 35, ProductBlocking.depth + 1)] {
      var floats = ProductCase<Float>(m, n, k, transposesB: true)
      floats.bias = (0..<n).map { 0.3 * Float($0 - 7) }
      #expect(try floats.computedByPacking(level: level) == floats.computed(level: level))
      var doubles = ProductCase<Double>(batch: 2, m, n, k)
      doubles.bias = (0..<n).map { 0.3 * Double($0 - 7) }
      #expect(try doubles.computedByPacking(level: level) == doubles.computed(level: level))
    }
  }

  @Test("are not made by vectors or of nothing, nor of memory that is too small")
  func refusals() throws {
    for parameters in [
      [0, 1, 1, 5, 3, 0, 0, 0, 0], [0, 1, 5, 1, 3, 0, 0, 0, 0], [0, 1, 5, 5, 0, 0, 0, 0, 0],
      [0, 0, 5, 5, 5, 0, 0, 0, 0], [0, 1, 2],
    ] {
      #expect(FactorPacking(parameters) == nil)
      #expect(HostKernels.source(named: "pack_right_factor", parameters: parameters) == nil)
      #expect(HostKernels.source(named: "product_by_packed", parameters: parameters) == nil)
    }
    let packing = try #require(FactorPacking([0, 1, 4, 4, 4, 0, 0, 0, 0]))
    var memory = [Float](repeating: 1, count: 1024)
    memory.withUnsafeMutableBytes { bytes in
      let short = UnsafeMutableRawBufferPointer(rebasing: bytes[..<60])
      for bindings in [[bytes], [short, bytes], [bytes, short]] {
        #expect(throws: DeviceError.self) {
          try packing.packing.body(HostArguments(bindings: bindings, pushConstants: []))
        }
      }
      for bindings in [
        [bytes, bytes], [short, bytes, bytes], [bytes, short, bytes], [bytes, bytes, short],
      ] {
        #expect(throws: DeviceError.self) {
          try packing.product.body(HostArguments(bindings: bindings, pushConstants: []))
        }
      }
    }
  }
}

extension ProductCase {
  /// The product in two launches; what is not part of the packed factor or of the product is checked to be untouched.
  fileprivate func computedByPacking(
    level: ProductKernels.Level? = nil, pool: ThreadPool = .shared,
    _ location: SourceLocation = #_sourceLocation
  ) throws -> [Element] {
    let size = MemoryLayout<Element>.size
    let kernels = level.flatMap { ProductKernels(elementSize: size, level: $0) }
    let packing = try #require(
      FactorPacking(try MatrixProduct(parameters: parameters), pool: pool, kernels: kernels))
    // What `MatrixProduct` plans for it.
    #expect(packing.byteCount <= (sharesB ? 1 : batch) * k * ((n + 15) / 16 * 16) * size)
    let (packedCount, count) = (packing.byteCount / size, batch * m * n)
    let guards = [Element](repeating: Self.guardValue, count: Self.guardCount)
    var packed = [Element](repeating: .nan, count: packedCount) + guards
    var c = [Element](repeating: .nan, count: count) + guards
    // Copies behind which NaN waits for a load that goes too far.
    var a = self.a + [Element](repeating: .nan, count: Self.guardCount)
    var b = self.b + [Element](repeating: .nan, count: Self.guardCount)
    var bias = self.bias + [Element](repeating: .nan, count: Self.guardCount)
    func part(_ bytes: UnsafeMutableRawBufferPointer, _ count: Int) -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(rebasing: bytes[..<(count * size)])
    }
    try packed.withUnsafeMutableBytes { packed in
      let panels = part(packed, packedCount)
      try b.withUnsafeMutableBytes {
        try packing.packing.body(
          HostArguments(bindings: [part($0, self.b.count), panels], pushConstants: []))
      }
      try a.withUnsafeMutableBytes { a in
        try bias.withUnsafeMutableBytes { bias in
          try c.withUnsafeMutableBytes {
            let addends = self.bias.isEmpty ? [] : [part(bias, self.bias.count)]
            try packing.product.body(
              HostArguments(
                bindings: [part(a, self.a.count), panels] + addends + [part($0, count)], pushConstants: []))
          }
        }
      }
    }
    for (array, end) in [(packed, packedCount), (c, count)] {
      #expect(
        array[end...].allSatisfy { $0 == Self.guardValue }, "written past the end", sourceLocation: location)
    }
    return Array(c[..<count])
  }
}
