import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

@Suite struct LinearAlgebraTests {
  @Test func `a missing library and a missing routine are named, with the package to install`() throws {
    for file in ["libnothing.so.9", "libm.so.6"] {
      let error = try #require(throws: DeviceError.self) { try LAPACKLibrary(file: file) }
      #expect("\(error)".contains(file) && "\(error)".contains("libopenblas0"))
    }
  }

  @Test(arguments: [
    ("cholesky", [0, 2]), ("triangular_solve", [0, 1, 2, 3, 0, 0]), ("lu_factorization", [0, 1, 3, 4]),
    ("qr_factorization", [0, 1, 3, 4]), ("symmetric_eigen", [0, 1, 3, 4]),
    ("singular_values", [0, 1, -3, 4]),
    ("fourier", [0, 1, 8]),
  ])
  func `parameters that do not fit give nothing`(name: String, parameters: [Int]) {
    #expect(HostKernels.names.contains(name))
    #expect(HostKernels.source(named: name, parameters: parameters) == nil)
  }

  @Test func `a batch gives the bits of its halves, whichever threads take them`() throws {
    var generator = Generator(seed: 5)
    let n = 70
    let values = (0..<6 * n * n).map { _ in Float.random(in: -1...1, using: &generator) }
    func vectors(_ numbers: ArraySlice<Float>, _ batch: Int) throws -> [Float] {
      let source = try #require(HostKernels.source(named: "symmetric_eigen", parameters: [0, batch, n, n]))
      let bindings = [
        HostArray(Array(numbers), shape: [batch, n, n]), HostArray(zeros: [batch, n]),
        HostArray(zeros: [batch, n, n]),
      ]
      return try run(source, on: bindings)[2].elements(as: Float.self)
    }
    let all = try vectors(values[...], 6)
    #expect(try vectors(values[...], 6) == all)
    for first in [0, 3] {
      let range = first * n * n..<(first + 3) * n * n
      #expect(try vectors(values[range], 3) == Array(all[range]))
    }
  }

  @Test func `a missing buffer is an error`() throws {
    let source = try #require(HostKernels.source(named: "cholesky", parameters: [0, 2, 3]))
    #expect(throws: DeviceError.self) {
      try run(source, on: [HostArray(zeros: [2, 3, 3]), HostArray(zeros: [2, 3])])
    }
  }
}
