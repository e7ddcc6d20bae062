import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// What every operation makes of an axis of extent 0: the documented result on every device, or a stop that says why.
@Suite struct EmptyTensorTests {
  /// A call with its result's shape and, where it has elements, their common value.
  private struct Case {
    var name: String
    var result: Tensor
    var shape: Shape
    var value: Double?

    init(_ name: String, _ result: Tensor, _ shape: Shape, _ value: Double? = nil) {
      (self.name, self.result, self.shape, self.value) = (name, result, shape, value)
    }
  }

  private static let (rows, columns, flat) = (Tensor.zeros([0, 3]), Tensor.zeros([3, 0]), Tensor.zeros([0]))
  private static let (none, numbers) = (Tensor.zeros([0], .int32), Tensor.ones([2, 3]))

  private static var elementwise: [Case] {
    [
      Case("map", rows.exp() + 1, [0, 3]),
      Case("broadcast with what is there", rows + Tensor.ones([3]), [0, 3]),
      Case("broadcast of 1 to 0", Tensor.ones([1, 3]) + rows, [0, 3]),
      Case("comparison", rows .< rows, [0, 3]),
      Case("select", .select(rows .< rows, rows, rows), [0, 3]),
      Case("conversion", rows.converted(to: .float16), [0, 3]),
      Case("uniform", .uniform([0, 2], key: RandomKey(seed: 1)), [0, 2]),
      Case("normal", .normal([2, 0], key: RandomKey(seed: 1)), [2, 0]),
      Case("gamma", .gamma(flat, key: RandomKey(seed: 1)), [0]),
      Case("permutation", .permutation(0, key: RandomKey(seed: 1)), [0]),
      Case("range", .range(0), [0]),
      Case("identity", .identity(0), [0, 0]),
      Case("linearly spaced", .linearlySpaced(from: 0, to: 1, count: 0), [0]),
      Case("causal mask", .causalMask(rows: 0, columns: 3), [0, 3]),
      Case("one-hot of none", none.oneHot(4), [0, 4]),
      Case("one-hot among none", Tensor([Int32(0), 1]).oneHot(0), [2, 0]),
      Case("mesh grid", Tensor.meshGrid([flat, .ones([2])])[1], [0, 2]),
    ]
  }

  private static var movement: [Case] {
    [
      Case("reshape", rows.reshaped(to: [3, 0, 2]), [3, 0, 2]),
      Case("permute", rows.transposed(), [3, 0]),
      Case("broadcast", rows.broadcast(to: [2, 0, 3]), [2, 0, 3]),
      Case("slice to nothing", numbers.sliced(1..<1, along: 0), [0, 3]),
      Case("slice of nothing", rows.sliced(0..<2, along: 1), [0, 2]),
      Case("pad", rows.padded(before: [1, 0], after: [1, 1], with: 7), [2, 4], 7),
      Case("flip", rows.flipped(along: [0, 1]), [0, 3]),
      Case("concatenate", .concatenating([rows, numbers, rows], along: 0), [2, 3], 1),
      Case("concatenate nothing", .concatenating([rows, rows], along: 0), [0, 3]),
      Case("stack", .stacking([rows, rows]), [2, 0, 3]),
      Case("roll", rows.rolled(by: 1, along: 0), [0, 3]),
      Case("tile to nothing", numbers.tiled([0, 2]), [0, 6]),
      Case("repeat nothing", rows.repeated(2, along: 0), [0, 3]),
      Case("repeat no times", numbers.repeated(0, along: 1), [2, 0]),
      Case("windows", Tensor.zeros([0, 5]).windows([2], along: [1]), [0, 4, 2]),
      Case("diagonal", columns.diagonal(), [0]),
      Case("embedded diagonal", flat.embeddedAsDiagonal(), [0, 0]),
      Case("triangle", rows.lowerTriangle(), [0, 3]),
      Case("pixel shuffle", Tensor.zeros([0, 4, 2, 2]).pixelShuffled(by: 2), [0, 1, 4, 4]),
      Case("resize", Tensor.zeros([0, 3]).resized(to: [5], along: [1]), [0, 5]),
      Case("stop gradient", rows.stoppingGradient(), [0, 3]),
    ]
  }

