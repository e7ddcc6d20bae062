import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

/// What the product's tests need to know of an element type.
private protocol Real: BinaryFloatingPoint & Sendable {
  static var code: Int { get }
}
extension Float: Real { static let code = 0 }
extension Double: Real { static let code = 1 }

/// One product on random matrices, with its expected result.
private struct Case<Element: Real> {
  var batch = 1
  var m: Int
  var n: Int
  var k: Int
  var transposesA = false
  var transposesB = false
  var sharesA = false
  var sharesB = false
  var a: [Element] = []
  var b: [Element] = []

  init(
    batch: Int = 1, _ m: Int, _ n: Int, _ k: Int, transposesA: Bool = false, transposesB: Bool = false,
    sharesA: Bool = false, sharesB: Bool = false, seed: UInt64 = 1
  ) {
    (self.batch, self.m, self.n, self.k) = (batch, m, n, k)
    (self.transposesA, self.transposesB) = (transposesA, transposesB)
    (self.sharesA, self.sharesB) = (sharesA, sharesB)
    var generator = Weyl(state: seed)
    a = (0..<(sharesA ? 1 : batch) * m * k).map { _ in Element(generator.next()) }
    b = (0..<(sharesB ? 1 : batch) * k * n).map { _ in Element(generator.next()) }
  }

  var parameters: [Int] {
    [
      Element.code, batch, m, n, k, transposesA ? 1 : 0, transposesB ? 1 : 0, sharesA ? 0 : m * k,
      sharesB ? 0 : k * n,
    ]
  }

  func a(_ item: Int, _ i: Int, _ p: Int) -> Double {
    Double(a[(sharesA ? 0 : item * m * k) + (transposesA ? p * m + i : i * k + p)])
  }

  func b(_ item: Int, _ p: Int, _ j: Int) -> Double {
    Double(b[(sharesB ? 0 : item * k * n) + (transposesB ? j * k + p : p * n + j)])
  }

  /// The product by three loops in `Double`, and with each value the sum of the terms' sizes.
  func expected() -> [(value: Double, size: Double)] {
    var result: [(value: Double, size: Double)] = []
    for item in 0..<batch {
      for i in 0..<m {
        for j in 0..<n {
          var value = 0.0
          var size = 0.0
          for p in 0..<k {
            let term = a(item, i, p) * b(item, p, j)
            value += term
            size += term.magnitude
          }
          result.append((value, size))
        }
      }
    }
    return result
  }

  static var guardCount: Int { 64 }
  static var guardValue: Element { -12_345 }

  /// The product as the host computes it; what is not part of it is checked to be untouched.
  func computed(
    level: ProductKernels.Level? = nil, pool: ThreadPool = .shared, _ location: SourceLocation = #_sourceLocation
  ) throws -> [Element] {
    let kernels = level.flatMap {
      ProductKernels(elementSize: MemoryLayout<Element>.size, level: $0)
    }
    let schedule = ProductSchedule(try MatrixProduct(parameters: parameters), pool: pool, kernels: kernels)
    let count = batch * m * n
    var c = [Element](repeating: .nan, count: count)
    c += [Element](repeating: Self.guardValue, count: Self.guardCount)
    // Copies that end exactly where the matrix ends, behind which NaN waits for a load that goes too far.
    var a = self.a + [Element](repeating: .nan, count: Self.guardCount)
    var b = self.b + [Element](repeating: .nan, count: Self.guardCount)
    try a.withUnsafeMutableBytes { a in
      try b.withUnsafeMutableBytes { b in
        try c.withUnsafeMutableBytes { c in
          let size = MemoryLayout<Element>.size
          try schedule.run(bindings: [
            UnsafeMutableRawBufferPointer(rebasing: a[..<(self.a.count * size)]),
            UnsafeMutableRawBufferPointer(rebasing: b[..<(self.b.count * size)]),
            UnsafeMutableRawBufferPointer(rebasing: c[..<(count * size)]),
          ])
        }
      }
    }
    #expect(
      c[count...].allSatisfy { $0 == Self.guardValue }, "written past the end", sourceLocation: location)
    return Array(c[..<count])
  }

  /// Compares the host's result with the reference.
  ///
  /// A sum of k rounded products, added in any order, is off by at most gamma(k) * sum |a * b| with
  /// gamma(k) = k * u / (1 - k * u) and u half the distance from 1 to the next number (Higham, "Accuracy and
  /// Stability of Numerical Algorithms", 2nd edition, section 3.1). Blocks of the depth add one rounding each,
  /// far below the k that is allowed for. For float32 the reference's own error is 2^-29 of that; for float64
  /// it has the same bound, so twice is allowed.
  func check(
    level: ProductKernels.Level? = nil, pool: ThreadPool = .shared, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let computed = try computed(level: level, pool: pool, location)
    let expected = expected()
    #expect(computed.count == expected.count, sourceLocation: location)
    let steps = Double(k + 1) * Double(Element.ulpOfOne) / 2
    let bound = 2 * steps / (1 - steps)
    for (index, (value, reference)) in zip(computed, expected).enumerated() {
      let error = (Double(value) - reference.value).magnitude
      guard error <= bound * reference.size else {
        Issue.record(
          "\(parameters) at \(index): \(value), expected \(reference.value)", sourceLocation: location)
        return
      }
    }
  }
}

