import HeklaExperiments
import Testing

@Suite struct SlicePictureTests {
  @Test func `A picture has a square for each pixel, a border for each region, and a legend`() {
    let grays = [[0.0, 1, 2], [3, 4, .nan]]
    let panel = SlicePicture.Panel("a < b & c", grays: grays, regions: [[0, 1, 1], [0, 1, 2]])
    let svg = SlicePicture([panel, panel], regionNames: ["whole", "core", "active"]).svg
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n") && !svg.contains("nan"))
    #expect(svg.contains("a &lt; b &amp; c"))
    #expect(svg.matches(of: #/<rect x="\d" y="\d" width="1"/#).count == 12)
    // 0 is black and 4 white; what is no number is black.
    #expect(svg.contains(##"<rect x="0" y="0" width="1" height="1" fill="#000000"/>"##))
    #expect(svg.contains(##"<rect x="1" y="1" width="1" height="1" fill="#ffffff"/>"##))
    #expect(svg.contains(##"<rect x="2" y="1" width="1" height="1" fill="#000000"/>"##))
    // The core is one pixel, so its border has four edges; there is no active region, so none has its border.
    #expect(svg.contains(#"<path d="M2 1h1M2 1v1M3 1v1M2 2h1""#))
    #expect(svg.matches(of: #/<path/#).count == 4)
    #expect(svg.contains(">active</text>"))
  }

  @Test func `Pictures of nothing are drawings too`() {
    #expect(SlicePicture([], regionNames: []).svg.hasSuffix("</svg>\n"))
    let none = SlicePicture([.init("none", grays: [], regions: [])], regionNames: ["whole"]).svg
    #expect(none.hasSuffix("</svg>\n") && !none.contains("nan") && !none.contains("inf"))
    let flat = SlicePicture([.init("flat", grays: [[2, 2]], regions: [[0, 0]])], regionNames: ["whole"]).svg
    #expect(!flat.contains("nan") && !flat.contains("<path"))
  }
}
