import Foundation
import TestSupport
import Testing

@testable import HeklaExperiments

@Suite struct RunRecordTests {
  private func record() throws -> RunRecord {
    try SampleStudy().run(RunContext(device: NamedDevice("stub"), seed: .max))
  }

  @Test("the JSON object has exactly the promised keys, in order")
  func keys() throws {
    var record = try record()
    record.seconds = 1.5
    record.settings = .object([.init("width", .number("64"))])
    #expect(
      record.jsonText == """
        {
          "recipe": "sample-study",
          "device": "stub",
          "seed": 18446744073709551615,
          "settings": {
            "width": 64
          },
          "steps": 4,
          "losses": [1.0, 0.5, 0.3333333333333333, 0.25],
          "metrics": {
            "dense": 0.97,
            "soon": 2.0,
            "ticket": 0.96
          },
          "seconds": 1.5
        }

        """)
    let parsed = try JSONSerialization.jsonObject(with: Data(record.jsonText.utf8))
    #expect((parsed as? [String: Any])?.count == 8)
  }

  @Test("a record read back is the record, to the last bit of every loss")
  func roundTrip() throws {
    var record = try record()
    record.losses = [0.1, 1 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -.infinity, 1e22]
    #expect(try RunRecord(jsonText: record.jsonText) == record)
    #expect(try RunRecord(jsonText: JSONValue(encoding: record).indented) == record)
  }

  @Test("a run that diverged is written and read, its losses as text")
  func divergence() throws {
    var record = try record()
    record.losses = [1, .infinity, .nan]
    record.metrics["accuracy"] = .nan
    #expect(record.jsonText.contains(#""losses": [1.0, "Infinity", "NaN"]"#))
    let copy = try RunRecord(jsonText: record.jsonText)
    #expect(copy.losses[1] == .infinity)
    #expect(copy.losses[2].isNaN)
    #expect(copy.metrics["accuracy"]?.isNaN == true)
  }

  @Test("Foundation's encoder writes the same object")
  func foundation() throws {
    let record = try record()
    let copy = try JSONDecoder().decode(RunRecord.self, from: JSONEncoder().encode(record))
    #expect(copy == record)
  }

  @Test(
    "any text survives quoting",
    arguments: ["", "a\"b\\c", "tab\tline\nbell\u{7}", "\u{1F3D4}\u{FE0F} Hekla é"])
  func quoting(text: String) throws {
    let document = JSONValue.object([.init(text, .text(text))])
    #expect(try JSONDecoder().decode(JSONValue.self, from: Data(document.description.utf8)) == document)
  }
}
