import HeklaArrays
import HeklaDevices
import HeklaTensors
import Testing

@testable import HeklaNN

@Suite struct PropagationTests {
  /// A triangle with a tail, and vertex 5 alone; one edge twice, one loop.
  static let edges: [(Int32, Int32)] = [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (1, 0), (4, 4)]

  /// D^-1/2 (A + I) D^-1/2 by its definition.
  static func dense(_ count: Int, _ edges: [(Int32, Int32)]) -> [[Double]] {
    var matrix = (0..<count).map { row in (0..<count).map { $0 == row ? 1.0 : 0 } }
    for (first, second) in edges {
      matrix[Int(first)][Int(second)] = 1
      matrix[Int(second)][Int(first)] = 1
    }
    let degrees = matrix.map { $0.reduce(0, +) }
    return (0..<count).map { row -> [Double] in
      (0..<count).map { column -> Double in
        let product: Double = degrees[row] * degrees[column]
        return matrix[row][column] / product.squareRoot()
      }
    }
  }

  @Test func `the normalized adjacency is its definition, rounded to float32, and its own transpose`() throws
  {
    let matrix = try Graph.normalizedAdjacency(vertexCount: 6, edges: Self.edges)
    let identity = Tensor.identity(6)
    let found = values(matrix.product(identity))
    #expect(agree(found, Self.dense(6, Self.edges).flatMap { $0 }, within: 1e-7))
    #expect(found == values(matrix.transposed.product(identity)))
    #expect(found[35] == 1)
    #expect(throws: DeviceError.indexOutOfRange(operation: "normalized-adjacency", index: 4, bound: 4)) {
      try Graph.normalizedAdjacency(vertexCount: 4, edges: Self.edges)
    }
  }

  @Test func `powers are repeated products, and teleporting is the recurrence`() throws {
    let a = try Graph.normalizedAdjacency(vertexCount: 6, edges: Self.edges)
    let start = numbers(12, seed: 1).map(Float.init)
    let x = Tensor(start, shape: [6, 2])
    let dense = values(a.product(.identity(6)))
    func times(_ x: [Double]) -> [Double] {
      (0..<12).map { place -> Double in
        let (row, column) = (place / 2, place % 2)
        return (0..<6).reduce(0.0) { sum, k in sum + dense[row * 6 + k] * x[k * 2 + column] }
      }
    }
    var (power, ranks) = (start.map(Double.init), start.map(Double.init))
    let powers = a.powers(times: x, count: 3).map { values($0) }
    for step in 0...3 {
      #expect(agree(powers[step], power, within: 1e-12))
      #expect(agree(values(a.power(step, times: x)), power, within: 1e-12))
      #expect(agree(values(a.personalizedPageRank(of: x, teleport: 0.1, count: step)), ranks, within: 1e-12))
      power = times(power)
      ranks = zip(times(ranks), start).map { 0.9 * $0 + 0.1 * Double($1) }
    }
  }

  @Test func `a sparse product's gradients are right, of the values and of what is multiplied`() throws {
    let rows = try Segments([0, 2, 2, 0, 1, 2], count: 4),
      columns = try Segments([1, 0, 1, 1, 2, 0], count: 3)
    let start = numbers(6, seed: 2), x = numbers(6, seed: 3), weights = constant(numbers(8, seed: 4), [4, 2])
    func loss(_ values: Tensor, _ x: Tensor) -> Tensor {
      let matrix = SparseMatrix(rows: rows, columns: columns, values: values)
      return (matrix.product(x).squared() * weights).sum()
    }
    #expect(gradientError(start, [6]) { loss($0, constant(x, [3, 2])) } < 1e-8)
    #expect(gradientError(x, [3, 2]) { loss(constant(start, [6]), $0) } < 1e-8)
    // Of the gradient, once more: the product with the transpose is differentiated too.
    let second = gradientError(x, [3, 2]) { x in
      gradients(of: loss(constant(start, [6]), x), withRespectTo: [x])[0].squared().sum()
    }
    #expect(second < 1e-7)
  }

  @Test func `a linear layer and dropout take a sparse matrix as they take the dense one`() throws {
    let x = try SparseMatrix(
      rowCount: 3, columnCount: 4, rows: [0, 0, 2], columns: [1, 3, 0], values: [0.5, 2, -1])
    let dense = Tensor([0, 0.5, 0, 2, 0, 0, 0, 0, -1, 0, 0, 0] as [Float], shape: [3, 4])
    let layer = Linear(inputs: 4, outputs: 2, key: RandomKey(seed: 5))
    #expect(agree(values(layer(x)), values(layer(dense)), within: 1e-12))
    let key = Tensor(RandomKey(seed: 6))
    let dropped = values(Dropout(rate: 0.5)(x, key: key).values)
    #expect(zip(dropped, [0.5, 2, -1]).allSatisfy { $0 == 0 || $0 == 2 * $1 })
    #expect(values(Dropout(rate: 0.5)(x, key: nil).values) == [0.5, 2, -1])
  }

  @Test func `a graph convolutional network is its formula, and without a graph a perceptron`() throws {
    let a = try Graph.normalizedAdjacency(vertexCount: 3, edges: [(0, 1)])
    let x = try SparseMatrix(
      rowCount: 3, columnCount: 4, rows: [0, 1, 2], columns: [1, 3, 0], values: [1, 2, -1])
    let network = GraphConvolutionalNetwork([4, 5, 2], key: RandomKey(seed: 7))
    #expect(network.parameters().map(\.path).contains("convolutions.1.linear.weight"))
    #expect(network.parameterCount == 4 * 5 + 5 + 5 * 2 + 2)
    let (first, second) = (network.convolutions[0].linear, network.convolutions[1].linear)
    let hidden = a.product(first(x)).relu()
    let layers = network.layers(of: x, over: a)
    #expect(values(layers[0]) == values(hidden))
    #expect(values(layers[1]) == values(a.product(second(hidden))))
    let perceptron = network.layers(of: x, over: nil)
    #expect(values(perceptron[1]) == values(second(first(x).relu())))
    let key = Tensor(RandomKey(seed: 8))
    let dropping = GraphConvolutionalNetwork([4, 50, 2], dropout: 0.5, key: RandomKey(seed: 7))
    #expect(
      values(dropping.layers(of: x, over: a, key: key)[1]) != values(dropping.layers(of: x, over: a)[1]))
  }

  @Test func `stopping waits for its patience after the lowest loss, and NaN is never lowest`() {
    var stopping = EarlyStopping(patience: 3)
    let losses = [3, 2, .nan, 2, 2.5, 1, 4, 4, 4]
    var best: [Bool] = [], over: [Bool] = []
    for (step, loss) in losses.enumerated() {
      best.append(stopping.isBest(loss, at: step))
      over.append(stopping.isOver)
    }
    #expect(best == [true, true, false, false, false, true, false, false, false])
    #expect(over == [false, false, false, false, true, false, false, false, true])
    #expect(stopping.bestStep == 5 && stopping.lowest == 1)
  }
}
