import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// What single operations' conformance does not show: further results, compositions, and what cannot be done.
@Suite struct LinearAlgebraTests {
  private static func random(_ shape: Shape, seed: UInt64) -> Tensor {
    var numbers = RandomNumbers(seed: seed)
    return Tensor((0..<shape.count).map { _ in Float(numbers.real(in: -1...1)) }, shape: shape)
  }

  /// Random matrices with 2 added to the diagonal: their condition is below 100.
  private static func matrices(_ shape: Shape, seed: UInt64) -> Tensor {
    let (m, n) = (shape[-2], shape[-1])
    let ones = Tensor.identity(max(m, n)).sliced(0..<m, along: 0).sliced(0..<n, along: 1)
    return random(shape, seed: seed) * (1 / Double(n)) + ones * 2
  }

  private static func definite(_ shape: Shape, seed: UInt64) -> Tensor {
    let x = random(shape, seed: seed)
    return x.matrixProduct(x.transposed()) * (1 / Double(shape[-1])) + Tensor.identity(shape[-1])
  }

  private func expectNear(
    _ got: HostArray, _ wanted: HostArray, within bound: Double, _ label: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let difference = disagreement(got, wanted, within: bound)
    #expect(difference == nil, "\(label): \(difference ?? "")", sourceLocation: sourceLocation)
  }

  @Test(arguments: TestDevice.present)
  func `positive definite systems are solved, inverted and measured, with their gradients`(device: TestDevice)
    throws
  {
    let (a, b) = (Self.definite([3, 33, 33], seed: 1), Self.random([33, 2], seed: 2))
    let solution = a.solvePositiveDefinite(b)
    let logarithm = a.logDeterminantPositiveDefinite()
    let loss = solution.squared().sum() + logarithm.sum()
    let outputs =
      [solution, logarithm, a.inversePositiveDefinite().matrixProduct(a)]
      + gradients(of: loss, withRespectTo: [a, b])
    try device.run { executor in
      let got = try executor.compile(StepDescription(outputs: outputs)).run()
      // Conditions are below 10 and values of the order of 1, for the logarithms of 33: 1e-4 is some thousand
      // half-units, where n times the condition is 330; a wrong factor or sign is off by 0.1 and more.
      for (index, (got, wanted)) in zip(got, referenceValues(of: outputs)).enumerated() {
        expectNear(got, wanted, within: 1e-4, "\(device.name) output \(index)")
      }
      expectNear(
        got[2], referenceValues(of: [Tensor.identity(33).broadcast(to: [3, 33, 33])])[0], within: 1e-4,
        device.name)
    }
  }

