import HeklaArrays
import TestSupport
import Testing

@testable import HeklaTensors

@Suite struct GradientTests {
  /// A sample with a name, and inputs small enough for a reference of plain loops.
  struct Case: CustomTestStringConvertible, Sendable {
    var primitive: String
    var sample: Sample
    var inputs: [Sample.Input]

    var testDescription: String { "\(primitive)/\(sample.label)" }

    init(_ primitive: String, _ sample: Sample) {
      self.primitive = primitive
      self.sample = sample
      // Equal extents stay equal, so the operation still fits; the others have fixed places or indices.
      let isScalable = ["map", "reduction", "matrix-product", "permute", "flip", "concatenate"].contains(
        primitive)
      inputs = sample.inputs.map { input in
        let extents = input.signature.shape.extents.map { isScalable ? min($0, 7) : $0 }
        return Sample.Input(Shape(extents), input.signature.elementType, in: input.range)
      }
    }
  }

  static let cases = Sample.all.flatMap { primitive, samples in
    samples.filter(\.isDifferentiable).map { Case(primitive, $0) }
  }

  @Test(arguments: cases)
  func `the gradient of every sample is right in the middle of a graph`(_ example: Case) {
    let small = Sample(example.sample.label, inputs: example.inputs, tolerance: .exact) { $0[0] }
    let values = small.values(key: RandomKey(seed: 17))
    var leaves: [(tensor: Tensor, values: HostArray)] = []
    var operands: [Tensor] = []
    for (position, input) in example.inputs.enumerated() {
      let leaf = Tensor.input(position, input.signature)
      guard input.signature.elementType.isFloating else {
        leaves.append((leaf, values[position]))
        operands.append(leaf)
        continue
      }
      // Something smooth before the operation that keeps its input inside the sampled range.
      let middle = (input.range.lowerBound + input.range.upperBound) / 2
      let half = (input.range.upperBound - input.range.lowerBound) / 2
      operands.append(leaf.tanh() * half + middle)
      leaves.append((leaf, randomArray(input.signature.shape, seed: UInt64(position))))
    }
    let output = example.sample.build(operands)
    let weights = Tensor(randomArray(output.shape, seed: 99).converted(to: output.elementType))
    checkGradients(of: (weights * output).sum(), at: leaves, label: example.testDescription)
  }

  private static func definite(_ x: Tensor) -> Tensor {
    x.matrixProduct(x.transposed()) + .identity(x.shape[-1], x.elementType)
  }

  /// The diagonal 3, 6, 9, ...: eigenvalues and singular values of what is added to it stay apart.
  private static func spread(_ n: Int) -> Tensor {
    ((Tensor.range(n).converted(to: .float32) + 1) * 3).embeddedAsDiagonal()
  }

