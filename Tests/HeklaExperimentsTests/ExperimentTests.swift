import Testing

@testable import HeklaExperiments

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
