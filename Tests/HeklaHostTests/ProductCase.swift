import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

/// What the product's tests need to know of an element type.
protocol ProductElement: BinaryFloatingPoint & Sendable {
  static var code: Int { get }
}
extension Float: ProductElement { static let code = 0 }
extension Double: ProductElement { static let code = 1 }

/// One product on random matrices, with its expected result.
struct ProductCase<Element: ProductElement> {
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
  /// What is added to every row; empty where nothing is.
  var bias: [Element] = []

  init(
    batch: Int = 1, _ m: Int, _ n: Int, _ k: Int, transposesA: Bool = false, transposesB: Bool = false,
    sharesA: Bool = false, sharesB: Bool = false, seed: UInt64 = 1
  ) {
    (self.batch, self.m, self.n, self.k) = (batch, m, n, k)
    (self.transposesA, self.transposesB) = (transposesA, transposesB)
    (self.sharesA, self.sharesB) = (sharesA, sharesB)
    var generator = Generator(seed: seed)
    a = (0..<(sharesA ? 1 : batch) * m * k).map { _ in Element(Double.random(in: -1...1, using: &generator)) }
    b = (0..<(sharesB ? 1 : batch) * k * n).map { _ in Element(Double.random(in: -1...1, using: &generator)) }
  }

  var parameters: [Int] {
    [
      Element.code, batch, m, n, k, transposesA ? 1 : 0, transposesB ? 1 : 0, sharesA ? 0 : m * k,
      sharesB ? 0 : k * n,
    ] + (bias.isEmpty ? [] : [1])
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
          var value = bias.isEmpty ? 0.0 : Double(bias[j])
          var size = value.magnitude
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
    level: ProductKernels.Level? = nil, pool: ThreadPool = .shared,
    _ location: SourceLocation = #_sourceLocation
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
    var bias = self.bias + [Element](repeating: .nan, count: Self.guardCount)
    try a.withUnsafeMutableBytes { a in
      try b.withUnsafeMutableBytes { b in
        try bias.withUnsafeMutableBytes { bias in
          try c.withUnsafeMutableBytes { c in
            let size = MemoryLayout<Element>.size
            let addends = UnsafeMutableRawBufferPointer(rebasing: bias[..<(self.bias.count * size)])
            try schedule.run(
              bindings: [
                UnsafeMutableRawBufferPointer(rebasing: a[..<(self.a.count * size)]),
                UnsafeMutableRawBufferPointer(rebasing: b[..<(self.b.count * size)]),
              ] + (self.bias.isEmpty ? [] : [addends]) + [
                UnsafeMutableRawBufferPointer(rebasing: c[..<(count * size)])
              ])
          }
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
  /// Stability of Numerical Algorithms", 2nd edition, section 3.1). Blocks of the depth add one rounding
  /// each, far below the k that is allowed for. For float32 the reference's own error is 2^-29 of that; for
  /// float64 it has the same bound, so twice is allowed.
  func check(
    level: ProductKernels.Level? = nil, pool: ThreadPool = .shared,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    check(try computed(level: level, pool: pool, location), location)
  }

  /// Compares `computed` with the reference, as `check(level:pool:)` does.
  func check(_ computed: [Element], _ location: SourceLocation = #_sourceLocation) {
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