  /// Functions whose gradients are differentiated again.
  static let secondOrder: [(name: String, shapes: [Shape], function: @Sendable ([Tensor]) -> Tensor)] = [
    ("matrix product", [[3, 4], [4, 2]], { $0[0].matrixProduct($0[1]) }),
    (
      "transposed products", [[4, 3], [2, 4]], { $0[0].transposed().matrixProduct($0[1].transposed()).tanh() }
    ),
    ("batched product", [[2, 3, 4], [4, 2]], { $0[0].matrixProduct($0[1]) }),
    ("softmax", [[3, 5]], { $0[0].softmax() }),
    ("log-softmax", [[3, 5]], { $0[0].logSoftmax(along: 0) }),
    ("tanh", [[7]], { $0[0].tanh() }),
    ("gelu", [[7]], { $0[0].gelu() }),
    ("sigmoid times itself", [[7]], { $0[0].sigmoid() * $0[0] }),
    ("quotient", [[3, 1], [4]], { $0[0] / ($0[1] + 3) }),
    ("sum squared", [[3, 4]], { $0[0].sum(along: 0).squared() }),
    ("product", [[3, 4]], { ($0[0] + 2).product(along: 1) }),
    (
      "product with zeros", [[3, 4]],
      { ($0[0] * Tensor([1, 2, 0, 1, 0, 1, 0, 2, 1, 1, 1, 1] as [Float], shape: [3, 4])).product(along: 1) }
    ),
    ("product along an outer axis", [[3, 4]], { $0[0].product(along: 0) }),
    ("cumulative logarithm of sums", [[2, 5]], { $0[0].cumulativeLogSumExp(along: 1) }),
    (
      "masked softmax", [[2, 4]],
      { $0[0].softmax(where: Tensor([true, false, true, true, true, true, false, true], shape: [2, 4])) }
    ),
    ("whole power", [[5]], { $0[0].power(3) }),
    ("Hermite polynomials", [[3]], { $0[0].hermiteBasis(5) }),
    ("maximum squared", [[3, 4]], { $0[0].maximum(along: 1).squared() }),
    ("variance", [[3, 4]], { $0[0].variance(along: 1) }),
    (
      "strided slice of exp", [[7, 5]],
      { $0[0].exp().sliced(starts: [1, 0], extents: [3, 2], steps: [2, 3]) }
    ),
    ("padded square", [[2, 3]], { $0[0].squared().padded(before: [1, 0], after: [0, 2], with: 5) }),
    ("gather", [[5, 2]], { $0[0].squared().gathered(at: Tensor([Int32(4), 0, 4])) }),
    ("scatter", [[4, 2]], { Tensor.scatterSum($0[0].exp(), at: Tensor([Int32(1), 1, 0, 2]), rows: 3) }),
    ("cholesky", [[2, 4, 4]], { definite($0[0]).cholesky() }),
    (
      "triangular solution", [[3, 3], [3, 2]],
      { ($0[0] + .identity(3) * 3).triangularSolve($0[1], isTransposed: true) }
    ),
    ("solution", [[2, 3, 3], [3, 2]], { ($0[0] + .identity(3) * 3).solve($0[1]) }),
    ("log-determinant", [[2, 3, 3]], { ($0[0] + .identity(3) * 3).logDeterminant().logarithm }),
    ("definite log-determinant", [[3, 3]], { definite($0[0]).logDeterminantPositiveDefinite() }),
    (
      "QR", [[4, 3]],
      {
        let (q, r) = ($0[0] + Tensor.identity(4).sliced(0..<3, along: 1) * 3).qrFactorization()
        return .concatenating([q, r], along: 0)
      }
    ),
    (
      "eigenvectors and values", [[3, 3]],
      {
        let (vectors, values) = ($0[0] + spread(3)).symmetricEigen()
        return .concatenating([vectors, values.expanded(at: 0)], along: 0)
      }
    ),
    (
      "singular vectors and values", [[3, 4]],
      {
        let (u, values, vt) = ($0[0] + spread(4).sliced(0..<3, along: 0)).singularValueDecomposition()
        return .concatenating([u, values.expanded(at: 0), vt.transposed()], along: 0)
      }
    ),
    ("Fourier transform", [[6, 2]], { $0[0].fft().squared() }),
    ("real Fourier transform", [[5]], { $0[0].rfft().squared().irfft(count: 5) }),
    (
      "attention", [[1, 2, 3, 4], [1, 1, 5, 4], [1, 1, 5, 4], [2, 3, 5]],
      { .attention(queries: $0[0], keys: $0[1], values: $0[2], isCausal: true, mask: $0[3]) }
    ),
    (
      "concatenation", [[2, 2], [2, 3]], { Tensor.concatenating([$0[0].exp(), $0[1].squared()], along: 1) }
    ),
    (
      "grouped, strided convolution", [[2, 4, 7], [6, 2, 3]],
      { $0[0].convolved(with: $0[1], strides: [2], padding: .same, groups: 2) }
    ),
    (
      "dilated convolution of planes", [[1, 2, 5, 6], [3, 2, 2, 2]],
      { $0[0].convolved(with: $0[1], dilations: [2, 1]).tanh() }
    ),
    (
      "transposed convolution", [[1, 2, 4], [2, 3, 3]],
      { $0[0].convolvedTransposed(with: $0[1], strides: [2]).squared() }
    ),
    ("maximum pooling", [[1, 2, 6, 5]], { $0[0].maximumPooled([2, 3], strides: [2, 1]).squared() }),
    ("average pooling", [[2, 1, 7]], { $0[0].exp().averagePooled([3], strides: [2], padding: .same) }),
    ("adaptive pooling", [[1, 1, 7, 4]], { $0[0].squared().averagePooled(to: [3, 2]) }),
    ("windows", [[3, 9]], { $0[0].windows([3], along: [1], strides: [2], dilations: [2]).exp() }),
    ("cumulative sum", [[3, 5]], { $0[0].exp().cumulativeSum(along: 1, isExclusive: true).squared() }),
    ("cumulative product", [[2, 5]], { $0[0].cumulativeProduct(along: 1, isReversed: true) }),
    ("cumulative maximum", [[2, 5]], { $0[0].cumulativeMaximum(along: 1).squared() }),
    ("linear recurrence", [[2, 4, 2], [2, 4, 2]], { $0[0].linearRecurrence(factors: $0[1], along: 1) }),
    ("segment sum", [[6, 2]], { $0[0].exp().segmentSum(segments).squared() }),
    ("segment mean", [[6]], { $0[0].squared().segmentMean(segments) }),
    ("segment maximum", [[6, 2]], { $0[0].segmentMaximum(segments, empty: 0).squared() }),
    ("segment softmax", [[6, 2]], { $0[0].segmentSoftmax(segments) }),
    ("gather at segments", [[4, 2]], { $0[0].gathered(at: segments).squared() }),
    (
      "take along", [[3, 4]],
      { $0[0].takenAlong(1, Tensor([Int32(3), 0, 0, 2, 2, 1], shape: [3, 2])).exp() }
    ),
    ("sort", [[3, 6]], { $0[0].sorted(along: 1, descending: true).squared() }),
    ("top-k", [[3, 6]], { $0[0].topK(2, along: 1).values.exp() }),
    (
      "resize", [[2, 3, 4]],
      { $0[0].exp().resized(to: [5, 3], along: [1, 2], by: .cubic, aligningCorners: true) }
    ),
    ("einsum", [[2, 3, 4], [4, 3]], { Tensor.einsum("bij,ji->bi", $0[0], $0[1]) }),
    ("squared distances", [[3, 4], [2, 4]], { $0[0].squaredDistances(to: $0[1]) }),
    ("norm", [[3, 4]], { $0[0].norm(along: [1]) }),
    ("standard deviation", [[3, 4]], { $0[0].standardDeviation(along: [1]) }),
    ("log-sum-exp", [[3, 4]], { $0[0].logSumExp(along: 0) }),
    ("cosine similarity", [[3, 4], [3, 4]], { $0[0].cosineSimilarity($0[1]) }),
    ("error function", [[7]], { $0[0].erf() }),
    ("log-gamma", [[7]], { ($0[0] + 3).logGamma() }),
    ("rolled and tiled", [[2, 3]], { $0[0].squared().rolled(by: 1, along: 1).tiled([2, 1]) }),
    ("flip and permute", [[2, 3]], { $0[0].exp().flipped(along: [0]).transposed() }),
    ("reflected border", [[5]], { $0[0].exp().padded(before: [2], after: [3], with: .reflection) }),
    ("triangle and diagonal", [[4, 4]], { $0[0].exp().lowerTriangle().diagonal(-1) }),
  ]

