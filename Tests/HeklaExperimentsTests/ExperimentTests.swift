import TestSupport
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

  @Test func `A setting that is not positive is named with what was given`() throws {
    #expect(throws: Never.self) { try SampleStudy.requirePositive(["width": 1, "small": 3]) }
    #expect(throws: SampleStudy.rejected("small", 0, "it is positive")) {
      try SampleStudy.requirePositive(["width": 1, "small": 0, "layers": -1])
    }
    #expect(
      throws: ExperimentError.settingRejected(
        "learningRate", owner: "sample-study", given: "nan", reason: "it is positive")
    ) { try SampleStudy.requirePositive(["learningRate": Double.nan]) }
  }

  @Test func `Training counts its steps, keeps the mean of each hundred, and stops at what is no number`()
    throws
  {
    let root = try TemporaryFolder()
    let transcript = Transcript()
    let context = RunContext(
      device: NamedDevice("stub"), output: try RunFolder(root.path + "/run"),
      console: transcript.console(.file))
    let losses = try context.train("A", of: SampleStudy.self, steps: 250) { Double($0) }
    #expect(losses == (0..<250).map(Double.init))
    let lines = """
      {"training": "A", "step": 100, "loss": 49.5}
      {"training": "A", "step": 200, "loss": 149.5}

      """
    #expect(try root.text(of: "run/metrics.jsonl") == lines)
    #expect(transcript.text.hasPrefix("sample-study A: 250 steps in "))
    var last = -1
    #expect(throws: ExperimentError.stopped(owner: "sample-study", reason: "the loss of B at step 2 is inf"))
    {
      try context.train("B", of: SampleStudy.self, steps: 9) { step in
        last = step
        return step < 2 ? 1 : .infinity
      }
    }
    #expect(last == 2)
    #expect(try context.train("C", of: SampleStudy.self, steps: 0) { _ in 1 }.isEmpty)
    #expect(try root.text(of: "run/metrics.jsonl") == lines)
  }
}
