import Glibc
import HeklaDevices
import Testing

@testable import HeklaHost

/// Whether a BLAS is installed; where CI says so it must be, and the tests run and fail.
private let isExpected: Bool = {
  if case .success = BLASLibrary.shared { return true }
  return getenv("CI").map { String(cString: $0) == "true" } ?? false
}()

@Suite("The BLAS library", .enabled(if: isExpected, "no BLAS library is installed (package libopenblas0)"))
struct BLASLibraryTests {
  @Test("agrees with the host's own kernels")
  func agreement() throws {
    let library = try BLASLibrary.shared.get()
    for transposesA in [false, true] {
      for transposesB in [false, true] {
        let floats = ProductCase<Float>(
          batch: 2, 33, 47, 29, transposesA: transposesA, transposesB: transposesB, sharesB: true)
        try check(floats, library)
        try check(ProductCase<Double>(31, 5, 64, transposesA: transposesA, transposesB: transposesB), library)
      }
    }
  }

  private func check<Element: ProductElement>(_ product: ProductCase<Element>, _ library: BLASLibrary) throws
  {
    let shape = try MatrixProduct(parameters: product.parameters)
    var values = [Element](repeating: .nan, count: product.batch * product.m * product.n)
    product.a.withUnsafeBytes { a in
      product.b.withUnsafeBytes { b in
        values.withUnsafeMutableBytes { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          library.multiply(shape, a, b, into: c)
        }
      }
    }
    product.check(values)
  }

  @Test("refuses sizes that its integers do not hold, and empty ones")
  func limits() throws {
    let library = try BLASLibrary.shared.get()
    let fits = try MatrixProduct(parameters: [0, 1, 3, 4, 5, 0, 0, 0, 0])
    let isEmpty = try MatrixProduct(parameters: [0, 1, 3, 4, 0, 0, 0, 0, 0])
    let isLong = try MatrixProduct(parameters: [0, 1, 1 << 32, 4, 5, 0, 0, 0, 0])
    #expect(library.canMultiply(fits))
    #expect(!library.canMultiply(isEmpty))
    #expect(!library.canMultiply(isLong))
  }
}