  /// The terms of four segments, one of which has none.
  private static let segments = Segments(at: Tensor([Int32(2), 0, 2, 3, 0, 2]), count: 4)

  @Test(arguments: secondOrder.indices)
  func `the gradient of a gradient is right`(index: Int) {
    let (name, shapes, function) = Self.secondOrder[index]
    let leaves = shapes.enumerated().map { position, shape in
      (tensor: Tensor.input(position, Signature(shape)), values: randomArray(shape, seed: UInt64(position)))
    }
    let tensors = leaves.map(\.tensor)
    let output = function(tensors)
    let weights = Tensor(randomArray(output.shape, seed: 5).converted(to: .float32))
    let loss = (weights * output).sum()
    checkGradients(of: loss, at: leaves, label: name)
    let slopes = gradients(of: loss, withRespectTo: tensors)
    let second = slopes.enumerated().map { number, slope in
      (slope * Tensor(randomArray(slope.shape, seed: 60 + UInt64(number)).converted(to: .float32))).sum()
    }
    checkGradients(of: second.dropFirst().reduce(second[0], +), at: leaves, label: "\(name), second order")
  }

  @Test func `what the loss does not depend on has gradient zero`() {
    let (x, y) = (Tensor.input(0, Signature([3])), Tensor.input(1, Signature([2, 2])))
    let slopes = gradients(of: (x * 2).sum(), withRespectTo: [y, x])
    let values = referenceValues(of: slopes, feeding: [x.node: HostArray([1, 2, 3] as [Float])])
    #expect(values[0].shape == [2, 2] && values[0].doubles() == [0, 0, 0, 0])
    #expect(values[1].doubles() == [2, 2, 2])
  }

  @Test func `no gradient flows through stoppingGradient`() {
    let x = Tensor([3, 4] as [Float])
    let slope = gradients(
      of: (x * x.stoppingGradient() + x.stoppingGradient().exp()).sum(), withRespectTo: [x])[0]
    #expect(referenceValues(of: [slope])[0].doubles() == [3, 4])
  }