  @Test(arguments: TestDevice.present)
  func
    `a matrix that is not positive definite gives NaN from its first bad column on, others are not touched`(
      device: TestDevice
    ) throws
  {
    var numbers = [Float](repeating: 0, count: 2 * 40 * 40)
    for item in 0..<2 {
      for i in 0..<40 { numbers[(item * 40 + i) * 40 + i] = item == 0 && i == 35 ? -1 : 4 }
    }
    let factor = Tensor(numbers, shape: [2, 40, 40]).cholesky()
    try device.run { executor in
      let got = try executor.compile(StepDescription(outputs: [factor])).run()[0].doubles()
      for item in 0..<2 {
        for row in 0..<40 {
          for column in 0..<40 {
            let value = got[(item * 40 + row) * 40 + column]
            if item == 0 && column >= 35 && row >= column {
              #expect(value.isNaN)
            } else {
              #expect(value == (row == column ? 2 : 0))
            }
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 31, 65])
  func `factors multiply to what was factored`(n: Int) throws {
    let a = Self.matrices([2, n, n], seed: UInt64(n))
    let tall = Self.matrices([2, n + 3, n], seed: UInt64(n) + 1)
    let symmetric = a + a.transposed()
    let (packed, permutation, _) = a.luFactorization()
    let lower = packed.lowerTriangle(diagonal: -1) + Tensor.identity(n)
    let permuted = Tensor.stacking(
      (0..<2).map { a.element($0, along: 0).gathered(at: permutation.element($0, along: 0)) })
    let (q, r) = tall.qrFactorization()
    let (vectors, values) = symmetric.symmetricEigen()
    let (u, singular, vt) = tall.transposed().singularValueDecomposition()
    let factor = Self.definite([2, n, n], seed: 9).cholesky()
    let pairs = [
      (lower.matrixProduct(packed.upperTriangle()), permuted), (q.matrixProduct(r), tall),
      (q.transposed().matrixProduct(q), Tensor.identity(n).broadcast(to: [2, n, n])), (r, r.upperTriangle()),
      (vectors.matrixProduct(values.embeddedAsDiagonal()).matrixProduct(vectors.transposed()), symmetric),
      (u.matrixProduct(singular.embeddedAsDiagonal()).matrixProduct(vt), tall.transposed()),
      (factor.matrixProduct(factor.transposed()), Self.definite([2, n, n], seed: 9)),
    ]
    let got = try TestDevice.cpu.executor().compile(StepDescription(outputs: pairs.flatMap { [$0.0, $0.1] }))
      .run()
    // Values below 5; 1e-4 is 300 half-units of them where n is at most 65.
    for pair in pairs.indices {
      expectNear(
        got[2 * pair], got[2 * pair + 1].converted(to: .float64), within: 1e-4, "pair \(pair) of \(n)")
    }
  }

  @Test func `further results, solutions and determinants agree with their references on the cpu`() throws {
    let a = Self.matrices([2, 3, 9, 9], seed: 4)
    let b = Self.random([3, 9, 2], seed: 5)
    let symmetric = a + Tensor.range(9).converted(to: .float32).embeddedAsDiagonal()
    let (sign, logarithm) = (a - 2.2).logDeterminant()
    let svd = symmetric.sliced(0..<5, along: 2).singularValueDecomposition()
    let eigen = symmetric.symmetricEigen()
    let qr = a.qrFactorization()
    let solution = a.solve(b)
    let loss =
      solution.squared().sum() + svd.values.exp().sum() * 1e-4 + eigen.values.squared().sum() * 1e-2
      + qr.r.sum()
    let outputs =
      [sign, logarithm, svd.values, svd.vTransposed, eigen.values, qr.r, solution, a.inverse()]
      + gradients(of: loss, withRespectTo: [a, b])
    let got = try TestDevice.cpu.executor().compile(StepDescription(outputs: outputs)).run()
    // Values up to 20, conditions below 100: some thousand half-units of 10.
    for (index, (got, wanted)) in zip(got, referenceValues(of: outputs)).enumerated() {
      expectNear(got, wanted, within: 3e-3, "output \(index)")
    }
    #expect(
      solution.shape == [2, 3, 9, 2] && svd.vTransposed.shape == [2, 3, 5, 9] && sign.shape == [2, 3])
  }

  @Test func `matrices in float64 are factored in float64 on the cpu`() throws {
    let a = Self.matrices([2, 7, 7], seed: 6).converted(to: .float64)
    let b = Self.random([2, 7, 2], seed: 7).converted(to: .float64)
    let residual = a.matrixProduct(a.solve(b)) - b
    let svd = a.singularValueDecomposition()
    let rebuilt = svd.u.matrixProduct(svd.values.embeddedAsDiagonal()).matrixProduct(svd.vTransposed) - a
    for got in try TestDevice.cpu.executor().compile(StepDescription(outputs: [residual, rebuilt])).run() {
      // Float32 would leave about 1e-7.
      #expect(got.doubles().allSatisfy { abs($0) < 1e-13 })
    }
  }

  @Test(arguments: TestDevice.shading)
  func `what only the cpu device factors is refused elsewhere, with the way out`(device: TestDevice) throws {
    let a = Self.matrices([1, 3, 3], seed: 8)
    for output in [
      a.luFactorization().packed, a.qrFactorization().q, a.symmetricEigen().values,
      a.singularValueDecomposition().u,
    ] {
      let error = try #require(throws: DeviceError.self) {
        try device.executor().compile(StepDescription(outputs: [output]))
      }
      #expect("\(error)".contains("cpu device"))
    }
  }

  @Test func `no matrices and empty ones give empty results`() {
    #expect(Tensor.zeros([0, 3, 3]).cholesky().shape == [0, 3, 3])
    #expect(Tensor.zeros([2, 0, 0]).luFactorization().permutation.shape == [2, 0])
    #expect(Tensor.zeros([2, 3, 3]).triangularSolve(.zeros([3, 0])).shape == [2, 3, 0])
    #expect(Tensor.zeros([0, 4, 2]).fft().shape == [0, 4, 2])
  }
}
