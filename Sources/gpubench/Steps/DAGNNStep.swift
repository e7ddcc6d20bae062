import HeklaArrays
import HeklaNN
import HeklaTensors

extension TrainingStep {
  static let dagnn = TrainingStep(
    "dagnn",
    summary: """
      deep adaptive graph network, 10 propagations, on 2,708 vertices,
      10,556 edges and 1,433 features in sparse form, of which 18 a
      vertex are 1; dropout 0.8 before both layers of 1433-64-7;
      Adam 0.01
      """,
    batchSize: nil
  ) { key, _ in
    let graph = GeneratedGraph(key: key.folded(in: "data"))
    let (features, adjacency) = (try graph.features, try graph.adjacency)
    let trained = try Segments(graph.trained, count: GeneratedGraph.vertexCount)
    let labels = Tensor(graph.trained.map { graph.label(of: Int($0)) })
    let model = DeepAdaptiveNetwork(key: key.folded(in: "model"))
    // What is dropped: the graph itself lies on the device.
    let batches = key.folded(in: "dropout").split(into: 64).map { [HostArray($0)] }
    let adam = Adam(for: model.trainableParameters, learningRate: 0.01)
    return Training(of: model, by: adam, on: batches) { batch in
      let logits = model(features, adjacency, key: batch[0])
      return (crossEntropy(logits: logits.gathered(at: trained), labels: labels), [])
    }
  }
}

/// A perceptron of each vertex's features, propagated far, with a gate for what each hop brings.
///
/// Source: Liu et al. 2020, "Towards deeper graph neural networks", equation 8.
private struct DeepAdaptiveNetwork: Module {
  let perceptron: GraphConvolutionalNetwork
  /// Gives each hop's gate, shape `[7, 1]`.
  let gate: Parameter

  init(key: RandomKey) {
    perceptron = GraphConvolutionalNetwork([1_433, 64, 7], dropout: 0.8, key: key.folded(in: "perceptron"))
    gate = Parameter(
      Initializer.glorotUniform([7, 1], fanIn: 7, fanOut: 1, key: key.folded(in: "gate")))
  }

  func callAsFunction(_ features: SparseMatrix, _ adjacency: SparseMatrix, key: Tensor) -> Tensor {
    let layers = perceptron.layers(of: features, over: nil, key: key)
    return adjacency.powers(times: layers[1], count: 10)
      .map { $0 * $0.matrixProduct(gate.tensor).sigmoid() }
      .reduce(.zeros([]), +)
  }
}

/// A graph of the extents of Cora: vertices of seven classes with words that their class prefers, and edges that
/// lead to their own class four times out of five.
private struct GeneratedGraph {
  static let vertexCount = 2_708
  private static let (classCount, featureCount, edgeCount) = (7, 1_433, 5_278)

  let key: RandomKey

  /// Twenty vertices of each class.
  let trained = (0..<Int32(20 * classCount)).map { $0 }

  init(key: RandomKey) { self.key = key }

  func label(of vertex: Int) -> Int32 { Int32(vertex % Self.classCount) }

  /// Ones for 18 words a vertex.
  var features: SparseMatrix {
    get throws {
      let key = key.folded(in: "features")
      var (rows, columns) = ([Int32](), [Int32]())
      for vertex in 0..<Self.vertexCount {
        var (words, draw) = (Set<Int>(), 0)
        while words.count < 18 {
          let word = number(key, vertex * 1_000 + draw, below: Self.featureCount)
          // Every other word is moved to one of the vertex's class.
          let own = word / Self.classCount * Self.classCount + vertex % Self.classCount
          words.insert(draw % 2 == 0 && own < Self.featureCount ? own : word)
          draw += 1
        }
        rows += words.map { _ in Int32(vertex) }
        columns += words.sorted().map(Int32.init)
      }
      return try SparseMatrix(
        rowCount: Self.vertexCount, columnCount: Self.featureCount, rows: rows, columns: columns,
        values: rows.map { _ in 1 })
    }
  }

  /// The normalized adjacency of 5,278 undirected edges, with a loop at each vertex.
  var adjacency: SparseMatrix {
    get throws {
      let key = key.folded(in: "edges")
      var (edges, known, draw) = ([(Int32, Int32)](), Set<Int>(), 0)
      while edges.count < Self.edgeCount {
        let source = number(key, 3 * draw, below: Self.vertexCount)
        var target = number(key, 3 * draw + 1, below: Self.vertexCount)
        if number(key, 3 * draw + 2, below: 5) > 0 {
          target = target / Self.classCount * Self.classCount + source % Self.classCount
        }
        draw += 1
        let (first, second) = (min(source, target), max(source, target))
        guard first != second, second < Self.vertexCount,
          known.insert(first * Self.vertexCount + second).inserted
        else { continue }
        edges.append((Int32(first), Int32(second)))
      }
      return try Graph.normalizedAdjacency(vertexCount: Self.vertexCount, edges: edges)
    }
  }

  private func number(_ key: RandomKey, _ draw: Int, below bound: Int) -> Int {
    Int((UInt64(key.word(at: draw)) * UInt64(bound)) >> 32)
  }
}