  private static var reductions: [Case] {
    [
      Case("sum", rows.sum(along: 0), [3], 0),
      Case("sum along the other axis", rows.sum(along: 1), [0]),
      Case("sum of all", rows.sum(), [], 0),
      Case("mean", rows.mean(along: 0), [3], 0),
      Case("product", rows.product(along: 0), [3], 1),
      Case("maximum", rows.maximum(along: 0), [3], -.infinity),
      Case("minimum", rows.minimum(along: 0), [3], .infinity),
      Case("maximum of integers", none.maximum(), [], Double(Int32.min)),
      Case("argument maximum", rows.argumentMaximum(along: 0), [3], 0),
      Case("argument minimum", columns.argumentMinimum(along: 1), [3], 0),
      Case("any", (rows .> 0).any(along: [0]), [3], 0),
      Case("all", (rows .> 0).all(along: [0]), [3], 1),
      Case("count", rows.countNonzero(along: [0]), [3], 0),
      Case("variance", rows.variance(along: 0), [3], .nan),
      Case("norm", rows.norm(along: [0]), [3], 0),
      Case("log-sum-exp", rows.logSumExp(along: 0, keepingAxes: true), [1, 3], -.infinity),
      Case("softmax", columns.softmax(along: 1), [3, 0]),
      Case("log-softmax", columns.logSoftmax(along: 1), [3, 0]),
      Case("trace", columns.trace(), [], 0),
      Case("cumulative sum", rows.cumulativeSum(along: 0), [0, 3]),
      Case("cumulative maximum, exclusive", rows.cumulativeMaximum(along: 0, isExclusive: true), [0, 3]),
      Case("linear recurrence", rows.linearRecurrence(factors: rows, along: 0), [0, 3]),
      Case("histogram", flat.histogram(binCount: 4, in: 0...1), [4], 0),
    ]
  }

  private static var products: [Case] {
    [
      Case("no rows", rows.matrixProduct(.ones([3, 2])), [0, 2]),
      Case("no inner extent", columns.matrixProduct(rows), [3, 3], 0),
      Case("no batch", Tensor.zeros([0, 2, 3]).matrixProduct(.ones([3, 2])), [0, 2, 2]),
      Case("vector product", columns.vectorProduct(flat), [3], 0),
      Case("outer product", flat.outerProduct(.ones([2])), [0, 2]),
      Case("tensor product", columns.tensorProduct(rows, contracting: 1), [3, 3], 0),
      Case("einsum over nothing", .einsum("ij->", rows), [], 0),
      Case("einsum", .einsum("ij,kj->ik", rows, numbers), [0, 2]),
      Case("squared distances", rows.squaredDistances(to: numbers), [0, 2]),
      Case("squared distances without depth", columns.squaredDistances(to: .zeros([2, 0])), [3, 2], 0),
      Case("cosine similarity", columns.cosineSimilarity(columns), [3], 0),
      Case(
        "convolution of no images", Tensor.zeros([0, 2, 5]).convolved(with: .ones([3, 2, 3])), [0, 3, 3]),
      Case(
        "convolution of no channels", Tensor.zeros([2, 0, 5]).convolved(with: .ones([3, 0, 3])), [2, 3, 3], 0),
      Case(
        "transposed convolution", Tensor.zeros([0, 2, 5]).convolvedTransposed(with: .ones([2, 3, 3])),
        [0, 3, 7]),
      Case("maximum pooling", Tensor.zeros([0, 2, 6]).maximumPooled([2]), [0, 2, 3]),
      Case("average pooling", Tensor.zeros([0, 2, 6]).averagePooled([2]), [0, 2, 3]),
      Case(
        "attention without queries",
        .attention(queries: .zeros([1, 0, 4]), keys: .ones([1, 3, 4]), values: .ones([1, 3, 4])), [1, 0, 4]),
      Case(
        "attention without keys",
        .attention(queries: .ones([1, 2, 4]), keys: .zeros([1, 0, 4]), values: .zeros([1, 0, 4])), [1, 2, 4],
        0),
      Case(
        "attention without depth",
        .attention(queries: .ones([1, 2, 0]), keys: .zeros([1, 3, 0]), values: .ones([1, 3, 4])), [1, 2, 4], 1
      ),
    ]
  }

  private static var indexed: [Case] {
    let empty = Segments(at: none, count: 2)
    return [
      Case("gather nothing", numbers.gathered(at: none), [0, 3]),
      Case("gather nothing from nothing", rows.gathered(at: none), [0, 3]),
      Case("gather along", numbers.gathered(at: none, along: 1), [2, 0]),
      Case(
        "gather rows without elements", Tensor.zeros([2, 0]).gathered(at: Tensor([Int32(1), 1])), [2, 0]),
      Case("take along", numbers.takenAlong(1, .zeros([2, 0], .int32)), [2, 0]),
      Case("scatter of nothing", .scatterSum(rows, at: none, rows: 2), [2, 3], 0),
      Case("scatter into nothing", .scatterSum(rows, at: none, rows: 0), [0, 3]),
      Case("scatter maximum", .scatterMaximum(rows, at: none, rows: 2), [2, 3], -.infinity),
      Case("segment sum", rows.segmentSum(empty), [2, 3], 0),
      Case("segment mean", rows.segmentMean(empty), [2, 3], 0),
      Case("segment minimum", rows.segmentMinimum(empty, empty: 5), [2, 3], 5),
      Case("segment softmax", rows.segmentSoftmax(empty), [0, 3]),
      Case("gather at segments", numbers.gathered(at: empty), [0, 3]),
      Case("counts", .counts(of: none, below: 3), [3], 0),
      Case("replace nothing", numbers.replacing(at: none, by: rows), [2, 3], 1),
      Case("sort", columns.sorted(along: 1), [3, 0]),
      Case("argument sort", rows.argumentSorted(along: 0), [0, 3]),
      Case("top 0", numbers.topK(0).values, [2, 0]),
      Case("search for nothing", Tensor.ones([4]).searchSorted(flat), [0]),
      Case("search in nothing", flat.searchSorted(.ones([2])), [2], 0),
    ]
  }

