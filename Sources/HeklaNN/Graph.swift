import HeklaArrays
import HeklaDevices
import HeklaTensors

/// The edges of a graph that does not change, sorted once for messages in both directions.
///
/// Edge `e` leads from `sources[e]` to `targets[e]`; an undirected graph has each edge twice. Both sortings are
/// constants of every computation that uses the graph, so no step sorts, and no gradient does.
public struct Graph: Sendable {
  /// How the messages that arrive at a vertex become one.
  public enum Reduction: Sendable {
    /// Their sum; 0 where none arrive.
    case sum
    /// Their mean; 0 where none arrive.
    case mean
    /// Their maximum; 0 where none arrive.
    case maximum
  }

  /// The number of vertices.
  public let vertexCount: Int
  /// The edges by the vertex they come from.
  public let sources: Segments
  /// The edges by the vertex they lead to.
  public let targets: Segments

  /// The graph with an edge from `sources[e]` to `targets[e]` for each `e`.
  /// - Throws: `DeviceError.indexOutOfRange` for a vertex that is not in `0..<vertexCount`, and
  ///   `DeviceError.invalidArgument` when there are not as many targets as sources.
  public init(vertexCount: Int, sources: [Int32], targets: [Int32]) throws(DeviceError) {
    guard sources.count == targets.count else {
      throw .invalidArgument(
        call: "graph",
        reason: "\(sources.count) sources and \(targets.count) targets. Give each edge one of both.")
    }
    self.vertexCount = vertexCount
    self.sources = try Segments(sources, count: vertexCount)
    self.targets = try Segments(targets, count: vertexCount)
  }

  /// The number of edges.
  public var edgeCount: Int { sources.termCount }

  /// What each vertex receives along its edges.
  ///
  /// ```swift
  /// let pooled = graph.propagate(features) { source, target in (source - target).relu() }
  /// ```
  /// - Parameters:
  ///   - x: One row per vertex, shape `[vertexCount, ...]`.
  ///   - reduction: How messages become one.
  ///   - message: The messages, one row per edge, from the rows of the edges' sources and targets.
  /// - Returns: One row per vertex.
  public func propagate(
    _ x: Tensor, reduction: Reduction = .sum,
    message: (_ source: Tensor, _ target: Tensor) -> Tensor = { source, _ in source }
  ) -> Tensor {
    let messages = message(x.gathered(at: sources), x.gathered(at: targets))
    return switch reduction {
    case .sum: messages.segmentSum(targets)
    case .mean: messages.segmentMean(targets)
    case .maximum: messages.segmentMaximum(targets, empty: 0)
    }
  }

  /// The sparse matrix with `weights[e]` at row `targets[e]` and column `sources[e]`, times `x`.
  /// - Parameters:
  ///   - weights: One number per edge, or nil for ones.
  ///   - x: Shape `[vertexCount, width]`.
  public func product(weights: Tensor? = nil, _ x: Tensor) -> Tensor {
    matrix(weights: weights ?? .ones([edgeCount], x.elementType)).product(x)
  }

  /// The matrix with `weights[e]` at row `targets[e]` and column `sources[e]`.
  /// - Parameter weights: One number per edge, shape `[edgeCount]`.
  public func matrix(weights: Tensor) -> SparseMatrix {
    SparseMatrix(rows: targets, columns: sources, values: weights)
  }
}
