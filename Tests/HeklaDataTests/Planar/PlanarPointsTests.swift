import HeklaArrays
import HeklaData
import Testing

@Suite struct PlanarPointsTests {
  private func points(_ coordinates: (Double, Double)...) throws -> PlanarPoints {
    try PlanarPoints(coordinates.map { SIMD2($0.0, $0.1) })
  }

  private func random(_ count: Int, _ seed: UInt64) -> PlanarPoints {
    PlanarPoints(uniform: count, key: RandomKey(seed: seed))
  }

  @Test func `Fewer than three points are refused, and so is a row that is not finite`() {
    #expect(throws: PlanarPointsError.tooFew(count: 2)) { try points((0, 0), (1, 1)) }
    #expect(throws: PlanarPointsError.notFinite(row: 2, x: 1, y: .infinity)) {
      try points((0, 0), (1, 1), (1, .infinity), (2, 2))
    }
    #expect(throws: PlanarPointsError.self) { try points((0, .nan), (1, 1), (2, 3)) }
    #expect("\(PlanarPointsError.tooFew(count: 2))" == "There are 2 points; give at least 3.")
    let error = PlanarPointsError.notFinite(row: 1, x: .nan, y: 0)
    #expect("\(error)" == "Point 1, counted from 0, is (nan, 0.0); give finite coordinates.")
  }

  @Test func `Random points are a function of the key, and float32 holds them`() {
    #expect(random(5, 1) == random(5, 1))
    #expect(random(5, 1) != random(5, 2))
    for point in random(200, 3).points {
      #expect(point.x >= 0 && point.x < 1 && point.y >= 0 && point.y < 1)
      #expect(Double(Float(point.x)) == point.x && Double(Float(point.y)) == point.y)
    }
    let mean = random(2000, 4).points.reduce(SIMD2(0, 0), +) / 2000
    // The mean of 2,000 has a deviation of 0.0065.
    #expect(abs(mean.x - 0.5) < 0.03 && abs(mean.y - 0.5) < 0.03)
  }

  // MARK: Hulls

  @Test func `The hull goes counter-clockwise from the least index`() throws {
    // Point 0 lies inside, point 4 on an edge.
    #expect(try points((0.5, 0.4), (1, 1), (0, 0), (1, 0), (0.5, 0), (0, 1)).convexHull == [1, 5, 2, 3])
  }

  @Test func `Points on one line have a hull of two, coinciding ones of one, and a double counts once`()
    throws
  {
    #expect(try points((1, 1), (0, 0), (2, 2), (1, 1)).convexHull == [1, 2])
    #expect(try points((1, 1), (1, 1), (1, 1)).convexHull == [0])
    #expect(try points((0, 0), (1, 0), (0, 0), (0, 1), (1, 0)).convexHull == [0, 1, 3])
  }

  @Test func `A hull has all points on its left, and only corners in it`() {
    for seed in 0..<40 as Range<UInt64> {
      let set = random(3 + Int(seed % 11), seed), hull = set.convexHull
      #expect(hull[0] == hull.min())
      for (a, b) in zip(hull, hull.dropFirst() + hull.prefix(1)) {
        let (p, q) = (set.points[a], set.points[b])
        for (index, r) in set.points.enumerated() where index != a && index != b {
          #expect((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x) > 0, "seed \(seed)")
        }
      }
    }
  }

  // MARK: Triangulations

  @Test func `Triangles are sorted inside and by their in-centres`() throws {
    // A square with a point off its middle, so that no four lie on a circle.
    let set = try points((1, 0), (0, 0), (0.6, 0.45), (1, 1), (0, 1))
    #expect(set.delaunayTriangles == [[1, 2, 4], [2, 3, 4], [0, 1, 2], [0, 2, 3]])
  }

  @Test func `Triangles fill the hull, as many as Euler's formula says`() {
    for seed in 0..<30 as Range<UInt64> {
      let set = random(4 + Int(seed % 7), seed), hull = set.convexHull, triangles = set.delaunayTriangles
      #expect(triangles.count == 2 * set.count - 2 - hull.count, "seed \(seed)")
      let area = triangles.reduce(0) { $0 + abs(Polygon($1.map { set.points[$0] }).signedArea) }
      #expect(abs(area - Polygon(hull.map { set.points[$0] }).signedArea) < 1e-12, "seed \(seed)")
    }
  }

  @Test func `Points on one line have no triangles, four on a circle have all, a double takes part twice`()
    throws
  {
    #expect(try points((0, 0), (1, 1), (2, 2)).delaunayTriangles == [])
    #expect(try points((0, 0), (1, 0), (1, 1), (0, 1)).delaunayTriangles.count == 4)
    #expect(Set(try points((0, 0), (1, 0), (0, 1), (0, 0)).delaunayTriangles) == [[0, 1, 2], [1, 2, 3]])
  }

  // MARK: Tours

  /// The shortest of all tours from point 0.
  private func shortest(_ set: PlanarPoints) -> Double {
    func best(_ tour: [Int], _ left: Set<Int>) -> Double {
      guard !left.isEmpty else { return set.length(ofTour: tour) }
      return left.map { best(tour + [$0], left.subtracting([$0])) }.min() ?? .infinity
    }
    return best([0], Set(1..<set.count))
  }

  @Test func `Held and Karp's tour is as short as the shortest of all`() {
    for seed in 0..<12 as Range<UInt64> {
      let set = random(3 + Int(seed % 5), seed), tour = set.shortestTour
      #expect(tour[0] == 0 && tour.sorted() == Array(0..<set.count))
      #expect(tour[1] < tour[set.count - 1])
      #expect(abs(set.length(ofTour: tour) - shortest(set)) < 1e-12, "seed \(seed)")
    }
  }

  @Test func `The nearest neighbour is always next, and 2-opt leaves nothing to turn round`() throws {
    let line = try points((0, 0), (-1, 0), (3, 0), (7, 0))
    #expect(line.nearestNeighborTour == [0, 1, 2, 3])
    for seed in 0..<20 as Range<UInt64> {
      let set = random(9, seed), first = set.nearestNeighborTour, better = set.improvedTour(first)
      #expect(first.sorted() == Array(0..<9) && better.sorted() == Array(0..<9) && better[0] == 0)
      #expect(set.length(ofTour: better) <= set.length(ofTour: first) + 1e-12)
      #expect(set.length(ofTour: better) >= set.length(ofTour: set.shortestTour) - 1e-12)
      #expect(Polygon(better.map { set.points[$0] }).isSimple, "seed \(seed)")
    }
  }

  @Test func `Tours through points that coincide are as short as without them`() throws {
    let set = try points((0, 0), (1, 0), (0, 0), (1, 1), (0, 1), (1, 1))
    #expect(set.length(ofTour: set.shortestTour) == 4)
    #expect(set.length(ofTour: set.improvedTour(set.nearestNeighborTour)) == 4)
  }

  @Test func `16 points are the most whose shortest tour is looked for`() async {
    let most = random(16, 1), tour = most.shortestTour
    #expect(tour.sorted() == Array(0..<16))
    let improved = most.improvedTour(most.nearestNeighborTour)
    #expect(most.length(ofTour: tour) <= most.length(ofTour: improved) + 1e-12)
    await #expect(processExitsWith: .failure) {
      _ = PlanarPoints(uniform: 17, key: RandomKey(seed: 1)).shortestTour
    }
  }

  @Test func `Sets of any size have hulls, triangles and tours by the nearest neighbour`() {
    let set = random(40, 6), hull = set.convexHull, first = set.nearestNeighborTour
    #expect(set.delaunayTriangles.count == 2 * 40 - 2 - hull.count)
    let better = set.improvedTour(first)
    #expect(first.sorted() == Array(0..<40) && better.sorted() == Array(0..<40))
    #expect(set.length(ofTour: better) <= set.length(ofTour: first))
  }
}
