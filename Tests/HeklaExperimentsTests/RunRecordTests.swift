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

  @Test("variants that were chosen by measurement are kept, where steps were compiled by it")
  func tunedVariants() throws {
    var record = try record()
    #expect(record.tunedVariants == nil && !record.jsonText.contains("tunedVariants"))
    record.tunedVariants = [
      "sort of float32[7, 33]": "radix", "matrix-product(NN) of float32[1, 4, 4]": "naive",
    ]
    #expect(
      record.jsonText.hasSuffix(
        """
          "tunedVariants": {
            "matrix-product(NN) of float32[1, 4, 4]": "naive",
            "sort of float32[7, 33]": "radix"
          }
        }

        """))
    #expect(try RunRecord(jsonText: record.jsonText) == record)
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

  @Test("a hundred thousand losses are written and read")
  func length() throws {
    var record = try record()
    record.losses = (0..<100_000).map { 1 / Double($0 + 1) }
    record.steps = record.losses.count
    #expect(try RunRecord(jsonText: record.jsonText) == record)
    #expect(try JSONValue(encoding: record)["losses"] == .array(record.losses.map { JSONValue($0) }))
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
