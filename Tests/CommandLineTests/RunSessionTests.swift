import ArgumentParser
import Foundation
import Hekla
import HeklaCommands
import HeklaExperiments
import TestSupport
import Testing

@testable import hekla_cli

/// Three losses and a metric; fails on request.
private struct TinyStudy: Experiment {
  static let paper = Paper("Tiny things", by: "Nobody", year: 2020, id: "arXiv:2001.00001")
  static let claims = [
    Claim("it is accurate", source: "table 1") { $0["accuracy"] >= 0.5 },
    Claim("it is small", source: "table 2", failure: "it is large") { $0["size"] < 1 },
  ]
  static let settingNotes = ["accuracy": "What it will reach."]

  var accuracy = 0.75
  var isBroken = false
  var needsData = false

  func run(_ context: RunContext) throws -> RunRecord {
    if needsData { _ = try context.requiredDataFolder(for: Self.name, contents: "the four MNIST files") }
    if context.compilerOptions.checksIndices {
      return try context.record(of: self, losses: [], metrics: ["checks": 1])
    }
    if isBroken { throw ExperimentError.stopped(owner: Self.name, reason: "The loss is not finite.") }
    let losses = [3.0, 2, 1].prefix(context.limits.stepCount(3, stepsPerEpoch: 1))
    return try context.record(of: self, losses: Array(losses), metrics: ["accuracy": accuracy])
  }
}

@Suite struct RunSessionTests {
  private func session(_ arguments: [String], environment: [String: String] = [:]) throws -> RunSession {
    RunSession(
      options: try RunOptions.parse(arguments), catalog: RecipeCatalog([TinyStudy.self]),
      environment: environment, console: .silent
    ) { name throws(DeviceError) in
      guard name == "auto" || name == "stub" else { throw .unknownDevice(name: name, known: ["stub"]) }
      return NamedDevice("stub")
    }
  }

  private func status(_ arguments: String..., environment: [String: String] = [:]) throws -> ExitReport {
    let session = try session(arguments, environment: environment)
    let error = try #require(throws: (any Error).self) { try session.run() }
    return ExitReport(of: error)
  }

  @Test("a run writes what --out and --json ask for, and both hold the same record")
  func outputs() throws {
    let folder = try TemporaryFolder()
    let (out, json) = (folder.path + "/out", folder.path + "/run.json")
    let report = try session([
      "tiny-study", "--seed", "7", "--set", "accuracy=0.25", "--steps", "2", "--out", out, "--json", json,
    ]).run()
    #expect(report.record.seed == 7)
    #expect(report.record.device == "stub")
    #expect(report.record.losses == [3, 2])
    #expect(report.record.settings["accuracy"] == .number("0.25"))
    #expect(report.hasUnexpectedFailure)
    let text = try String(contentsOfFile: json, encoding: .utf8)
    #expect(try RunRecord(jsonText: text) == report.record)
    #expect(try String(contentsOfFile: out + "/report.json", encoding: .utf8) == text)
    #expect(try folder.contents == ["out", "run.json"])
  }

  @Test("--check-indices reaches the steps that a run compiles")
  func checkIndices() throws {
    #expect(try session(["tiny-study", "--check-indices"]).run().record.metrics["checks"] == 1)
    #expect(try session(["tiny-study"]).run().record.losses.count == 3)
  }

  @Test("bad input is found before anything is written, with exit code 2")
  func badInput() throws {
    let folder = try TemporaryFolder()
    let (out, json) = (folder.path + "/out", folder.path + "/run.json")
    let requests: [([String], String)] = [
      (
        ["tiny-stdy"],
        "There is no recipe 'tiny-stdy'. Did you mean 'tiny-study'? 'hekla list' prints all that there are."
      ),
      (
        ["tiny-study", "--set", "acuracy=1"],
        "tiny-study has no setting 'acuracy'. Did you mean 'accuracy'? It has accuracy, isBroken, needsData."
      ),
      (
        ["tiny-study", "--device", "stud"],
        "There is no device 'stud'. Devices on this machine: stub. 'hekla devices' describes them and says what is "
          + "missing for others. Did you mean 'stub'?"
      ),
      (
        ["tiny-study", "--data", "/no/such/folder"],
        "There is no data folder '/no/such/folder'. Give the folder that holds the data sets with --data or in "
          + "HEKLA_DATA."
      ),
      (
        ["tiny-study", "--set", "needsData=true"],
        "tiny-study reads the four MNIST files from a data folder, and none was given. Give the folder with --data DIR "
          + "or in HEKLA_DATA."
      ),
    ]
    for (arguments, message) in requests {
      let session = try session(arguments + ["--out", out, "--json", json])
      let error = try #require(throws: (any Error).self) { try session.run() }
      #expect(ExitReport(of: error) == ExitReport(code: 2, message: "Error: " + message))
      #expect(try folder.contents.isEmpty)
    }
  }

