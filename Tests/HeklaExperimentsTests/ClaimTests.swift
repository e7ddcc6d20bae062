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

@Suite struct ExperimentTests {
  private struct MLPMixer2D {}

  @Test(
    "command names are type names in kebab case",
    arguments: [
      ("LotteryTicket", "lottery-ticket"), ("MLPMixer", "mlp-mixer"), ("PTD", "ptd"),
      ("AutoInt2", "auto-int2"),
      ("Conv2D", "conv2-d"), ("a", "a"), ("", ""),
    ])
  func names(type: String, name: String) { #expect(kebabCase(type) == name) }

  @Test("an unknown recipe is answered with the nearest names")
  func unknownRecipe() throws {
    let catalog = RecipeCatalog([SampleStudy.self])
    #expect(try catalog.recipe(named: "sample-study") is SampleStudy.Type)
    let error = try #require(throws: ExperimentError.self) { try catalog.recipe(named: "sample-stdy") }
    #expect(
      error.description
        == "There is no recipe 'sample-stdy'. Did you mean 'sample-study'? 'hekla list' prints all that there are."
    )
  }

  @Test("limits end training at the earlier of epochs and steps")
  func limits() {
    #expect(RunContext.Limits().stepCount(100, stepsPerEpoch: 10) == 100)
    #expect(RunContext.Limits(epochs: 3).stepCount(100, stepsPerEpoch: 10) == 30)
    #expect(RunContext.Limits(steps: 7).stepCount(100, stepsPerEpoch: 10) == 7)
    #expect(RunContext.Limits(steps: 700).stepCount(100, stepsPerEpoch: 10) == 700)
    #expect(RunContext.Limits(epochs: 3, steps: 7).stepCount(100, stepsPerEpoch: 10) == 7)
    #expect(RunContext.Limits(epochs: 1, steps: 70).stepCount(100, stepsPerEpoch: 10) == 10)
    #expect(RunContext.Limits(epochs: .max).stepCount(100, stepsPerEpoch: 10) == .max)
  }

  @Test("papers are cited with their identifier and found by it")
  func papers() {
    #expect(SampleStudy.paper.citation == "Nobody (2020). A sample. arXiv:2001.00001")
    #expect(SampleStudy.paper.address == "https://arxiv.org/abs/2001.00001")
    #expect(Paper("Why?", by: "A and B", year: 1999, id: "ISBN 3").citation == "A and B (1999). Why? ISBN 3")
    #expect(Paper("Why?", by: "A and B", year: 1999, id: "ISBN 3").address == nil)
  }

  @Test("notes speak of settings that exist")
  func notes() throws {
    #expect(Set(SampleStudy.settingNotes.keys).isSubset(of: Set(try SampleStudy().settings().names)))
  }
}
