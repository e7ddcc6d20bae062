import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

private let levels = ProductKernels.Level.allCases.filter { ProductKernels(elementSize: 4, level: $0) != nil }
private let flags = [false, true]

@Suite("The host's matrix product")
struct MatrixProductTests {
  @Test("equals three loops at sizes around tile edges, at every level", arguments: levels)
  func tileEdges(level: ProductKernels.Level) throws {
    let kernels = try #require(ProductKernels(elementSize: 4, level: level))
    let rows = [
      1, 2, 3, kernels.tileRows - 1, kernels.tileRows, kernels.tileRows + 1, 2 * kernels.tileRows + 3,
    ]
    let width = kernels.lanes
    let columns = [1, 2, width - 1, width, width + 1, 2 * width - 1, 2 * width, 2 * width + 1, 4 * width + 5]
    for m in rows {
      for n in columns {
        for k in [1, 2, 13, 17, 33] {
          for transposesA in flags {
            for transposesB in flags {
              try ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(
                level: level)
              try ProductCase<Double>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(
                level: level)
            }
          }
        }
      }
    }
  }

  @Test("equals three loops at sizes around block edges, at every level", arguments: levels)
  func blockEdges(level: ProductKernels.Level) throws {
    let shapes = [
      (ProductBlocking.rows + 1, 35, 19), (ProductBlocking.directRows + 1, 67, 31),
      (3, 5, ProductBlocking.depth),
      (17, 35, ProductBlocking.depth + 1), (15, 33, 2 * ProductBlocking.depth + 7),
      (5, ProductBlocking.columns + 1, 9), (5, ProductBlocking.directColumns + 1, 23), (61, 10, 101),
    ]
    for (m, n, k) in shapes {
      for transposesA in flags {
        for transposesB in flags {
          try ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(
            level: level)
          try ProductCase<Double>(m, n, k, transposesA: transposesA, transposesB: transposesB).check(
            level: level)
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
          try ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
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
                try ProductCase<Float>(
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
    let zeros = try ProductCase<Float>(batch: 2, 3, 5, 0).computed()
    #expect(zeros == [Float](repeating: 0, count: 30))
    #expect(try ProductCase<Double>(4, 1, 0).computed() == [0, 0, 0, 0])
    #expect(try ProductCase<Float>(0, 5, 3).computed().isEmpty)
    #expect(try ProductCase<Float>(5, 0, 3).computed().isEmpty)
    #expect(try ProductCase<Float>(batch: 0, 5, 4, 3).computed().isEmpty)
  }

  @Test("lets NaN and infinity through, also where the other factor is zero", arguments: levels)
  func specialValues(level: ProductKernels.Level) throws {
    for (m, n, k) in [(5, 7, 3), (31, 35, 20), (1, 40, 9), (40, 1, 9), (64, 96, 400)] {
      for transposesA in flags {
        for transposesB in flags {
          var product = ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
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

  @Test("adds a bias to every row, after all else where the depth is one block", arguments: levels)
  func bias(level: ProductKernels.Level) throws {
    func check<Element: ProductElement>(_ product: ProductCase<Element>) throws {
      let plain = try product.computed(level: level)
      var product = product
      product.bias = (0..<product.n).map { Element($0 % 7) / 8 - 0.5 }
      let found = try product.computed(level: level)
      product.check(found)
      guard product.k <= ProductBlocking.depth else { return }
      #expect(found == plain.enumerated().map { $1 + product.bias[$0 % product.n] })
    }
    for (m, n, k) in [(5, 7, 3), (29, 45, 16), (300, 33, 20), (20, 1100, 9), (40, 35, 1600), (9, 6, 0)] {
      for flags in 0..<4 {
        let (transposesA, transposesB) = (flags & 1 != 0, flags & 2 != 0)
        try check(ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB))
      }
    }
    try check(ProductCase<Double>(13, 21, 34))
    // Of one row each, and many that are one product.
    try check(ProductCase<Float>(batch: 3, 1, 40, 6))
    try check(ProductCase<Double>(batch: 3, 1, 5, 6))
    try check(ProductCase<Float>(batch: 4, 7, 40, 6, sharesB: true))
  }

  @Test("gives the same bits on any number of threads, every time")
  func sameBits() throws {
    let pools = [ThreadPool(threadCount: 1), ThreadPool(threadCount: 2), ThreadPool(threadCount: 5)]
    for (m, n, k) in [(300, 290, 410), (60, 300, 784), (784, 300, 60), (1, 3000, 700), (3000, 1, 700)] {
      for transposesA in flags {
        for transposesB in flags {
          let product = ProductCase<Float>(m, n, k, transposesA: transposesA, transposesB: transposesB)
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
    let whole = ProductCase<Float>(77, 101, 500)
    let wholeResult = try whole.computed(level: level)
    for rows in [2, 9, 13, 40] {
      var part = ProductCase<Float>(rows, 101, 500)
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
    #expect(throws: DeviceError.self) {
      try MatrixProduct(parameters: [0, 1, 1 << 40, 3, 1 << 40, 0, 0, 8, 12])
    }
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
    let parameters = [0, 2, 3, 4, 5, 0, 0, 15, 20, 0]
    let changed = [1, 3, 4, 5, 6, 1, 1, 0, 0, 1]
    let source = try MatrixProduct.source(parameters: parameters)
    #expect(source.name == "matrix_product")
    #expect(HostKernels.source(named: "matrix_product", parameters: parameters) == source)
    #expect(HostKernels.source(named: "matrix_product", parameters: [0]) == nil)
    #expect(try MatrixProduct.source(parameters: parameters) == source)
    for index in parameters.indices {
      var other = parameters
      other[index] = changed[index]
      #expect(try MatrixProduct.source(parameters: other) != source)
    }
  }
}