/// Numbers from -1 to 1 without a pattern: a Weyl sequence, mixed.
private struct Weyl {
  var state: UInt64

  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double(Int64(bitPattern: word ^ (word >> 31)) >> 11) * 0x1p-52
  }
}

private let levels = ProductKernels.Level.allCases.filter { ProductKernels(elementSize: 4, level: $0) != nil }
private let flags = [false, true]

@Suite("The host's matrix product")
struct MatrixProductTests {
  @Test("equals three loops at sizes around tile edges, at every level", arguments: levels)
  func tileEdges(level: ProductKernels.Level) throws {
    let kernels = try #require(ProductKernels(elementSize: 4, level: level))
    let rows = [1, 2, 3, kernels.tileRows - 1, kernels.tileRows, kernels.tileRows + 1, 2 * kernels.tileRows + 3]
    let width = kernels.lanes
    let columns = [1, 2, width - 1, width, width + 1, 2 * width - 1, 2 * width, 2 * width + 1, 4 * width + 5]
    for m in rows {
      for n in columns {
        for k in [1, 2, 13, 17, 33] {
          for transposesA in flags {
            for transposesB in flags {
              try Case<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(level: level)
              try Case<Double>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(level: level)
            }
          }
        }
      }
    }
  }

  @Test("equals three loops at sizes around block edges, at every level", arguments: levels)
  func blockEdges(level: ProductKernels.Level) throws {
    let shapes = [
      (ProductBlocking.rows + 1, 35, 19), (ProductBlocking.directRows + 1, 67, 31), (3, 5, ProductBlocking.depth),
      (17, 35, ProductBlocking.depth + 1), (15, 33, 2 * ProductBlocking.depth + 7),
      (5, ProductBlocking.columns + 1, 9), (5, ProductBlocking.directColumns + 1, 23), (61, 10, 101),
    ]
    for (m, n, k) in shapes {
      for transposesA in flags {
        for transposesB in flags {
          try Case<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(level: level)
          try Case<Double>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(level: level)
        }
      }
    }
  }

  @Test("equals three loops where several threads share it", arguments: levels)
  func severalThreads(level: ProductKernels.Level) throws {
    let pool = ThreadPool(threadCount: 3)
    for (m, n, k) in [(131, 137, 139), (257, 65, 127), (29, 311, 233), (1, 1031, 521), (1031, 1, 521)] {
      for transposesA in flags {
        for transposesB in flags {
          try Case<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
            .check(level: level, pool: pool)
        }
      }
    }
  }

  @Test("multiplies batches, shared factors included")
  func batches() throws {
    for batch in [1, 2, 5] {
      for (m, n, k) in [(3, 4, 5), (17, 33, 18), (1, 40, 7), (40, 1, 7)] {
        for transposesA in flags {
          for transposesB in flags {
            for sharesA in flags {
              for sharesB in flags {
                try Case<Float>(
                  batch: batch, m, n, k, transposesA: transposesA, transposesB: transposesB, sharesA: sharesA,
                  sharesB: sharesB
                ).check()
              }
            }
          }
        }
      }
    }
  }

  @Test("gives zeros for an empty depth and nothing for an empty result")
  func emptySizes() throws {
    let zeros = try Case<Float>(batch: 2, 3, 5, 0).computed()
    #expect(zeros == [Float](repeating: 0, count: 30))
    #expect(try Case<Double>(4, 1, 0).computed() == [0, 0, 0, 0])
    #expect(try Case<Float>(0, 5, 3).computed().isEmpty)
    #expect(try Case<Float>(5, 0, 3).computed().isEmpty)
    #expect(try Case<Float>(batch: 0, 5, 4, 3).computed().isEmpty)
  }

