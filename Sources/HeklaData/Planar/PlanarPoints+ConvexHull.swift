extension PlanarPoints {
  /// The corners of the convex hull, as indices: counter-clockwise from the least index.
  ///
  /// Points on an edge are no corners, and of points that coincide the first counts. Points on one line have a hull
  /// of their two ends; points that all coincide, of one. Source: Andrew 1979, "Another efficient algorithm for
  /// convex hulls in two dimensions", the monotone chain.
  public var convexHull: [Int] {
    let order = points.indices.sorted { first, second in
      let (a, b) = (points[first], points[second])
      return (a.x, a.y, first) < (b.x, b.y, second)
    }
    var distinct: [Int] = []
    for index in order where distinct.last.map({ points[$0] != points[index] }) ?? true {
      distinct.append(index)
    }
    guard distinct.count > 2 else { return distinct.sorted() }

    /// One side of the hull, without its last corner.
    func chain(_ order: some Sequence<Int>) -> [Int] {
      var corners: [Int] = []
      for index in order {
        while corners.count > 1,
          Self.turn(points[corners[corners.count - 2]], points[corners[corners.count - 1]], points[index])
            <= 0
        {
          corners.removeLast()
        }
        corners.append(index)
      }
      return corners.dropLast()
    }
    let corners = chain(distinct) + chain(distinct.reversed())
    let first = corners.indices.min { corners[$0] < corners[$1] } ?? 0
    return Array(corners[first...] + corners[..<first])
  }
}
