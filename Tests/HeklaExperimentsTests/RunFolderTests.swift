import Foundation
import TestSupport
import Testing

@testable import HeklaExperiments

@Suite struct RunFolderTests {
  @Test("a run leaves metrics, report and plots, and nothing else")
  func contents() throws {
    let root = try TemporaryFolder()
    let folder = try RunFolder(root.path + "/a/b")
    let record = try SampleStudy().run(RunContext(device: NamedDevice("stub"), output: folder))
    try folder.write(LineChart("loss", x: .init("step"), y: .init("loss"), series: []), named: "loss")
    try folder.write(Report(record, of: SampleStudy.self))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
        "loss.svg", "metrics.jsonl", "report.json", "report.md",
      ])
    #expect(try root.text(of: "a/b/metrics.jsonl").hasPrefix("{\"step\": 1, \"loss\": 1.0}\n{\"step\": 2, "))
    #expect(try RunRecord(jsonText: root.text(of: "a/b/report.json")) == record)
    #expect(try root.text(of: "a/b/report.md").contains("![loss](loss.svg)"))
  }

  @Test("a folder that holds something is refused and stays as it was")
  func refusal() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("old", to: root.path + "/report.json")
    #expect(throws: ExperimentError.outputNotEmpty(path: root.path)) { try RunFolder(root.path) }
    #expect(try root.text(of: "report.json") == "old")
    #expect(try root.contents == ["report.json"])
  }

  @Test("overwriting deletes the old run's files and no others, and never a folder without a run")
  func overwriting() throws {
    let root = try TemporaryFolder()
    for name in ["report.json", "metrics.jsonl", "old.svg", "notes.txt"] {
      try AtomicFile.write("old", to: root.path + "/" + name)
    }
    let folder = try RunFolder(root.path, isOverwriting: true)
    #expect(try root.contents == ["metrics.jsonl", "notes.txt"])
    #expect(try root.text(of: "metrics.jsonl") == "")
    folder.discardIfEmpty()
    #expect(try root.contents == ["notes.txt"])
    let error = try #require(throws: ExperimentError.self) { try RunFolder(root.path, isOverwriting: true) }
    #expect(error.description.contains("It holds files, but no run that could be overwritten."))
  }

  @Test("a folder that the run made and left empty goes again, an older one stays")
  func discarding() throws {
    let root = try TemporaryFolder()
    let made = try RunFolder(root.path + "/new")
    made.discardIfEmpty()
    #expect(try root.contents.isEmpty)
    let taken = try RunFolder(root.path)
    taken.discardIfEmpty()
    #expect(try root.contents.isEmpty)
    let used = try RunFolder(root.path + "/used")
    try used.append(step: 1, ["loss": 1])
    used.discardIfEmpty()
    #expect(try root.contents == ["used"])
  }

  @Test("a path that is a file is refused")
  func fileInTheWay() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("x", to: root.path + "/file")
    #expect(throws: ExperimentError.self) { try RunFolder(root.path + "/file", isOverwriting: true) }
    #expect(throws: ExperimentError.self) { try RunFolder(root.path + "/file/inside") }
    #expect(try root.text(of: "file") == "x")
  }

  @Test("of many that make one folder at once, one gets it")
  func race() async throws {
    let root = try TemporaryFolder()
    let path = root.path + "/run"
    let winnerCount = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask {
          guard let folder = try? RunFolder(path) else { return false }
          return (try? folder.append(step: 1, ["loss": 1])) != nil
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(winnerCount == 1)
    #expect(try root.text(of: "run/metrics.jsonl") == "{\"step\": 1, \"loss\": 1.0}\n")
  }
}
