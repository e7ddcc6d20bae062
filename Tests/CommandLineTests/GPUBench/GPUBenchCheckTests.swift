import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import Testing

@testable import gpubench

/// The checks themselves: right results pass, spoiled ones do not.
@Suite struct GPUBenchCheckTests {
  static let cases = [
    ("matmul", "7x5x3"), ("elementwise", "40"), ("reduce", "6x9"), ("scatter", "30x3x8"),
    ("convolution-2d", "2x3x5x4x2x3"), ("depthwise-convolution", "2x3x4x5x3"),
    ("convolution-3d", "1x2x3x4x3x2x3"), ("dot-product-attention", "1x2x5x4"),
    ("layer-normalization", "3x7"), ("sort", "3x9"), ("fft", "2x12"), ("cholesky", "2x5"),
  ]

  @Test("every family is among those that are tried")
  func complete() { #expect(Self.cases.map(\.0) == CaseFamily.all.map(\.name)) }

  @Test("one wrong or missing element fails the check of every case", arguments: cases)
  func spoiled(family: String, shape: String) throws {
    let device = try DeviceCatalog.shared.device(named: "cpu")
    let executor = try PlanExecutor(device)
    for benchmark in try CaseRequest(name: family, shape: shape).cases(on: device.capabilities) {
      let key = RandomKey(seed: 3)
      let inputs = try executor.values(of: benchmark.inputs.map { $0.tensor(key) })
      let outputs = try executor.values(of: benchmark.build(inputs.map { Tensor($0) }))
      #expect(outputs.map(\.shape) == benchmark.outputs.map(\.shape))
      #expect(benchmark.largestError(inputs, outputs) <= 1, "\(benchmark.name)")
      for (number, output) in outputs.enumerated() {
        for spoil in [{ $0 * 1.001 + 0.001 }, { _ in Float.nan }] as [(Float) -> Float] {
          for position in [0, output.count - 1] {
            var elements = output.elements(as: Float.self)
            elements[position] = spoil(elements[position])
            var spoiled = outputs
            spoiled[number] = HostArray(elements, shape: output.shape)
            let error = benchmark.largestError(inputs, spoiled)
            #expect(error > 1, "\(benchmark.name), output \(number) at \(position)")
          }
        }
      }
    }
  }

  @Test("of a large product, the edges and a sample are looked at")
  func largeProduct() {
    let (m, n, k) = (300, 250, 256)
    let product = CheckedProduct(
      batch: 1, m: m, n: n, k: k, isLeftTransposed: false, isRightTransposed: true, roundoff: 0x1p-24)
    let factors = [[Double](repeating: 1, count: m * k), [Double](repeating: 0.5, count: n * k)]
    var output = [Double](repeating: 128, count: m * n)
    #expect(product.largestError(of: output, factors) == 0)
    for position in [0, n - 1, n, m * n - n, m * n - 1] {
      output[position] = .nan
      #expect(product.largestError(of: output, factors) == .infinity)
      output[position] = 128
    }
    // A quarter of the rows wrong: the chance that 512 elements miss them all is below 10^-63.
    for position in (m / 2 * n)..<(3 * m / 4 * n) { output[position] = 127 }
    #expect(product.largestError(of: output, factors) > 1)
  }

  @Test("of many positions the first, the last and others from all over are looked at, always the same")
  func sampled() {
    #expect(sampledPositions(of: 5, atMost: 5) == [0, 1, 2, 3, 4])
    let positions = sampledPositions(of: 1 << 31, atMost: 100)
    #expect(positions == sampledPositions(of: 1 << 31, atMost: 100))
    #expect(positions.first == 0 && positions.last == 1 << 31 - 1 && positions.count > 90)
    #expect(positions == positions.sorted() && positions.contains { $0 > 1 << 30 })
  }

  @Test("a sum is off by at most a unit a term, and of many terms by less")
  func sums() {
    #expect(roundingUnits(ofSumOf: 1) == 1)
    #expect(roundingUnits(ofSumOf: 64) == 64)
    #expect(roundingUnits(ofSumOf: 1 << 20) == 0x1p13)
  }

  @Test("an exact comparison allows nothing, and NaN is never right")
  func exact() {
    var error = LargestError()
    error.compare(0.5, with: 0.5, allowing: 0)
    #expect(error.value == 0)
    error.compare(0.5, with: 0.25, allowing: 0.5)
    #expect(error.value == 0.5)
    error.compare(.nan, with: 0, allowing: 1)
    error.compare(0.5, with: 0.25, allowing: 0.5)
    #expect(error.value == .infinity)
  }

  @Test("a compensated sum keeps what a plain one loses")
  func compensated() {
    var sum = CompensatedSum()
    for term in [1, 0x1p-80, -1] { sum.add(term) }
    #expect(sum.value == 0x1p-80)
    var products = CompensatedSum()
    products.add(1 + 0x1p-30, times: 1 + 0x1p-30)
    products.add(-1, times: 1 + 0x1p-29)
    #expect(products.value == 0x1p-60)
  }

  @Test("the median is the middle of what was measured")
  func median() {
    #expect([3, 1, 2].median == 2)
    #expect([4, 1, 2, 3].median == 2.5)
    #expect([Double]().median.isNaN)
  }

  @Test("operations and bytes are those of the computation")
  func counts() throws {
    let device = Capabilities(interface: .vulkan, kind: .discreteGPU, deviceName: "Paper", driver: "none")
    let product = try CaseRequest(name: "matmul", shape: "4x5x6", batch: 2).cases(on: device)[0]
    #expect(product.operationCount == 480)
    // Two products of 4 x 6 and 6 x 5 elements, four bytes each.
    #expect(product.byteCount == 592)
    #expect(product.shape == "2x4x5x6")
    let gather = try CaseRequest(name: "gather", shape: "10x3x100").cases(on: device)[0]
    // Ten indices, and ten rows read and written.
    #expect(gather.byteCount == 280)
    let add = try CaseRequest(name: "add", shape: "8x8").cases(on: device)[0]
    #expect(add.operationCount == 64)
    #expect(add.byteCount == 768)
    let convolution = try CaseRequest(name: "conv2d-stride2-gradients", shape: "2x3x5x5x4x3").cases(
      on: device)[0]
    // Windows at 3 x 3 places, 27 products each, twice and with their sums.
    #expect(convolution.operationCount == Double(4 * 2 * 4 * 9 * 27))
    #expect(convolution.outputs.map(\.shape) == [[2, 3, 5, 5], [4, 3, 3, 3]])
    // Images, weights and the result's gradient are read, two gradients written.
    #expect(convolution.byteCount == Double(4 * (2 * 150 + 2 * 108 + 72)))
  }
}
