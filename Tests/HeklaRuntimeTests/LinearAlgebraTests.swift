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

  /// Every factorization of `a` and `tall`, its results multiplied, beside what they have to give.
  private static func products(_ a: Tensor, tall: Tensor) -> [(Tensor, Tensor)] {
    let (batch, n, type) = (a.shape[0], a.shape[1], a.elementType)
    let ones = Tensor.identity(n, type).broadcast(to: [batch, n, n])
    let (packed, permutation, _) = a.luFactorization()
    let lower = packed.lowerTriangle(diagonal: -1) + Tensor.identity(n, type)
    let permuted = Tensor.stacking(
      (0..<batch).map { a.element($0, along: 0).gathered(at: permutation.element($0, along: 0)) })
    let (q, r) = tall.qrFactorization()
    let shared = [
      (lower.matrixProduct(packed.upperTriangle()), permuted),
      (q.matrixProduct(r), tall), (q.transposed().matrixProduct(q), ones), (r, r.upperTriangle()),
    ]
    let (symmetric, wide) = (a + a.transposed(), tall.transposed())
    let (vectors, values) = symmetric.symmetricEigen()
    let (u, singular, vt) = wide.singularValueDecomposition()
    let (tallU, tallSingular, tallVT) = tall.singularValueDecomposition()
    return shared + [
      (symmetric.matrixProduct(vectors), vectors * values.expanded(at: 1)),
      (vectors.transposed().matrixProduct(vectors), ones),
      ((u * singular.expanded(at: 1)).matrixProduct(vt), wide), (u.transposed().matrixProduct(u), ones),
      (vt.matrixProduct(vt.transposed()), ones), (singular, tallSingular),
      ((tallU * tallSingular.expanded(at: 1)).matrixProduct(tallVT), tall),
      (tallU.transposed().matrixProduct(tallU), ones), (tallVT.matrixProduct(tallVT.transposed()), ones),
    ]
  }

  private func expectProducts(
    _ a: Tensor, tall: Tensor, within bound: Double, on executor: PlanExecutor, variant: String? = nil,
    _ label: String
  ) throws {
    // Panels are LU's own; QR has the matrix in buffers then.
    let names = ["lu-factorization", "qr-factorization"]
    let choices =
      variant.map { variant in
        names.map { ($0, variant == "panels" && $0 == "qr-factorization" ? "global" : variant) }
      } ?? []
    let pairs = Self.products(a, tall: tall)
    let step = try executor.compile(
      StepDescription(outputs: pairs.flatMap { [$0.0, $0.1] }),
      options: CompilerOptions(preferring: Dictionary(uniqueKeysWithValues: choices)))
    let got = try step.run()
    for pair in pairs.indices {
      expectNear(
        got[2 * pair], got[2 * pair + 1].converted(to: .float64), within: bound, "\(label), pair \(pair)")
    }
    let again = try step.run()
    #expect(again == got, "\(label): other bits")
    if let variant { #expect(step.plan.steps.contains { $0.variant == variant }, "\(label)") }
  }

  @Test(arguments: TestDevice.present)
  func `factors multiply to what was factored, and are orthonormal`(device: TestDevice) throws {
    try device.run { executor in
      // On the cpu there is one variant. Values below 5: 1e-4 is 300 half-units of them where n is at most 65.
      for n in device.isHost ? [1, 2, 31, 65] : [1, 2, 31] {
        let (a, tall) = (
          Self.matrices([2, n, n], seed: UInt64(n)), Self.matrices([2, n + 3, n], seed: UInt64(n) + 1)
        )
        for variant in device.isHost ? [nil] : ["shared", "global"] {
          try expectProducts(
            a, tall: tall, within: 1e-4, on: executor, variant: variant,
            "\(device.name) \(n) \(variant ?? "")")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `matrices beyond shared memory are factored`(device: TestDevice) throws {
    // As many elements as the least of shared memory that drivers have, and more.
    let (a, tall) = (Self.matrices([1, 100, 100], seed: 11), Self.matrices([1, 103, 100], seed: 12))
    // Half-units of 3 times n, as above.
    try device.run { executor in
      for variant in device.isHost ? [nil] : ["panels", "global"] {
        try expectProducts(a, tall: tall, within: 1e-4, on: executor, variant: variant, device.name)
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `matrices in float64 are factored in float64 where the device has it`(device: TestDevice) throws {
    let (a, tall) = (
      Self.matrices([2, 9, 9], seed: 6).converted(to: .float64),
      Self.matrices([2, 12, 9], seed: 6).converted(to: .float64)
    )
    let b = Self.random([2, 9, 2], seed: 7).converted(to: .float64)
    try device.run { executor in
      guard executor.device.capabilities.arithmeticTypes.contains(.float64) || device.isHost else {
        try Test.cancel("\(device.name) does not compute in float64")
      }
      // Float32 would leave about 1e-7.
      try expectProducts(a, tall: tall, within: 1e-13, on: executor, device.name)
      let residual = a.matrixProduct(a.solve(b)) - b
      let got = try executor.compile(StepDescription(outputs: [residual])).run()[0]
      #expect(got.doubles().allSatisfy { abs($0) < 1e-13 })
    }
  }

  @Test(arguments: TestDevice.present)
  func `further results, solutions and determinants agree with their references, with their gradients`(
    device: TestDevice
  ) throws {
    let a = Self.matrices([2, 3, 9, 9], seed: 4)
    let b = Self.random([3, 9, 2], seed: 5)
    let symmetric = a + Tensor.range(9).converted(to: .float32).embeddedAsDiagonal()
    let (packed, permutation, permutationSign) = (a - 2.2).luFactorization()
    let (sign, logarithm) = (a - 2.2).logDeterminant()
    let svd = symmetric.sliced(0..<5, along: 2).singularValueDecomposition()
    let eigen = symmetric.symmetricEigen()
    let qr = a.qrFactorization()
    let (solution, inverse) = (a.solve(b), a.inverse())
    let losses = [
      solution.squared().sum() + inverse.squared().sum() + logarithm.sum(),
      qr.r.sum() + (qr.q * qr.q * qr.q).sum(),
      svd.values.exp().sum() * 1e-4 + svd.u.sum() + svd.vTransposed.squared().sum(),
      eigen.values.squared().sum() * 1e-2 + eigen.vectors.sum() * 0.1,
    ]
    let outputs =
      [svd.values, svd.vTransposed, eigen.values, sign, logarithm, qr.r, solution, inverse, packed]
      + losses.flatMap { gradients(of: $0, withRespectTo: [a]) }
      + gradients(of: losses[0], withRespectTo: [b])
    try device.run { executor in
      let got = try executor.compile(StepDescription(outputs: outputs + [permutation, permutationSign])).run()
      // Values up to 20, conditions below 100: some thousand half-units of 10.
      for (index, (got, wanted)) in zip(got, referenceValues(of: outputs)).enumerated() {
        expectNear(got, wanted, within: 3e-3, "\(device.name) output \(index)")
      }
      for (got, wanted) in zip(got.suffix(2), referenceValues(of: [permutation, permutationSign])) {
        #expect(got.doubles() == wanted.doubles())
      }
    }
    #expect(
      solution.shape == [2, 3, 9, 2] && svd.vTransposed.shape == [2, 3, 5, 9] && sign.shape == [2, 3])
  }

  @Test(arguments: TestDevice.present)
  func `the first of equal pivots is taken, and a singular matrix has a zero on the diagonal of U`(
    device: TestDevice
  ) throws {
    // The second column of the second matrix is twice its first.
    let numbers: [Float] = [1, 2, 3, -2, 1, 5, 2, 4, 1, 1, 2, 0, 4, 8, 1, 2, 4, 8]
    let (packed, permutation, sign) = Tensor(numbers, shape: [2, 3, 3]).luFactorization()
    let outputs = [packed, permutation, sign]
    try device.run { executor in
      let got = try executor.compile(StepDescription(outputs: outputs)).run()
      #expect(got[1].doubles() == [1, 2, 0, 1, 0, 2])
      #expect(got[0].doubles()[9 + 4] == 0)
      for (got, wanted) in zip(got, referenceValues(of: outputs)) {
        // Numbers up to 8, exact but for a third and a fifth.
        #expect(disagreement(got, wanted, within: 2e-6) == nil)
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `matrices of low rank and repeated values have orthonormal factors`(device: TestDevice) throws {
    // Of rank 2, of rank 1 with equal columns, and without anything.
    let x = Self.random([7, 2], seed: 21)
    let low = x.matrixProduct(Self.random([2, 5], seed: 22))
    let matrices = Tensor.stacking([low, .ones([7, 5]), .zeros([7, 5])])
    let (u, s, vt) = matrices.singularValueDecomposition()
    let (wideU, wideS, wideVT) = matrices.transposed().singularValueDecomposition()
    let (q, r) = matrices.qrFactorization()
    // 2 twice and 5 three times, turned; and the identity.
    let turn = Self.random([5, 5], seed: 23).qrFactorization().q
    let repeated = (turn * Tensor([2, 2, 5, 5, 5] as [Float], shape: [5])).matrixProduct(turn.transposed())
    let symmetric = Tensor.stacking([repeated, .identity(5), .zeros([5, 5])])
    let (vectors, values) = symmetric.symmetricEigen()
    let ones = Tensor.identity(5).broadcast(to: [3, 5, 5])
    let pairs = [
      (q.matrixProduct(r), matrices), ((u * s.expanded(at: 1)).matrixProduct(vt), matrices),
      ((wideU * wideS.expanded(at: 1)).matrixProduct(wideVT), matrices.transposed()),
      (u.transposed().matrixProduct(u), ones), (vt.matrixProduct(vt.transposed()), ones),
      (wideU.transposed().matrixProduct(wideU), ones), (wideVT.matrixProduct(wideVT.transposed()), ones),
      (symmetric.matrixProduct(vectors), vectors * values.expanded(at: 1)),
      (vectors.transposed().matrixProduct(vectors), ones),
    ]
    try device.run { executor in
      let got = try executor.compile(
        StepDescription(outputs: pairs.flatMap { [$0.0, $0.1] } + [s, wideS, values])
      ).run()
      // Values up to 6: 2e-5 is 50 half-units of them.
      for pair in pairs.indices {
        expectNear(
          got[2 * pair], got[2 * pair + 1].converted(to: .float64), within: 2e-5,
          "\(device.name), pair \(pair)")
      }
      for singular in got.suffix(3).prefix(2).map({ $0.doubles() }) {
        #expect(singular[2..<5].allSatisfy { abs($0) < 1e-6 } && singular[1] > 0.1)
        #expect(abs(singular[5] - 35.0.squareRoot()) < 1e-5 && singular[6...].allSatisfy { abs($0) < 1e-6 })
      }
      let wanted: [Double] = [2, 2, 5, 5, 5, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
      for (value, wanted) in zip(got[got.count - 1].doubles(), wanted) { #expect(abs(value - wanted) < 1e-5) }
    }
  }

  @Test(arguments: TestDevice.shading)
  func `more columns than sweeps are known to be enough for are refused, with the way out`(
    device: TestDevice
  ) throws {
    let a = Tensor.identity(257).expanded(at: 0)
    try device.run { executor in
      for values in [a.symmetricEigen().values, a.singularValueDecomposition().values] {
        let error = #expect(throws: DeviceError.self) { try executor.values(of: [values]) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("Run it on the cpu device."))
      }
    }
  }

  /// What rotations take longest for: many equal and nearly equal values, values over many orders, and none of both.
  @Test(arguments: TestDevice.present)
  func `clustered, graded and random matrices come to rest`(device: TestDevice) throws {
    for n in [20, 65] {
      let turn = Self.random([n, n], seed: 51).qrFactorization().q
      let places = Tensor.range(n).converted(to: .float32)
      let spectra = [
        places.map { .exp(-$0 * .constant(20 / Double(n))) }, places.map { 1 + 1e-6 * $0 },
        places.map { .select($0 .< .constant(Double(n) / 2), -1, 1) }, Self.random([n], seed: 52),
      ]
      let symmetric = Tensor.stacking(
        spectra.map { (turn * $0).matrixProduct(turn.transposed()) } + [
          places.expanded(at: 0) + places.expanded(at: 1)
        ])
      let (vectors, values) = symmetric.symmetricEigen()
      let tall = Tensor.concatenating([symmetric, symmetric * 0.5], along: 1)
      let (u, s, vt) = tall.singularValueDecomposition()
      let ones = Tensor.identity(n)
      let residuals = [
        symmetric.matrixProduct(vectors) - vectors * values.expanded(at: 1),
        vectors.transposed().matrixProduct(vectors) - ones,
        (u * s.expanded(at: 1)).matrixProduct(vt) - tall, u.transposed().matrixProduct(u) - ones,
        vt.matrixProduct(vt.transposed()) - ones,
      ]
      let sizes = symmetric.squared().sum(along: [1, 2]).map { .sqrt($0) }.reshaped(to: [5, 1, 1])
      try device.run { executor in
        // Sixteen sweeps of n rotations, each of which adds a few half-units to a row: their squares add up.
        let bound = 8 * (16 * Double(n)).squareRoot() * 0x1p-24
        let got = try executor.compile(
          StepDescription(outputs: residuals.enumerated().map { [0, 2].contains($0) ? $1 / sizes : $1 })
        ).run()
        for (index, got) in got.enumerated() {
          let largest = got.doubles().reduce(0) { max($0, $1.isNaN ? .infinity : abs($1)) }
          #expect(largest <= bound, "\(device.name) \(n), residual \(index): \(largest)")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `very large and very small matrices are factored`(device: TestDevice) throws {
    let a = Self.matrices([2, 6, 6], seed: 31)
    let symmetric = a + a.transposed()
    try device.run { executor in
      func results(_ factor: Double) throws -> [HostArray] {
        let (q, r) = (a * factor).qrFactorization()
        let (vectors, values) = (symmetric * factor).symmetricEigen()
        let (u, s, vt) = (a * factor).singularValueDecomposition()
        let outputs = [q, r / factor, vectors, values / factor, u, s / factor, vt]
        return try executor.compile(StepDescription(outputs: outputs)).run()
      }
      // Powers of two, so that the matrices are the same; their squares are beyond float32. The vectors' errors grow
      // with the inverse of the gaps between values, here some hundred.
      let plain = try results(1)
      for factor in [0x1p80, 0x1p-80] {
        for (index, (got, wanted)) in zip(try results(factor), plain).enumerated() {
          expectNear(got, wanted.converted(to: .float64), within: 1e-4, "\(device.name) \(factor) \(index)")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `NaN in one matrix gives NaN for it, and what the others give is what they give without`(
    device: TestDevice
  ) throws {
    let n = 6
    let whole = Self.matrices([3, n, n], seed: 41)
    let numbers = referenceValues(of: [whole])[0].doubles().map(Float.init)
    func results(_ numbers: [Float]) -> [Tensor] {
      let a = Tensor(numbers, shape: [3, n, n])
      let (lu, qr) = (a.luFactorization(), a.qrFactorization())
      let (eigen, svd) = (a.symmetricEigen(), a.singularValueDecomposition())
      return [lu.packed, qr.q, qr.r, eigen.vectors, eigen.values, svd.u, svd.values, svd.vTransposed]
    }
    try device.run { executor in
      let clean = try executor.compile(StepDescription(outputs: results(numbers))).run()
      for (place, bad) in [(0, Float.nan), (3 * n + 1, .nan), (3 * n + 1, .infinity)] {
        var spoiled = numbers
        spoiled[n * n + place] = bad
        let got = try executor.compile(StepDescription(outputs: results(spoiled))).run()
        for (index, (got, clean)) in zip(got, clean).enumerated() {
          let (got, clean) = (got.doubles(), clean.doubles())
          let count = got.count / 3
          let (own, label) = (got[count..<2 * count], "\(device.name) \(bad) at \(place), output \(index)")
          #expect(
            got[..<count] == clean[..<count] && got[(2 * count)...] == clean[(2 * count)...], "\(label)")
          if index >= 3 { #expect(own.allSatisfy { $0.isNaN }, "\(label)") }
          if bad.isNaN { #expect(own.contains { $0.isNaN }, "\(label)") }
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `triangular factors and solutions of all sizes leave small residuals`(device: TestDevice) throws {
    try device.run { executor in
      let hasDouble = executor.device.capabilities.arithmeticTypes.contains(.float64) || device.isHost
      for (n, batch) in [(1, 3), (2, 3), (31, 2), (33, 2), (64, 2), (65, 2), (200, 2), (500, 1)] {
        for type in hasDouble && n <= 65 ? [ElementType.float32, .float64] : [.float32] {
          let a = Self.definite([batch, n, n], seed: UInt64(n)).converted(to: type)
          let b = Self.random([batch, n, 5], seed: UInt64(n) + 1).converted(to: type)
          let factor = a.cholesky()
          let forward = factor.triangularSolve(b)
          let backward = factor.triangularSolve(b, isTransposed: true)
          let residuals = [
            factor.matrixProduct(factor.transposed()) - a, factor.matrixProduct(forward) - b,
            factor.transposed().matrixProduct(backward) - b,
          ]
          // Elements of the order of 1, each the sum of n products with small sums: n half-units bound the error,
          // which grows with the root of n.
          let bound = Double(n + 8) * (type == .float64 ? 0x1p-53 : 0x1p-24)
          for got in try executor.compile(StepDescription(outputs: residuals)).run() {
            let largest = got.doubles().reduce(0) { max($0, $1.isNaN ? .infinity : abs($1)) }
            #expect(largest <= bound, "\(device.name) \(n) \(type)")
          }
        }
      }
    }
  }

  @Test func `no matrices and empty ones give empty results`() {
    #expect(Tensor.zeros([0, 3, 3]).cholesky().shape == [0, 3, 3])
    #expect(Tensor.zeros([2, 0, 0]).luFactorization().permutation.shape == [2, 0])
    #expect(Tensor.zeros([2, 3, 3]).triangularSolve(.zeros([3, 0])).shape == [2, 3, 0])
    #expect(Tensor.zeros([0, 4, 2]).fft().shape == [0, 4, 2])
  }
}
