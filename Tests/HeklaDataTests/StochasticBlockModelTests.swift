import HeklaArrays
import HeklaData
import Testing

@Suite("Stochastic block model")
struct StochasticBlockModelTests {
  private static let graph = StochasticBlockModel().graph(key: RandomKey(seed: 1))
  private var graph: LabeledGraph { Self.graph }

  @Test("The same key gives the same graph, another key another")
  func determinism() {
    var model = StochasticBlockModel()
    (model.vertexCount, model.trainPerClass, model.validationCount, model.testCount) = (100, 5, 20, 30)
    let (first, again) = (model.graph(key: RandomKey(seed: 1)), model.graph(key: RandomKey(seed: 1)))
    #expect(again.edges.elementsEqual(first.edges, by: ==))
    #expect(again.features == first.features && again.train == first.train && again.test == first.test)
    let other = model.graph(key: RandomKey(seed: 2))
    #expect(!other.edges.elementsEqual(first.edges, by: ==) && other.features != first.features)
  }

  @Test("Degrees, homophily and rates of features are those asked for")
  func rates() {
    #expect(graph.vertexCount == 1_000 && graph.classCount == 5 && graph.featureCount == 500)
    // 2,500 edges with a standard deviation of 50, and a share of 0.8 with one of 0.008: four of each.
    #expect(abs(Double(graph.edges.count) - 2_500) < 200)
    #expect(abs(graph.homophily - 0.8) < 0.032)
    var (own, other) = (0, 0)
    for (label, features) in zip(graph.labels, graph.features) {
      let matching = features.count { $0 / 100 == label }
      (own, other) = (own + matching, other + features.count - matching)
    }
    // 4,000 of 100,000 with a standard deviation of 62, and 6,000 of 400,000 with one of 77: four of each.
    #expect(abs(own - 4_000) < 248 && abs(other - 6_000) < 308)
  }

  @Test("Each class gives 20 vertices to learn from, and parts do not overlap")
  func parts() {
    #expect((0..<5).allSatisfy { label in graph.train.count { graph.labels[Int($0)] == label } == 20 })
    #expect(graph.validation.count == 200 && graph.test.count == 500)
    #expect(Set(graph.train + graph.validation + graph.test).count == 800)
  }
}
