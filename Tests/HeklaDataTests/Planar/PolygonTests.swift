import HeklaArrays
import HeklaData
import Testing

@Suite struct PolygonTests {
  private func polygon(_ corners: (Double, Double)...) -> Polygon {
    Polygon(corners.map { SIMD2($0.0, $0.1) })
  }

  private var square: Polygon { polygon((0, 0), (2, 0), (2, 2), (0, 2)) }

  @Test func `The area is positive counter-clockwise`() {
    #expect(square.signedArea == 4)
    #expect(polygon((0, 2), (2, 2), (2, 0), (0, 0)).signedArea == -4)
    #expect(Polygon([]).signedArea == 0)
  }

  @Test func `Common areas of a square with what lies inside, outside, across and around it`() {
    #expect(polygon((0.5, 0.5), (1.5, 0.5), (1, 1)).commonArea(withConvex: square) == 0.25)
    #expect(polygon((3, 0), (4, 0), (4, 1)).commonArea(withConvex: square) == 0)
    #expect(polygon((1, 1), (3, 1), (3, 3), (1, 3)).commonArea(withConvex: square) == 1)
    #expect(polygon((1, 3), (3, 3), (3, 1), (1, 1)).commonArea(withConvex: square) == 1)
    #expect(polygon((-9, -9), (9, -9), (9, 9), (-9, 9)).commonArea(withConvex: square) == 4)
    #expect(Polygon([]).commonArea(withConvex: square) == 0)
  }

  @Test func `A polygon that clipping takes apart counts with both parts`() {
    // A bracket open to the left, whose two arms reach into the square.
    let bracket = polygon((1, 0), (4, 0), (4, 2), (1, 2), (1, 1.5), (3, 1.5), (3, 0.5), (1, 0.5))
    #expect(bracket.commonArea(withConvex: square) == 1)
  }

  @Test func `Random polygons share what counting points finds`() {
    let key = RandomKey(seed: 5)
    let first = PlanarPoints(uniform: 6, key: key.folded(in: 1))
    let second = PlanarPoints(uniform: 6, key: key.folded(in: 2))
    let a = Polygon(first.improvedTour(first.nearestNeighborTour).map { first.points[$0] })
    let b = Polygon(second.convexHull.map { second.points[$0] })
    func contains(_ polygon: Polygon, _ p: SIMD2<Double>) -> Bool {
      zip(polygon.corners, polygon.corners.dropFirst() + polygon.corners.prefix(1)).reduce(false) {
        inside, edge in
        let (u, v) = edge
        guard (u.y > p.y) != (v.y > p.y) else { return inside }
        return inside != (p.x < u.x + (v.x - u.x) * (p.y - u.y) / (v.y - u.y))
      }
    }
    let side = 400
    let count = (0..<side * side).count {
      let p = SIMD2((Double($0 % side) + 0.5) / Double(side), (Double($0 / side) + 0.5) / Double(side))
      return contains(a, p) && contains(b, p)
    }
    // Cells on the outlines, some thousand of 160,000, count wrongly by half at most, on either side.
    #expect(abs(a.commonArea(withConvex: b) - Double(count) / Double(side * side)) < 2e-3)
    #expect(count > 1000)
  }

  @Test func `Polygons that cross, touch or go back are not simple`() {
    #expect(square.isSimple)
    #expect(polygon((0, 0), (4, 0), (4, 4), (2, 1), (0, 4)).isSimple)
    #expect(!polygon((0, 0), (2, 2), (2, 0), (0, 2)).isSimple)
    #expect(!polygon((0, 0), (4, 0), (4, 4), (2, 0), (0, 4)).isSimple)
    #expect(!polygon((0, 0), (1, 0), (1, 0), (0, 1)).isSimple)
    #expect(!polygon((0, 0), (2, 0), (1, 0), (1, 1)).isSimple)
    #expect(!polygon((0, 0), (1, 1)).isSimple && !Polygon([]).isSimple)
    #expect(!polygon((0, 0), (1, 0), (2, 0)).isSimple)
  }
}
