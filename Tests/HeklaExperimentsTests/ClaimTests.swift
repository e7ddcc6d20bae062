import Testing

@testable import HeklaExperiments

@Suite struct ClaimTests {
  private func finding(_ metrics: Metrics, _ check: @escaping @Sendable (Claim.Evidence) -> Finding)
    -> Finding
  {
    Claim("it holds", source: "table 1", check: check).finding(on: metrics)
  }

  @Test("a finding carries the numbers it compared")
  func numbers() {
    let found = finding(["ticket": 0.96, "dense": 0.963]) { $0["ticket"] >= $0["dense"] - 0.005 }
    #expect(found.verdict == .holds)
    #expect(found.numbers == "ticket 0.96 >= dense 0.963 - 0.005 = 0.958")
  }

  @Test("each comparison holds exactly where it should", arguments: [(1.0, 2.0), (2.0, 1.0), (1.0, 1.0)])
  func comparisons(left: Double, right: Double) {
    let metrics: Metrics = ["a": left, "b": right]
    #expect((finding(metrics) { $0["a"] < $0["b"] }.verdict == .holds) == (left < right))
    #expect((finding(metrics) { $0["a"] <= $0["b"] }.verdict == .holds) == (left <= right))
    #expect((finding(metrics) { $0["a"] > $0["b"] }.verdict == .holds) == (left > right))
    #expect((finding(metrics) { $0["a"] >= $0["b"] }.verdict == .holds) == (left >= right))
    #expect((finding(metrics) { $0["a"] == $0["b"] }.verdict == .holds) == (left == right))
  }

  @Test("a metric that was not measured is no pass and no failure")
  func missing() {
    #expect(finding([:]) { $0["a"] > $0["b"] }.verdict == .notMeasured(["a", "b"]))
    #expect(finding(["a": 1]) { $0["a"] * 2 > $0["b"] }.verdict == .notMeasured(["b"]))
  }

  @Test("NaN holds nothing")
  func notANumber() {
    let found = finding(["a": .nan]) { $0["a"] <= 1 || $0["a"] > 1 }
    #expect(found.verdict == .fails)
    #expect(found.numbers == "a NaN <= 1 or a NaN > 1")
  }

  @Test("and fails with one failure, or holds with one success, whatever was not measured")
  func connectives() {
    let metrics: Metrics = ["a": 1]
    #expect(finding(metrics) { $0["a"] > 2 && $0["b"] > 0 }.verdict == .fails)
    #expect(finding(metrics) { $0["a"] > 0 && $0["b"] > 0 }.verdict == .notMeasured(["b"]))
    #expect(finding(metrics) { $0["a"] > 0 && $0["a"] < 2 }.verdict == .holds)
    #expect(finding(metrics) { $0["a"] > 0 || $0["b"] > 0 }.verdict == .holds)
    #expect(finding(metrics) { $0["a"] > 2 || $0["b"] > 0 }.verdict == .notMeasured(["b"]))
    #expect(finding(metrics) { $0["a"] > 2 || $0["a"] < 0 }.verdict == .fails)
  }

  @Test("formulas keep their parentheses")
  func formulas() {
    let metrics: Metrics = ["a": 8, "b": 2]
    #expect(
      finding(metrics) { 2 * ($0["a"] - $0["b"]) > ($0["a"] + 1) / $0["b"] }.numbers
        == "2 * (a 8 - b 2) = 12 > (a 8 + 1) / (b 2) = 4.5")
    #expect(
      finding(metrics) { ($0["b"] - ($0["a"] - 1)).magnitude <= 5 }.numbers == "|b 2 - (a 8 - 1)| = 5 <= 5")
  }
}
