import Foundation
import HeklaArrays

/// Graphs drawn at random in which vertices of one class are joined more often than others, with words as features.
///
/// Source: Holland, Laskey & Leinhardt 1983, "Stochastic blockmodels: first steps".
public struct StochasticBlockModel: Sendable {
  /// The number of vertices; their classes take turns.
  public var vertexCount = 1_000
  /// The number of classes, or blocks.
  public var classCount = 5
  /// The expected number of a vertex's edges.
  public var meanDegree = 5.0
  /// The expected share of edges that join vertices of one class.
  public var homophily = 0.8
  /// The number of features; each class has an equal share of them as its own.
  public var featureCount = 500
  /// The probability that a vertex has one of its class's own features.
  public var ownRate = 0.04
  /// The probability that it has another feature.
  public var otherRate = 0.015
  /// Vertices of each class to learn from.
  public var trainPerClass = 20
  /// Vertices to choose by, and to judge by.
  public var validationCount = 200
  /// Vertices to judge by.
  public var testCount = 500

  /// The model with these defaults.
  public init() {}

  /// A graph of the model.
  ///
  /// - Precondition: The counts are positive and the vertices suffice for the parts; probabilities, those of edges
  ///   among them, are in 0...1.
  /// - Complexity: O(`vertexCount`^2).
  public func graph(key: RandomKey) -> LabeledGraph {
    let labels = (0..<vertexCount).map { $0 % classCount }
    let size = Double(vertexCount) / Double(classCount)
    let inside = meanDegree * homophily / max(size - 1, 1)
    let outside = meanDegree * (1 - homophily) / max(Double(vertexCount) - size, 1)
    require(
      vertexCount > 0 && classCount > 0
        && [inside, outside, ownRate, otherRate].allSatisfy { (0...1).contains($0) }
        && classCount * trainPerClass + validationCount + testCount <= vertexCount,
      "StochasticBlockModel: \(self) cannot be drawn")
    let edgeKey = key.folded(in: "edges")
    var edges: [(Int32, Int32)] = []
    for first in 0..<vertexCount {
      let rowKey = edgeKey.folded(in: UInt64(first))
      for second in (first + 1)..<max(first + 1, vertexCount) {
        let probability = labels[first] == labels[second] ? inside : outside
        if Double(rowKey.uniform(at: second)) < probability { edges.append((Int32(first), Int32(second))) }
      }
    }
    let featureKey = key.folded(in: "features")
    let features = labels.enumerated().map { vertex, label in
      let rowKey = featureKey.folded(in: UInt64(vertex))
      return (0..<featureCount).filter { feature in
        let rate = feature * classCount / featureCount == label ? ownRate : otherRate
        return Double(rowKey.uniform(at: feature)) < rate
      }.map(Int32.init)
    }
    // The first of a random order in each class to learn from; of the rest, in that order, the other parts.
    let order = key.folded(in: "parts").permutation(of: vertexCount)
    var counts = [Int](repeating: 0, count: classCount)
    var (train, rest): ([Int32], [Int32]) = ([], [])
    for vertex in order {
      if counts[labels[vertex]] < trainPerClass {
        train.append(Int32(vertex))
      } else {
        rest.append(Int32(vertex))
      }
      counts[labels[vertex]] += 1
    }
    return LabeledGraph(
      name: "stochastic block model", featureCount: featureCount, classCount: classCount, edges: edges,
      features: features, labels: labels.map(Int32.init), train: train,
      validation: Array(rest.prefix(validationCount)),
      test: Array(rest.dropFirst(validationCount).prefix(testCount)))
  }
}
