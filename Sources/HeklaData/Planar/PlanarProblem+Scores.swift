/// What can be said about an answer to a problem about points.
public enum PlanarScore: String, Sendable, CaseIterable {
  /// Whether it is right: for hulls the same sequence, for triangulations the same triangles.
  case exact
  /// How much of the hull's area it covers; 0 for a polygon that crosses itself.
  case area
  /// Whether its polygon does not cross itself.
  case simple
  /// Whether each point is in the tour once.
  case valid
  /// How long the tour is through those of its positions that are points.
  case length
  /// How long the shortest tour is.
  case shortest
  /// How long the nearest neighbour's tour is.
  case nearest
  /// How long that one is after 2-opt.
  case improved
  /// How many of the triangles it has.
  case coverage
}

extension PlanarProblem {
  /// How good `answer` is where `truth` is right; what is true or false is 1 or 0.
  ///
  /// Hulls have `exact`, `area` and `simple`, tours `valid` and the four lengths, triangulations `exact` and
  /// `coverage`. Each is a finite number for any answer: positions of no point count for nothing, and of a hull
  /// without area, as of a triangulation without triangles, all is covered where the answer is exact, else nothing.
  /// - Parameters:
  ///   - answer: As a network gives it, of any positions.
  ///   - truth: As `answer(for:)` gives it.
  ///   - points: What was asked about.
  public func scores(of answer: [Int], truth: [Int], for points: PlanarPoints) -> [PlanarScore: Double] {
    func score(_ isTrue: Bool) -> Double { isTrue ? 1 : 0 }
    switch self {
    case .convexHull:
      let (found, hull) = (polygon(of: answer, for: points), polygon(of: truth, for: points))
      let (isExact, isSimple, whole) = (answer == truth, found.isSimple, hull.signedArea)
      let area = whole > 0 ? (isSimple ? found.commonArea(withConvex: hull) / whole : 0) : score(isExact)
      return [.exact: score(isExact), .simple: score(isSimple), .area: area]
    case .shortestTour:
      let nearest = points.nearestNeighborTour
      func length(_ tour: [Int]) -> Double {
        points.length(ofTour: chosen(tour, of: points).map { $0 - 1 })
      }
      return [
        .valid: score(answer.sorted() == Array(1...points.count)), .length: length(answer),
        .shortest: length(truth), .nearest: points.length(ofTour: nearest),
        .improved: points.length(ofTour: points.improvedTour(nearest)),
      ]
    case .delaunayTriangulation:
      let (found, triangles) = (Set(parts(of: answer)), Set(parts(of: truth)))
      let covered = Double(found.intersection(triangles).count) / Double(max(triangles.count, 1))
      let isExact = score(found == triangles)
      return [.exact: isExact, .coverage: triangles.isEmpty ? isExact : covered]
    }
  }
}
