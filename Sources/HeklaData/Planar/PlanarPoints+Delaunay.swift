extension PlanarPoints {
  /// The Delaunay triangles, each three indices in ascending order, ordered by their in-centres: by x, then by y.
  ///
  /// A triple is a triangle where no point lies inside its circumcircle, which takes time in n^4: for small sets.
  /// Points on one line have no triangles; of four or more on one empty circle all triples are listed, and these
  /// triangles overlap. A point that coincides with another takes part as that other does.
  public var delaunayTriangles: [[Int]] {
    var found: [(corners: [Int], center: SIMD2<Double>)] = []
    for i in 0..<count {
      for j in (i + 1)..<max(count, i + 1) {
        for k in (j + 1)..<max(count, j + 1) where isDelaunay(i, j, k) {
          found.append(([i, j, k], inCenter(i, j, k)))
        }
      }
    }
    return found.sorted { ($0.center.x, $0.center.y) < ($1.center.x, $1.center.y) }.map(\.corners)
  }

  /// Whether three points are no line and no other point lies inside their circumcircle.
  private func isDelaunay(_ i: Int, _ j: Int, _ k: Int) -> Bool {
    let (a, b, c) = (points[i], points[j], points[k])
    let turn = Self.turn(a, b, c)
    guard turn != 0 else { return false }
    return !points.indices.contains { index in
      guard index != i, index != j, index != k else { return false }
      // The paraboloid test: the sign of a determinant, where the corners turn to the left.
      let (p, q, r) = (a - points[index], b - points[index], c - points[index])
      func squared(_ v: SIMD2<Double>) -> Double { v.x * v.x + v.y * v.y }
      let determinant =
        squared(p) * (q.x * r.y - q.y * r.x) - squared(q) * (p.x * r.y - p.y * r.x)
        + squared(r) * (p.x * q.y - p.y * q.x)
      return determinant * turn > 0
    }
  }

  /// The centre of the circle inside a triangle: its corners, weighed by the lengths of the sides opposite.
  private func inCenter(_ i: Int, _ j: Int, _ k: Int) -> SIMD2<Double> {
    let (a, b, c) = (points[i], points[j], points[k])
    let (p, q, r) = (Self.distance(b, c), Self.distance(c, a), Self.distance(a, b))
    return (a * p + b * q + c * r) / (p + q + r)
  }
}
