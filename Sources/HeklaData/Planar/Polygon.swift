/// A polygon by its corners, in order.
public struct Polygon: Sendable, Equatable {
  /// The corners; the last is joined to the first.
  public let corners: [SIMD2<Double>]

  /// The polygon with these corners.
  public init(_ corners: [SIMD2<Double>]) { self.corners = corners }

  /// The area, positive where the corners go counter-clockwise: the shoelace formula.
  public var signedArea: Double {
    edges.reduce(0) { $0 + $1.0.x * $1.1.y - $1.0.y * $1.1.x } / 2
  }

  /// Whether there are three corners or more and no two edges meet but neighbours in their common corner.
  public var isSimple: Bool {
    let (edges, n) = (edges, corners.count)
    guard n > 2 else { return false }
    for i in 0..<n {
      let (a, b) = edges[i]
      // A neighbour may go on in any direction but back along the edge.
      let next = edges[(i + 1) % n].1
      let isBack = (next - b).x * (b - a).x + (next - b).y * (b - a).y < 0
      if a == b || (PlanarPoints.turn(a, b, next) == 0 && isBack) { return false }
      for j in (i + 1)..<max(n, i + 1) where j != i + 1 && (j + 1) % n != i {
        if Self.meet(edges[i], edges[j]) { return false }
      }
    }
    return true
  }

  /// The area that this simple polygon has in common with a convex one whose corners go counter-clockwise.
  ///
  /// Source: Sutherland & Hodgman 1974, "Reentrant polygon clipping". What falls apart stays joined by edges to and
  /// fro, which have no area.
  public func commonArea(withConvex convex: Polygon) -> Double {
    var rest = corners
    for (a, b) in convex.edges {
      var kept: [SIMD2<Double>] = []
      for (p, q) in Polygon(rest).edges {
        let (before, after) = (PlanarPoints.turn(a, b, p), PlanarPoints.turn(a, b, q))
        if before >= 0 { kept.append(p) }
        if (before < 0 && after > 0) || (before > 0 && after < 0) {
          kept.append(p + (q - p) * (before / (before - after)))
        }
      }
      rest = kept
    }
    return abs(Polygon(rest).signedArea)
  }

  private typealias Edge = (SIMD2<Double>, SIMD2<Double>)

  private var edges: [Edge] { Array(zip(corners, corners.dropFirst() + corners.prefix(1))) }

  /// Whether two edges have a point in common.
  private static func meet(_ s: Edge, _ t: Edge) -> Bool {
    let turns = (
      PlanarPoints.turn(s.0, s.1, t.0), PlanarPoints.turn(s.0, s.1, t.1), PlanarPoints.turn(t.0, t.1, s.0),
      PlanarPoints.turn(t.0, t.1, s.1)
    )
    func isBetween(_ p: SIMD2<Double>, _ e: Edge) -> Bool {
      min(e.0.x, e.1.x) <= p.x && p.x <= max(e.0.x, e.1.x) && min(e.0.y, e.1.y) <= p.y
        && p.y <= max(e.0.y, e.1.y)
    }
    if (turns.0 == 0 && isBetween(t.0, s)) || (turns.1 == 0 && isBetween(t.1, s)) { return true }
    if (turns.2 == 0 && isBetween(s.0, t)) || (turns.3 == 0 && isBetween(s.1, t)) { return true }
    return (turns.0 < 0) != (turns.1 < 0) && (turns.2 < 0) != (turns.3 < 0) && turns.0 != 0 && turns.1 != 0
      && turns.2 != 0 && turns.3 != 0
  }
}
