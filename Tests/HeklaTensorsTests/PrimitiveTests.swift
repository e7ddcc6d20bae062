import HeklaArrays
import TestSupport
import Testing

@testable import HeklaTensors

/// Each operation on a case small enough to be checked by hand.
@Suite struct PrimitiveTests {
  private let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])

  @Test func `broadcast repeats along new axes and axes of extent 1`() {
    expect(Tensor([1, 2] as [Float]).broadcast(to: [2, 2]), [2, 2], [1, 2, 1, 2])
    expect(Tensor([1, 2] as [Float], shape: [2, 1]).broadcast(to: [2, 2]), [2, 2], [1, 1, 2, 2])
    expect(Tensor([7] as [Float]).broadcast(to: [0, 1]), [0, 1], [])
  }

  @Test func `concatenate puts one after the other`() {
    expect(.concatenating([x, x * 10], along: 0), [4, 3], [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60])
    expect(.concatenating([x, x.sliced(0..<1, along: 1)], along: -1), [2, 4], [1, 2, 3, 1, 4, 5, 6, 4])
    expect(.concatenating([.zeros([2, 0]), x], along: 1), [2, 3], [1, 2, 3, 4, 5, 6])
    expect(.stacking([x, x], along: 1), [2, 2, 3], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
  }

  @Test func `concatenating many tensors takes a few at a time`() {
    let tensor = Tensor.concatenating((0..<40).map { Tensor([Float($0)]) }, along: 0)
    expect(tensor, [40], (0..<40).map { Double($0) })
    #expect([tensor.node].withDependencies().allSatisfy { $0.inputs.count <= 8 })
  }

  @Test func `flip reverses`() {
    expect(x.flipped(along: [0]), [2, 3], [4, 5, 6, 1, 2, 3])
    expect(x.flipped(along: [0, -1]), [2, 3], [6, 5, 4, 3, 2, 1])
  }

  @Test func `gather takes rows, scatter sums into them`() {
    let indices = Tensor([1, 1, 0] as [Int32])
    expect(x.gathered(at: indices), [3, 3], [4, 5, 6, 4, 5, 6, 1, 2, 3])
    expect(x.gathered(at: indices.reshaped(to: [3, 1])), [3, 1, 3], [4, 5, 6, 4, 5, 6, 1, 2, 3])
    expect(Tensor([7, 8] as [Float]).gathered(at: Tensor([1, 0, 1] as [Int32])), [3], [8, 7, 8])
    let values = Tensor([1, 2, 4] as [Float])
    expect(.scatterSum(values, at: indices, rows: 3), [3], [4, 3, 0])
    expect(.scatterSum(.zeros([0, 2]), at: .zeros([0], .int32), rows: 2), [2, 2], [0, 0, 0, 0])
  }

  @Test func `map applies an expression, coordinates included`() {
    expect(x.map { $0 * $0 - 1 }, [2, 3], [0, 3, 8, 15, 24, 35])
    expect(.map(x, Tensor([10, 20, 30] as [Float])) { $0 + $1 }, [2, 3], [11, 22, 33, 14, 25, 36])
    expect(.coordinates([2, 3], along: -1), [2, 3], [0, 1, 2, 0, 1, 2])
    expect(.range(3), [3], [0, 1, 2])
    expect(.select(x .> .full([], 3), x, 0 * x), [2, 3], [0, 0, 0, 4, 5, 6])
    expect(.full([2], 2.5), [2], [2.5, 2.5])
  }

  @Test func `stored whole numbers keep their low bits`() {
    let bytes = Tensor([200, 100] as [UInt8])
    expect(bytes + bytes, [2], [144, 200])
    expect(bytes.sum(), [], [44])
    expect(Tensor([300, -1] as [Int32]).converted(to: .uint8), [2], [44, 255])
    expect(Tensor([Int32.max, 1]).sum(), [], [-2_147_483_648])
  }

  @Test func `matrix products contract the inner extents, however the factors are stored`() {
    expect(x.matrixProduct(x.transposed()), [2, 2], [14, 32, 32, 77])
    expect(x.transposed().matrixProduct(x), [3, 3], [17, 22, 27, 22, 29, 36, 27, 36, 45])
    let batch = Tensor.stacking([x, x * 2])
    let right = Tensor([1, 0, -1] as [Float], shape: [3, 1])
    expect(batch.matrixProduct(right), [2, 2, 1], [-2, -2, -4, -4])
    expect(batch.matrixProduct(batch.transposed()), [2, 2, 2], [14, 32, 32, 77, 56, 128, 128, 308])
    expect(x.matrixProduct(batch.transposed()), [2, 2, 2], [14, 32, 32, 77, 28, 64, 64, 154])
    expect(Tensor.zeros([2, 0]).matrixProduct(.zeros([0, 3])), [2, 3], [0, 0, 0, 0, 0, 0])
    expect(Tensor.zeros([0, 2, 3]).matrixProduct(right), [0, 2, 1], [])
    expect(Tensor.zeros([1, 2, 3]).matrixProduct(.zeros([0, 3, 4])), [0, 2, 4], [])
  }

  @Test func `all ways to store the factors give one product`() {
    let (a, b) = (randomArray([2, 3, 4], seed: 1), randomArray([2, 4, 5], seed: 2))
    let (left, right) = (Tensor(a.converted(to: .float32)), Tensor(b.converted(to: .float32)))
    let want = referenceValues(of: [left.matrixProduct(right)])[0]
    for (transposesLeft, transposesRight) in [(true, false), (false, true), (true, true)] {
      // A copy of the transposed tensor is stored that way; its transposition is free.
      let l = transposesLeft ? left.transposed().copied.transposed() : left
      let r = transposesRight ? right.transposed().copied.transposed() : right
      let product = l.matrixProduct(r)
      #expect(referenceValues(of: [product])[0] == want)
      let primitive = product.node.primitive as? MatrixProduct
      #expect(primitive?.transposingLeft == transposesLeft && primitive?.transposingRight == transposesRight)
    }
  }

  @Test func `pad puts a border around`() {
    expect(x.padded(before: [0, 1], after: [1, 0], with: 9), [3, 4], [9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9])
    expect(Tensor.zeros([0]).padded(before: [2], with: 1), [2], [1, 1])
  }

  @Test func `permute reorders axes`() {
    expect(x.transposed(), [3, 2], [1, 4, 2, 5, 3, 6])
    let cube = Tensor((0..<8).map { Float($0) }, shape: [2, 2, 2])
    expect(cube.permuted([1, 2, 0]), [2, 2, 2], [0, 4, 1, 5, 2, 6, 3, 7])
    expect(cube.permuted([-1, 0, 1]), [2, 2, 2], [0, 2, 4, 6, 1, 3, 5, 7])
  }

  @Test func `reductions fold along axes`() {
    expect(x.sum(), [], [21])
    expect(x.sum(along: 0), [3], [5, 7, 9])
    expect(x.sum(along: [-1], keepingAxes: true), [2, 1], [6, 15])
    expect(x.mean(along: 1), [2], [2, 5])
    expect(x.product(along: 0), [3], [4, 10, 18])
    expect(x.maximum(along: 1), [2], [3, 6])
    expect(x.minimum(), [], [1])
    expect(x.variance(along: 1), [2], [2.0 / 3, 2.0 / 3])
    expect(x.variance(along: 1, degreesOfFreedom: 1), [2], [1, 1])
    let ties = Tensor([3, 7, 7, 2, 2, 9] as [Float], shape: [2, 3])
    expect(ties.argumentMaximum(along: 1), [2], [1, 2])
    expect(ties.argumentMinimum(along: 1), [2], [0, 0])
    expect(Tensor([1, .nan, 3, .nan] as [Float]).argumentMaximum(along: 0), [], [1])
    #expect(referenceValues(of: [Tensor([1, .nan] as [Float]).maximum()])[0].doubles()[0].isNaN)
  }

  @Test func `reductions over nothing give what changes nothing`() {
    let nothing = Tensor.zeros([2, 0])
    expect(nothing.sum(along: 1), [2], [0, 0])
    expect(nothing.product(along: 1), [2], [1, 1])
    expect(nothing.maximum(along: 1), [2], [-.infinity, -.infinity])
    expect(Tensor.zeros([0], .int32).minimum(), [], [2_147_483_647])
    expect(nothing.sum(along: 0), [0], [])
  }

  @Test func `reshape keeps the order of elements, and finds one extent by itself`() {
    expect(x.reshaped(to: [3, -1]), [3, 2], [1, 2, 3, 4, 5, 6])
    expect(x.transposed().reshaped(to: [6]), [6], [1, 4, 2, 5, 3, 6])
    expect(x.expanded(at: -1), [2, 3, 1], [1, 2, 3, 4, 5, 6])
    expect(Tensor.zeros([3, 0]).reshaped(to: [0, 3]), [0, 3], [])
  }

  @Test func `slice takes every step-th element`() {
    expect(x.sliced(1..<3, along: 1), [2, 2], [2, 3, 5, 6])
    expect(x.sliced(starts: [0, 0], extents: [2, 2], steps: [1, 2]), [2, 2], [1, 3, 4, 6])
    expect(x.element(1, along: 0), [3], [4, 5, 6])
    expect(x.sliced(2..<2, along: 0), [0, 3], [])
  }

  @Test func `softmax and its kin survive large numbers`() {
    let large = Tensor([1000, 1000] as [Float])
    expect(large.softmax(), [2], [0.5, 0.5])
    let logarithm = 0.693_147_180_559_945_3
    expect(large.logSumExp(along: 0), [], [1000 + logarithm])
    #expect(referenceValues(of: [large.logSoftmax()])[0].doubles().allSatisfy { abs($0 + logarithm) < 1e-12 })
  }

  @Test func `random tensors draw what their key draws`() {
    let key = RandomKey(seed: 9)
    let uniform = Tensor.uniform([2, 3], key: key)
    expect(uniform, [2, 3], (0..<6).map { Double(key.uniform(at: $0)) })
    let normal = referenceValues(of: [.normal([10_000], key: key)])[0].doubles()
    // Standard errors of mean and variance of 10,000 normal numbers: 0.01 and 0.014; five of them.
    let mean = normal.reduce(0, +) / 10_000
    #expect(abs(mean) < 0.05)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / 10_000 - 1) < 0.07)
    let keyed = Tensor.uniform([6], key: Tensor(key))
    #expect(referenceValues(of: [keyed])[0].doubles() == referenceValues(of: [uniform])[0].doubles())
    let folded = referenceValues(of: [Tensor(key).folded(in: 77)])[0]
    #expect(folded == HostArray([key.folded(in: 77).words.x, key.folded(in: 77).words.y]))
  }

  @Test func `factors that do not fit stop the program with both shapes`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 3]).matrixProduct(.zeros([2, 3]))
    }
    expectMessage("matrix-product: [2, 3] times [2, 3]", in: result)
  }

  @Test func `shapes that do not broadcast stop the program`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2]) + .zeros([3])
    }
    expectMessage("add: shapes [2] and [3] do not broadcast", in: result)
  }

  @Test func `operands of two types stop the program`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2]) + .zeros([2], .int32)
    }
    expectMessage("add: float32[2] and int32[2] differ in type", in: result)
  }

  @Test func `a slice beyond the end stops the program, an empty one too`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([4]).sliced(3..<5, along: 0)
    }
    expectMessage("slice: elements 3...4 along axis 0 of shape [4]", in: result)
    await #expect(processExitsWith: .failure) { _ = Tensor.zeros([4]).sliced(5..<5, along: 0) }
  }

  @Test func `a reshape to another count stops the program`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([4]).reshaped(to: [3])
    }
    expectMessage("reshape: [4] has 4 elements, [3] has 3", in: result)
  }

  @Test func `an axis named twice stops the program`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 2]).sum(along: [0, -2])
    }
    expectMessage("sum: an axis is named twice in [0, 0]", in: result)
  }

  private func expectMessage(
    _ text: String, in result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains(text), sourceLocation: sourceLocation)
  }

  private func expect(
    _ tensor: Tensor, _ shape: Shape, _ values: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let result = referenceValues(of: [tensor])[0]
    #expect(tensor.shape == shape && result.shape == shape, sourceLocation: sourceLocation)
    // Means and variances round; everything else here is exact.
    let isClose = zip(result.doubles(), values).allSatisfy { $0 == $1 || abs($0 - $1) <= 1e-15 * abs($1) }
    #expect(
      result.count == values.count && isClose, "\(result.doubles()), not \(values)",
      sourceLocation: sourceLocation)
  }
}
