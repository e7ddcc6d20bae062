import TestSupport
import Testing

@testable import HeklaExperiments

@Suite struct ReportTests {
  private func report() throws -> Report {
    var record = try SampleStudy().run(RunContext(device: NamedDevice("stub"), seed: 7))
    record.seconds = 75
    return Report(record, of: SampleStudy.self)
  }

  @Test("the report shows each claim with its verdict and numbers")
  func text() throws {
    #expect(
      try report().text(for: Terminal(isInteractive: false, columns: 72)) == """
        sample-study  Nobody (2020). A sample. arXiv:2001.00001

        4 steps on stub in 1:15, seed 7, loss 1 to 0.25.

          metric  value
          dense    0.97
          soon        2
          ticket   0.96

          fails          tickets keep the accuracy (figure 1)
                           ticket 0.96 >= dense 0.97 - 0.005 = 0.965
          known to fail  tickets are sooner (figure 2)
                           soon 2 < 1
                           seen: two epochs later
          not measured   larger nets agree (table 3)
                           this setting does not measure large

        3 claims: 1 fails, 1 known to fail, 1 not measured.

        """)
    #expect(try report().hasUnexpectedFailure)
  }

  @Test("a failure that is marked is no unexpected one, nor is what was not measured")
  func unexpected() throws {
    var record = try report().record
    record.metrics["ticket"] = 0.97
    #expect(!Report(record, of: SampleStudy.self).hasUnexpectedFailure)
    #expect(Report(record, of: SampleStudy.self).isVerified)
    record.metrics = [:]
    #expect(!Report(record, of: SampleStudy.self).isVerified, "a run that measured nothing verified nothing")
  }

  @Test("the Markdown report names its plots")
  func markdown() throws {
    let text = try report().markdown(plots: ["loss.svg"])
    #expect(
      text.contains(
        "| tickets keep the accuracy | figure 1 | fails | ticket 0.96 >= dense 0.97 - 0.005 = 0.965 |"))
    #expect(text.contains("![loss](loss.svg)"))
    #expect(text.contains("```json\n{\n  \"width\": 64,"))
  }

  @Test("colours appear only where the terminal has them")
  func colors() throws {
    let plain = Terminal(isInteractive: true)
    let colored = Terminal(isInteractive: true, hasColor: true)
    #expect(try !report().text(for: plain).contains("\u{1B}"))
    #expect(try report().text(for: colored).contains("\u{1B}[31mfails"))
  }
}