  private static var linearAlgebra: [Case] {
    let (noMatrix, noBatch) = (Tensor.zeros([0, 0]), Tensor.zeros([0, 2, 2]))
    return [
      Case("cholesky", noBatch.cholesky(), [0, 2, 2]),
      Case("cholesky of 0 x 0", noMatrix.cholesky(), [0, 0]),
      Case("triangular solution", Tensor.identity(2).triangularSolve(.zeros([2, 0])), [2, 0]),
      Case("log-determinant", noMatrix.logDeterminantPositiveDefinite(), [], 0),
      Case("solution", noBatch.solve(.ones([2, 1])), [0, 2, 1]),
      Case("inverse", noMatrix.inverse(), [0, 0]),
      Case("LU", noBatch.luFactorization().packed, [0, 2, 2]),
      Case("determinant's sign", noMatrix.logDeterminant().sign, [], 1),
      Case("QR", noBatch.qrFactorization().r, [0, 2, 2]),
      Case("eigenvalues", noBatch.symmetricEigen().values, [0, 2]),
      Case("singular values", Tensor.zeros([2, 0]).singularValueDecomposition().values, [0]),
      Case("fft", Tensor.zeros([0, 4, 2]).fft(), [0, 4, 2]),
      Case("fft of length 0", Tensor.zeros([3, 0, 2]).fft(), [3, 0, 2]),
      Case("rfft", rows.rfft(), [0, 2, 2]),
    ]
  }

  @Test(arguments: TestDevice.present)
  func `every operation gives the documented result for an empty axis`(device: TestDevice) throws {
    let cases =
      Self.elementwise + Self.movement + Self.reductions + Self.products + Self.indexed + Self.linearAlgebra
    try device.run { executor in
      let kept = cases.filter { executor.device.capabilities.storageTypes.contains($0.result.elementType) }
      let results = try executor.compile(StepDescription(outputs: kept.map(\.result))).run()
      for ((example, got), reference) in zip(zip(kept, results), referenceValues(of: kept.map(\.result))) {
        #expect(example.result.shape == example.shape, "\(example.name)")
        #expect(got.shape == example.shape && reference.shape == example.shape, "\(example.name)")
        for value in got.doubles() + reference.doubles() {
          let wanted = example.value ?? 0
          #expect(
            example.value != nil && (value == wanted || (value.isNaN && wanted.isNaN)),
            "\(device.name) \(example.name): \(value), not \(wanted)")
        }
      }
    }
  }

  @Test func `gradients of empty tensors are empty, and those of what they do not reach 0`() throws {
    let (x, weights) = (Tensor.zeros([0, 3]), Tensor.ones([3, 2]))
    let loss = x.matrixProduct(weights).softmax().sum() + x.sorted(along: 0).cumulativeSum(along: 0).sum()
    let slopes = gradients(of: loss, withRespectTo: [x, weights])
    let results = try TestDevice.cpu.executor().values(of: slopes)
    #expect(results.map(\.shape) == [[0, 3], [3, 2]])
    #expect(results[1].doubles().allSatisfy { $0 == 0 })
  }

  // MARK: Stops

  private func expectStop(_ result: ExitTest.Result?, saying text: String) {
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(text), "\(said)")
  }

  @Test func `what has no meaning for an empty axis stops the program and says so`() async {
    var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([0, 3]).gathered(at: Tensor([Int32(0)]))
    }
    expectStop(result, saying: "gather: float32[0, 3] has no rows to gather from")
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([0, 3]).resized(to: [2], along: [0])
    }
    expectStop(result, saying: "resize: axes [0] of float32[0, 3] to [2]")
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([1, 1, 0]).averagePooled(to: [1])
    }
    expectStop(result, saying: "adaptive-average-pooling: [1, 1, 0] to [1]")
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([0]).padded(before: [1], with: .replication)
    }
    expectStop(result, saying: "is too wide for axis 0 of [0]")
    result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([0]).topK(1)
    }
    expectStop(result, saying: "topK: 1 elements of [0] along axis -1")
  }
}
