extension PlanarProblem {
  /// How good `answer` is where `truth` is right, by name.
  ///
  /// - For hulls `exact`, whether it is the same sequence; `area`, how much of the hull's area it covers, 0 for a
  ///   polygon that crosses itself; and `simple`, whether it does not.
  /// - For tours `valid`, whether each point is in it once; `length`; and for comparison `shortest`, `nearest`, the
  ///   nearest neighbour's, and `improved`, that after 2-opt.
  /// - For triangulations `exact`, whether it has the same triangles; and `coverage`, how many of them it has.
  ///
  /// What is true or false is 1 or 0.
  public func scores(of answer: [Int], truth: [Int], for points: PlanarPoints) -> [String: Double] {
    switch self {
    case .convexHull:
      let (found, hull) = (polygons(of: answer, for: points)[0], polygons(of: truth, for: points)[0])
      let isSimple = found.isSimple
      return [
        "exact": answer == truth ? 1 : 0, "simple": isSimple ? 1 : 0,
        "area": isSimple ? found.commonArea(withConvex: hull) / hull.signedArea : 0,
      ]
    case .shortestTour:
      let (tour, nearest) = (answer.map { $0 - 1 }, points.nearestNeighborTour)
      return [
        "valid": tour.sorted() == Array(0..<points.count) ? 1 : 0, "length": points.length(ofTour: tour),
        "shortest": points.length(ofTour: truth.map { $0 - 1 }), "nearest": points.length(ofTour: nearest),
        "improved": points.length(ofTour: points.improvedTour(nearest)),
      ]
    case .delaunayTriangulation:
      let (found, triangles) = (Set(parts(of: answer)), Set(parts(of: truth)))
      let covered = Double(found.intersection(triangles).count) / Double(triangles.count)
      return ["exact": found == triangles ? 1 : 0, "coverage": covered]
    }
  }
}
