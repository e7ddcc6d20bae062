import HeklaArrays

/// An undirected graph whose vertices have features and classes, divided for learning from few labels.
public struct LabeledGraph: Sendable {
  /// What the graph is, for logs and reports.
  public let name: String
  /// The number of vertices.
  public let vertexCount: Int
  /// The number of features.
  public let featureCount: Int
  /// The number of classes.
  public let classCount: Int
  /// Pairs of vertices, the lesser first, ascending, each once; no loops.
  public let edges: [(Int32, Int32)]
  /// The features that each vertex has, ascending; each is there or not.
  public let features: [[Int32]]
  /// The class of each vertex, in `0..<classCount`; -1 where it is not known.
  public let labels: [Int32]
  /// The vertices to learn from.
  public let train: [Int32]
  /// The vertices to choose by.
  public let validation: [Int32]
  /// The vertices to judge by.
  public let test: [Int32]

  /// A graph of these parts; edges may come in any order, both ways, repeated or as loops.
  /// - Precondition: There is a list of features and a label for each vertex; edges, features, labels and parts name
  ///   what there is.
  public init(
    name: String, featureCount: Int, classCount: Int, edges: [(Int32, Int32)], features: [[Int32]],
    labels: [Int32], train: [Int32], validation: [Int32], test: [Int32]
  ) {
    let vertices = labels.indices
    require(
      features.count == vertices.count,
      "LabeledGraph: \(features.count) lists of features for \(vertices.count) vertices")
    require(
      labels.allSatisfy { (-1..<Int32(classCount)).contains($0) }, "LabeledGraph: a label names no class")
    require(
      features.joined().allSatisfy { (0..<Int32(featureCount)).contains($0) },
      "LabeledGraph: a vertex has a feature that is not in 0..<\(featureCount)")
    require(
      (train + validation + test).allSatisfy { vertices.contains(Int($0)) && labels[Int($0)] >= 0 },
      "LabeledGraph: a part has a vertex that does not exist or has no label")
    require(
      edges.allSatisfy { vertices.contains(Int($0)) && vertices.contains(Int($1)) },
      "LabeledGraph: an edge leads to a vertex that is not in 0..<\(vertices.count)")
    (self.name, self.featureCount, self.classCount) = (name, featureCount, classCount)
    vertexCount = vertices.count
    self.features = features.map { Array(Set($0)).sorted() }
    (self.labels, self.train, self.validation, self.test) = (labels, train, validation, test)
    var distinct: [(Int32, Int32)] = []
    for edge in edges.map({ (min($0, $1), max($0, $1)) }).sorted(by: <) where edge.0 != edge.1 {
      if let last = distinct.last, last == edge { continue }
      distinct.append(edge)
    }
    self.edges = distinct
  }

  /// The matrix of vertices and features, element by element; each row that has elements sums to 1.
  public var normalizedFeatures: (rows: [Int32], columns: [Int32], values: [Float]) {
    (
      features.enumerated().flatMap { repeatElement(Int32($0), count: $1.count) }, features.flatMap(\.self),
      features.flatMap { repeatElement(1 / Float($0.count), count: $0.count) }
    )
  }

  /// The share of edges between vertices of one class, among those between labelled ones.
  public var homophily: Double {
    let known = edges.filter { labels[Int($0.0)] >= 0 && labels[Int($0.1)] >= 0 }
    return Double(known.count { labels[Int($0.0)] == labels[Int($0.1)] }) / Double(max(known.count, 1))
  }
}
