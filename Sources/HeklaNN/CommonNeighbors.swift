import HeklaArrays
import HeklaDevices

/// Which neighbors pairs of vertices share, and which only one of a pair has.
///
/// Source: Wang, Yang & Zhang 2024, "Neural Common Neighbor with Completion for Link Prediction".
public struct CommonNeighbors: Sendable {
  /// The neighbors of each vertex, ascending, each once.
  public let neighbors: [[Int32]]

  /// Vertices of pairs: `vertices[i]` belongs to pair `pairs[i]`; pairs ascend, and vertices within a pair.
  public struct Listing: Sendable, Equatable {
    /// Positions in the list of pairs that was asked for.
    public var pairs: [Int32] = []
    /// Vertices.
    public var vertices: [Int32] = []
  }

  /// The undirected graph with these edges; loops and repeated edges count once or not at all.
  /// - Throws: `DeviceError.indexOutOfRange` for a vertex that is not in `0..<vertexCount`.
  public init(vertexCount: Int, edges: [(Int32, Int32)]) throws(DeviceError) {
    var neighbors = [[Int32]](repeating: [], count: vertexCount)
    for (first, second) in edges {
      for vertex in [first, second] where vertex < 0 || Int(vertex) >= vertexCount {
        throw .indexOutOfRange(operation: "common-neighbors", index: Int(vertex), bound: vertexCount)
      }
      guard first != second else { continue }
      neighbors[Int(first)].append(second)
      neighbors[Int(second)].append(first)
    }
    self.neighbors = neighbors.map { own in
      var distinct: [Int32] = []
      for vertex in own.sorted() where distinct.last != vertex { distinct.append(vertex) }
      return distinct
    }
  }

  /// The neighbors that both vertices of a pair have, and those that only the first or only the second has.
  /// - Throws: `DeviceError.indexOutOfRange` for a vertex that the graph does not have.
  public func listings(
    of pairs: [(Int32, Int32)]
  ) throws(DeviceError) -> (common: Listing, onlyFirst: Listing, onlySecond: Listing) {
    var result = (common: Listing(), onlyFirst: Listing(), onlySecond: Listing())
    for (number, pair) in pairs.enumerated() {
      for vertex in [pair.0, pair.1] where !neighbors.indices.contains(Int(vertex)) {
        throw .indexOutOfRange(operation: "common-neighbors", index: Int(vertex), bound: neighbors.count)
      }
      let (first, second) = (neighbors[Int(pair.0)], neighbors[Int(pair.1)])
      var (i, j) = (0, 0)
      func append(_ vertex: Int32, to listing: inout Listing) {
        listing.pairs.append(Int32(truncatingIfNeeded: number))
        listing.vertices.append(vertex)
      }
      // Both lists ascend, so one walk over them finds what they share.
      while i < first.count || j < second.count {
        if j == second.count || (i < first.count && first[i] < second[j]) {
          append(first[i], to: &result.onlyFirst)
          i += 1
        } else if i == first.count || second[j] < first[i] {
          append(second[j], to: &result.onlySecond)
          j += 1
        } else {
          append(first[i], to: &result.common)
          (i, j) = (i + 1, j + 1)
        }
      }
    }
    return result
  }
}
