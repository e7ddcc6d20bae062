import Foundation
import Hekla
import HeklaExperiments
import Testing

@Suite struct PlanePictureTests {
  private let corners = [SIMD2(0.0, 0.0), SIMD2(1, 0), SIMD2(0, 1)]

  @Test func `A picture draws every point and polygon of every panel to one scale, y upwards`() throws {
    let picture = PlanePicture([
      .init("truth", points: corners, polygons: [Polygon(corners)]),
      .init("a < b & c", points: corners + [SIMD2(.nan, 0)], polygons: []),
    ])
    let svg = picture.svg
    #expect(svg.contains("a &lt; b &amp; c"))
    #expect(svg.contains(#"<polygon points="24.0,284.0 264.0,284.0 24.0,44.0""#))
    // Three dots a panel, and a ring about the first.
    #expect(svg.matches(of: #/<circle/#).count == 8)
    #expect(svg.contains(#"width="560" height="308""#))
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n") && !svg.contains("nan"))
  }

  @Test func `Pictures of nothing, and of one point, are drawings too`() {
    #expect(PlanePicture([]).svg.hasSuffix("</svg>\n"))
    let one = PlanePicture([.init("one", points: [SIMD2(3, 3)], polygons: [Polygon([])])]).svg
    #expect(one.contains(#"cx="24.0" cy="44.0""#) && !one.contains("inf") && !one.contains("nan"))
  }
}