  @Test("outputs that cannot be written are found before training")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let json = folder.path + "/missing/run.json"
    #expect(
      try status("tiny-study", "--json", json, "--set", "isBroken=true")
        == ExitReport(
          code: 2,
          message:
            "Error: Cannot write '\(json)': No such file or directory. Give a place that exists and that "
            + "you may write to."))
    try Data().write(to: URL(fileURLWithPath: folder.path + "/notes"))
    #expect(
      try status("tiny-study", "--out", folder.path, "--set", "isBroken=true")
        == ExitReport(
          code: 2,
          message: "Error: The output folder '\(folder.path)' is not empty. Give another with --out, or "
            + "--overwrite to replace the run in it."))
  }

  @Test("a run that fails has exit code 1 and leaves no folder it put nothing into")
  func failure() throws {
    let folder = try TemporaryFolder()
    #expect(
      try status("tiny-study", "--set", "isBroken=true", "--out", folder.path + "/out")
        == ExitReport(
          code: 1,
          message: "Error: tiny-study stopped: The loss is not finite. What was reached until then is kept."))
    #expect(try folder.contents.isEmpty)
  }

  @Test("HEKLA_DATA names the data folder, --data comes before it")
  func dataFolder() throws {
    let folder = try TemporaryFolder()
    let needy = ["tiny-study", "--set", "needsData=true"]
    #expect(throws: Never.self) { try session(needy, environment: ["HEKLA_DATA": folder.path]).run() }
    #expect(throws: Never.self) {
      try session(needy + ["--data", folder.path], environment: ["HEKLA_DATA": "/no/such/folder"]).run()
    }
    #expect(throws: ExperimentError.noDataFolder(path: "/no/such/folder")) {
      try session(needy, environment: ["HEKLA_DATA": "/no/such/folder"]).run()
    }
  }

  @Test("show prints paper, settings and claims")
  func show() throws {
    #expect(
      try ShowCommand.text(of: TinyStudy.self, for: .file) == """
        tiny-study
        Nobody (2020). Tiny things. arXiv:2001.00001
        https://arxiv.org/abs/2001.00001

        setting    default  takes         meaning
        accuracy   0.75     number        What it will reach.
        isBroken   false    true | false
        needsData  false    true | false

        claims
          1.  it is accurate (table 1).
          2.  it is small (table 2). Known to fail: it is large.
        """)
  }

  @Test("list prints a line per recipe")
  func list() {
    let catalog = RecipeCatalog([TinyStudy.self])
    #expect(
      ListCommand.text(of: catalog, for: .file) == """
        recipe      year  paper
        tiny-study  2020  Tiny things
        """)
    #expect(
      ListCommand.document(of: catalog).description
        == #"[{"name": "tiny-study", "title": "Tiny things", "authors": "Nobody", "year": 2020, "#
        + #""id": "arXiv:2001.00001"}]"#)
  }

  @Test("devices prints what is there, then what is missing")
  func devices() throws {
    var host = Capabilities(
      interface: .host, kind: .processor, deviceName: "A processor", driver: "OpenBLAS 0.3")
    host.memoryByteCount = 8 << 30
    host.computeUnitCount = 2
    host.arithmeticTypes = [.float64]
    let problem = DeviceError.unavailable(
      device: "vulkan", reason: "There is no Vulkan loader.", remedy: "Install libvulkan1.")
    let entries = [
      DeviceCatalog.Entry(name: "cpu", capabilities: host),
      DeviceCatalog.Entry(name: "vulkan", problem: problem),
    ]
    #expect(
      DevicesCommand.text(of: entries, for: .file) == """
        device  hardware     kind       driver        memory   capabilities
        cpu     A processor  processor  OpenBLAS 0.3  8.0 GiB  2 threads, float64

        vulkan: Device vulkan is not available: There is no Vulkan loader. Install libvulkan1.
        """)
    let document = try DevicesCommand.document(of: entries)
    guard case .array(let devices) = document else {
      Issue.record("no array")
      return
    }
    #expect(devices.map { $0["name"] } == [.text("cpu"), .text("vulkan")])
    #expect(devices[0]["problem"] == .null)
    #expect(devices[0]["capabilities"]?["kind"] == .text("processor"))
    #expect(devices[1]["capabilities"] == .null)
  }
}