  @Test("lets NaN and infinity through, also where the other factor is zero", arguments: levels)
  func specialValues(level: ProductKernels.Level) throws {
    for (m, n, k) in [(5, 7, 3), (31, 35, 20), (1, 40, 9), (40, 1, 9), (64, 96, 400)] {
      for transposesA in flags {
        for transposesB in flags {
          var product = Case<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
          product.b = product.b.map { _ in 0 }
          let row = m - 1
          let column = k - 1
          let index = transposesA ? column * m + row : row * k + column
          for special in [Float.nan, .infinity] {
            product.a[index] = special
            let computed = try product.computed(level: level)
            for i in 0..<m {
              let line = computed[(i * n)..<(i * n + n)]
              // Zero times NaN and zero times infinity are both NaN; the other rows are zero.
              #expect(line.allSatisfy { i == row ? $0.isNaN : $0 == 0 })
            }
          }
          product.b = product.b.map { _ in 1 }
          product.a = product.a.map { _ in 1 }
          product.a[index] = -.infinity
          let computed = try product.computed(level: level)
          #expect(computed[(row * n)...].allSatisfy { $0 == -.infinity })
          #expect(computed[..<(row * n)].allSatisfy { $0 == Float(k) })
        }
      }
    }
  }

  @Test("gives the same bits on any number of threads, every time")
  func sameBits() throws {
    let pools = [ThreadPool(threadCount: 1), ThreadPool(threadCount: 2), ThreadPool(threadCount: 5)]
    for (m, n, k) in [(300, 290, 410), (60, 300, 784), (784, 300, 60), (1, 3000, 700), (3000, 1, 700)] {
      for transposesA in flags {
        for transposesB in flags {
          let product = Case<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
          let first = try product.computed(pool: pools[0])
          for pool in pools + pools {
            #expect(try product.computed(pool: pool) == first)
          }
        }
      }
    }
  }

  @Test("gives an element the same bits whatever the size of the matrix around it", arguments: levels)
  func sameBitsInAnyTile(level: ProductKernels.Level) throws {
    let whole = Case<Float>(77, 101, 500)
    let wholeResult = try whole.computed(level: level)
    for rows in [2, 9, 13, 40] {
      var part = Case<Float>(rows, 101, 500)
      part.a = Array(whole.a[..<(rows * 500)])
      part.b = whole.b
      #expect(try part.computed(level: level)[...] == wholeResult[..<(rows * 101)])
    }
  }

  @Test("refuses parameters and bindings that do not fit")
  func invalidArguments() throws {
    #expect(throws: DeviceError.self) { try MatrixProduct(parameters: [0, 1, 2, 3]) }
    #expect(throws: DeviceError.self) { try MatrixProduct(parameters: [2, 1, 2, 3, 4, 0, 0, 8, 12]) }
    #expect(throws: DeviceError.self) { try MatrixProduct(parameters: [0, 1, -2, 3, 4, 0, 0, 8, 12]) }
    #expect(throws: DeviceError.self) { try MatrixProduct(parameters: [0, 1, 1 << 40, 3, 1 << 40, 0, 0, 8, 12]) }
    let source = try MatrixProduct.source(parameters: [0, 1, 2, 2, 2, 0, 0, 4, 4])
    var memory = [Float](repeating: 1, count: 4)
    memory.withUnsafeMutableBytes { bytes in
      let short = UnsafeMutableRawBufferPointer(rebasing: bytes[..<12])
      #expect(throws: DeviceError.self) {
        try source.body(HostArguments(bindings: [bytes, bytes], pushConstants: []))
      }
      #expect(throws: DeviceError.self) {
        try source.body(HostArguments(bindings: [bytes, short, bytes], pushConstants: []))
      }
    }
  }

  @Test("is told apart by everything that its body depends on")
  func sourceKeys() throws {
    let parameters = [0, 2, 3, 4, 5, 0, 0, 15, 20]
    let changed = [1, 3, 4, 5, 6, 1, 1, 0, 0]
    let source = try MatrixProduct.source(parameters: parameters)
    #expect(source.name == "matrix_product")
    #expect(try MatrixProduct.source(parameters: parameters) == source)
    for index in parameters.indices {
      var other = parameters
      other[index] = changed[index]
      #expect(try MatrixProduct.source(parameters: other) != source)
    }
  }
}
