import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

/// Sums and scans of more terms than a driver may let one invocation of a kernel loop over: Mesa's driver for
/// processors leaves every loop after 65,535 iterations, without a word.
@Suite struct LongLoopTests {
  /// What is computed of `count` whole numbers in -2...2, so that every result is exact in any order.
  struct Operation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let build: @Sendable (Tensor) -> Tensor
  }

  static let count = 70_001

  static let operations = [
    Operation(testDescription: "sum of all") { $0.sum() },
    Operation(testDescription: "sum along the outer axis") { $0.pair.sum(along: 0) },
    Operation(testDescription: "sum along the inner axis") { $0.pair.transposed().sum(along: 1) },
    Operation(testDescription: "sums of many rows") {
      $0.expanded(at: 1).broadcast(to: [count, 65]).sum(along: 0)
    },
    Operation(testDescription: "maximum along the outer axis") { $0.pair.maximum(along: 0) },
    Operation(testDescription: "argument of the maximum") { $0.peak.argumentMaximum(along: 0) },
    Operation(testDescription: "running sum of a row") { $0.cumulativeSum(along: 0) },
    Operation(testDescription: "running sums of columns") { $0.pair.cumulativeSum(along: 0) },
    Operation(testDescription: "running maximum of columns") { $0.pair.cumulativeMaximum(along: 0) },
    Operation(testDescription: "recurrence") { $0.linearRecurrence(factors: $0.map { .sign($0) }, along: 0) },
    Operation(testDescription: "recurrence from the end") {
      $0.linearRecurrence(factors: $0.map { .sign($0) }, along: 0, isReversed: true)
    },
    Operation(testDescription: "scatter into one row") {
      .scatterSum($0.pair, at: .zeros([count], .int32), rows: 2)
    },
    Operation(testDescription: "segment sum of many rows") {
      $0.pair.segmentSum(Segments(at: long, count: 3_000))
    },
    Operation(testDescription: "segment sum") { $0.pair.segmentSum(Segments(at: long, count: 3)) },
    Operation(testDescription: "segment maximum") {
      $0.peak.segmentMaximum(Segments(at: long, count: 3), empty: 0)
    },
    Operation(testDescription: "sparse product with a long row") {
      SparseMatrix(
        rows: Segments(at: long, count: 3),
        columns: Segments(at: .range(count) % .full([count], 5, .int32), count: 5),
        values: $0
      ).product(Tensor((0..<10).map { Float($0 % 3) }, shape: [5, 2]))
    },
    Operation(testDescription: "matrix product") { $0.pair.transposed().matrixProduct($0.pair) },
    Operation(testDescription: "sort") { $0.sorted() },
    Operation(testDescription: "gradient of a convolution's weights") {
      let images = $0.sliced(0..<66_000, along: 0).reshaped(to: [100, 1, 660])
      let weights = Tensor.ones([9, 1, 1])
      return gradients(of: images.convolved(with: weights).sum(), withRespectTo: [weights])[0]
    },
    Operation(testDescription: "convolution") {
      $0.reshaped(to: [1, 1, count]).convolved(
        with: $0.reshaped(to: [1, 1, count]).sliced(0..<(count - 1), along: 2))
    },
  ]

  /// Most of the terms in segment 1, a few in 0, none in 2.
  private static let long = Tensor.range(count).map { .select($0 .< 100, 0, .constant(1, .int32)) }

  /// Vulkan alone has the driver with the limit, and long loops take seconds.
  private static let devices = TestDevice.shading.filter { $0.name.hasPrefix("vulkan") }

  @Test(arguments: devices)
  func `the factor of a large matrix is right`(device: TestDevice) throws {
    let (n, rows) = (1_900, Tensor.range(1_900).expanded(at: 0).converted(to: .float32))
    // |i - j| decays: the covariance of a random walk that forgets, well conditioned.
    let matrix = Tensor.map(rows.broadcast(to: [n, n]), rows.transposed().broadcast(to: [n, n])) {
      .exp(-Scalar.absolute($0 - $1))
    }
    let factor = matrix.cholesky()
    let last = factor.sliced((n - 40)..<n, along: 0).sliced((n - 40)..<n, along: 1)
    let found = try device.run { try $0.values(of: [last])[0].doubles() }
    let expected = try TestDevice.cpu.run { try $0.values(of: [last])[0].doubles() }
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test(arguments: devices)
  func `attention over many keys is right, or refused`(device: TestDevice) throws {
    func attention(_ keys: Int) -> Tensor {
      let values = Tensor.range(keys * 128).reshaped(to: [1, 1, keys, 128]).map {
        ($0 % 17).converted(to: .float32)
      }
      let query = Tensor.full([1, 1, 1, 128], 1e-3)
      return .attention(queries: query, keys: values * 1e-3, values: values)
    }
    let large = attention(9_000)
    let expected = try TestDevice.cpu.run { try $0.values(of: [large])[0].doubles() }
    try device.run { executor in
      guard 2_250 * 33 <= executor.device.capabilities.loopIterationLimit else {
        #expect(throws: DeviceError.self) { try executor.values(of: [large]) }
        return
      }
      let found = try executor.values(of: [large])[0].doubles()
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-3 })
    }
  }

  @Test(arguments: devices, operations)
  func `what takes long loops is exact`(device: TestDevice, operation: Operation) throws {
    let numbers = (0..<Self.count).map { Float(($0 * 7_919) % 5 - 2) }
    let result = try device.run { executor in
      try executor.compile(inputs: [Signature([Self.count])]) {
        StepDescription(outputs: [operation.build($0[0])])
      }.run([HostArray(numbers)])[0]
    }
    let expected = try TestDevice.cpu.run { try $0.values(of: [operation.build(Tensor(numbers))])[0] }
    #expect(result.doubles() == expected.doubles())
  }
}

extension Tensor {
  /// The numbers, with one that is larger than all others at the end.
  fileprivate var peak: Tensor {
    .concatenating([sliced(0..<(shape[0] - 1), along: 0), .full([1], 9)], along: 0)
  }

  /// The numbers and their negatives, `[count, 2]`.
  fileprivate var pair: Tensor { .concatenating([expanded(at: 1), -expanded(at: 1)], along: 1) }
}