  @Test func `a tensor used twice collects both gradients, also when it is asked for twice`() {
    let x = Tensor([3, 4] as [Float])
    let slopes = gradients(of: (x * x + x).sum(), withRespectTo: [x, x])
    for values in referenceValues(of: slopes) { #expect(values.doubles() == [7, 9]) }
  }

  @Test func `gradients of parts that lie side by side are joined, others added`() {
    let x = Tensor.input(0, Signature([2, 7]))
    func gradient(_ ranges: [Range<Int>], along axis: Int) -> Tensor {
      let parts = ranges.map { x.sliced($0, along: axis).squared().sum() }
      return gradients(of: parts.dropFirst().reduce(parts[0], +), withRespectTo: [x])[0]
    }
    let values = randomArray([2, 7], seed: 4)
    let examples: [(ranges: [Range<Int>], axis: Int, isJoined: Bool)] = [
      ([0..<3, 3..<5, 5..<7], 1, true), ([5..<7, 0..<3, 3..<5], 1, true), ([1..<2, 0..<1], 0, true),
      ([0..<3, 5..<7], 1, false), ([0..<3, 2..<7], 1, false), ([0..<4, 4..<7, 0..<4], 1, false),
      ([0..<7, 0..<3, 3..<7], 1, false), ([0..<3, 3..<3, 3..<7], 1, false),
    ]
    for (ranges, axis, isJoined) in examples {
      let found = gradient(ranges, along: axis)
      #expect((found.node.primitive is Concatenate) == isJoined, "\(ranges)")
      let wanted = (0..<14).map { index in
        let place = axis == 0 ? index / 7 : index % 7
        return 2 * Double(ranges.count { $0.contains(place) }) * values.doubles()[index]
      }
      let got = referenceValues(of: [found], feeding: [x.node: values])[0].doubles()
      #expect(zip(got, wanted).allSatisfy { abs($0 - $1) < 1e-6 }, "\(ranges)")
    }
  }

  @Test func `the gradient with respect to an intermediate result, and to the loss itself`() {
    let x = Tensor([3, 4] as [Float])
    let y = x * 2
    let loss = (y * y).sum()
    let slopes = gradients(of: loss, withRespectTo: [y, loss, x])
    #expect(referenceValues(of: slopes).map { $0.doubles() } == [[12, 16], [1], [24, 32]])
  }

  @Test func `an upstream gradient weighs the elements of the loss`() {
    let x = Tensor([3, 4] as [Float])
    let slope = gradients(of: x * x, withRespectTo: [x], upstream: Tensor([10, 100] as [Float]))[0]
    #expect(referenceValues(of: [slope])[0].doubles() == [60, 800])
  }

  @Test func `a gradient comes back through a conversion in the type of the input`() {
    let x = Tensor.input(0, Signature([3]))
    let loss = x.converted(to: .float64).squared().sum()
    let slope = gradients(of: loss, withRespectTo: [x])[0]
    #expect(slope.elementType == .float32)
    let map = slope.node.primitive as? Map
    #expect(map?.expression.type == .float32)
    let values = referenceValues(of: [slope], feeding: [x.node: HostArray([1, 2, 3] as [Float])])
    #expect(values[0].doubles() == [2, 4, 6])
  }

  @Test func `a gradient depends only on the forward values that it needs`() {
    let x = Tensor.input(0, Signature([3]))
    let y = x.exp() * 2
    let slope = gradients(of: (y * 3).sum(), withRespectTo: [y])[0]
    #expect(![slope.node].withDependencies().contains(y.node))
  }

  @Test func `elements that share an extremum share its gradient`() {
    let x = Tensor([2, 5, 5, 1] as [Float])
    for extremum in [x.maximum(), -(-x).minimum()] {
      let slope = gradients(of: extremum, withRespectTo: [x])[0]
      #expect(referenceValues(of: [slope])[0].doubles() == [0, 0.5, 0.5, 0])
    }
  }

  @Test func `a product over an empty batch has gradients, zeros for the weights`() {
    let (a, w) = (Tensor.input(0, Signature([0, 3])), Tensor.input(1, Signature([3, 2])))
    let slopes = gradients(of: a.matrixProduct(w).sum(), withRespectTo: [a, w])
    #expect(slopes.map(\.shape) == [[0, 3], [3, 2]])
    let feed = [a.node: HostArray(zeros: [0, 3]), w.node: randomArray([3, 2], seed: 1)]
    #expect(referenceValues(of: slopes, feeding: feed)[1].doubles() == [0, 0, 0, 0, 0, 0])
  }

  @Test func `a loss with elements and no upstream stops the program`() async {
    await #expect(processExitsWith: .failure) {
      let x = Tensor([1, 2] as [Float])
      _ = gradients(of: x * x, withRespectTo: [x])
    }
  }
}
