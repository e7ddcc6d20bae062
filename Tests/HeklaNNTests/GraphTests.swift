import HeklaArrays
import HeklaDevices
import HeklaTensors
import Testing

@testable import HeklaNN

@Suite struct GraphTests {
  @Test func `messages arrive where edges lead, and a vertex without edges gets nothing`() throws {
    let graph = try Graph(vertexCount: 4, sources: [0, 1, 2, 2], targets: [1, 2, 1, 0])
    let x = Tensor([1, 10, 100, 1_000] as [Float], shape: [4, 1])
    let got = referenceValues(of: [
      graph.propagate(x), graph.propagate(x, reduction: .mean), graph.propagate(x, reduction: .maximum),
      graph.propagate(x) { source, target in source - target },
      graph.product(weights: Tensor([1, 2, 3, 4] as [Float]), x), graph.product(x),
    ])
    #expect(
      got.map { $0.doubles() } == [
        [100, 101, 10, 0], [100, 50.5, 10, 0], [100, 100, 10, 0], [99, 81, -90, 0], [400, 301, 20, 0],
        [100, 101, 10, 0],
      ])
    let gradient = gradients(of: (graph.propagate(x) * x).sum(), withRespectTo: [x])[0]
    // The loss is the sum over edges of x[source] x[target].
    #expect(referenceValues(of: [gradient])[0].doubles() == [110, 201, 21, 0])
  }

  @Test func `a vertex that does not exist is named`() {
    #expect(throws: DeviceError.indexOutOfRange(operation: "segments", index: 4, bound: 4)) {
      try Graph(vertexCount: 4, sources: [0], targets: [4])
    }
    #expect(throws: DeviceError.self) { try Graph(vertexCount: 4, sources: [0], targets: []) }
  }

  @Test func `common and one-sided neighbors are those of brute force`() throws {
    let edges: [(Int32, Int32)] = [(0, 1), (0, 2), (1, 2), (3, 1), (3, 2), (4, 4), (2, 0), (4, 5)]
    let graph = try CommonNeighbors(vertexCount: 6, edges: edges)
    let pairs = (0..<6).flatMap { first in (0..<6).map { (Int32(first), Int32($0)) } }
    let found = try graph.listings(of: pairs)
    var wanted = (common: CommonNeighbors.Listing(), onlyFirst: CommonNeighbors.Listing())
    for (number, pair) in pairs.enumerated() {
      for vertex in Int32(0)..<6 {
        func isNeighbor(_ other: Int32) -> Bool {
          vertex != other && edges.contains { $0 == (vertex, other) || $0 == (other, vertex) }
        }
        guard isNeighbor(pair.0) else { continue }
        if isNeighbor(pair.1) {
          wanted.common.pairs.append(Int32(number))
          wanted.common.vertices.append(vertex)
        } else {
          wanted.onlyFirst.pairs.append(Int32(number))
          wanted.onlyFirst.vertices.append(vertex)
        }
      }
    }
    #expect(found.common == wanted.common && found.onlyFirst == wanted.onlyFirst)
    let mirrored = try graph.listings(of: pairs.map { ($1, $0) })
    #expect(mirrored.common == found.common && mirrored.onlyFirst == found.onlySecond)
  }
}
