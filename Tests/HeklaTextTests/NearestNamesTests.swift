import Testing

@testable import HeklaText

@Suite struct NearestNamesTests {
  @Test(
    "the distance counts insertions, deletions, replacements and swaps",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3),
      ("ca", "abc", 3),
    ])
  func distance(left: String, right: String, expected: Int) {
    #expect(NearestNames.distance(Array(left), Array(right)) == expected)
    #expect(NearestNames.distance(Array(right), Array(left)) == expected)
  }

  @Test("near names come nearest first, far ones not at all")
  func names() {
    let known = ["depth", "steps", "width", "widths"]
    #expect(NearestNames(to: "wdth", among: known).names == ["width"])
    #expect(NearestNames(to: "WIDTH", among: known).names == ["width", "widths"])
    #expect(NearestNames(to: "colour", among: known).names.isEmpty)
    #expect(NearestNames(to: "lott", among: ["lottery-ticket", "mlp-mixer"]).names == ["lottery-ticket"])
    #expect(NearestNames(to: "x", among: []).names.isEmpty)
  }

  @Test("the question reads as a sentence")
  func question() {
    #expect(NearestNames(to: "wdth", among: ["width"]).question == " Did you mean 'width'?")
    #expect(
      NearestNames(to: "ab", among: ["ac", "ad", "ae"]).question == " Did you mean 'ac', 'ad' or 'ae'?")
    #expect(NearestNames(to: "colour", among: ["width"]).question == "")
  }
}
