import Foundation
import HeklaArrays
import HeklaDevices
import HeklaTensors
import HeklaText
import TestSupport
import Testing

@testable import HeklaRuntime
@testable import gpubench

@Suite struct GPUBenchTuneTests {
  /// Skips the test where the device is missing, except on continuous integration, where that is a failure.
  private func require(_ device: String) throws {
    do {
      _ = try DeviceCatalog.shared.device(named: device)
    } catch {
      if ProcessInfo.processInfo.environment["CI"] == "true" { throw error }
      try Test.cancel("\(error)")
    }
  }

  @Test(
    "a sample is tuned once, kept by the second run, listed, compiled by where asked for, and forgotten",
    arguments: ["vulkan:0", "opencl:0"])
  func sample(device: String) throws {
    try require(device)
    let folder = try TemporaryFolder()
    let command = BuiltCommand("gpubench")
    func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> BuiltCommand.Outcome {
      try command(
        arguments + ["--device", device],
        environment: environment.merging(["HEKLA_CACHE": folder.path]) { $1 })
    }
    func entry(_ outcome: BuiltCommand.Outcome) throws -> [String: Any] {
      #expect(outcome.code == 0, "\(outcome.errors)")
      let list = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
      #expect(list?.count == 1)
      return try #require(list?.first)
    }
    let first = try entry(try run(["tune", "scan/maximum-uint32", "--json"]))
    #expect(
      Set(first.keys) == ["primitive", "attributes", "inputs", "default", "chosen", "kept", "variants"])
    #expect(first["primitive"] as? String == "scan")
    #expect(first["inputs"] as? [String] == ["uint32[3, 31, 1]"])
    #expect(first["kept"] as? Bool == false)
    #expect(first["default"] as? String == "columns")
    let variants = try #require(first["variants"] as? [[String: Any]])
    #expect(variants.map { $0["variant"] as? String } == ["columns", "rows"])
    #expect(variants.allSatisfy { ["timed", "slow"].contains($0["outcome"] as? String) })
    let chosen = try #require(first["chosen"] as? String)

    for arguments in [["tune", "scan/maximum-uint32", "--json"], ["tune", "--list", "--json"]] {
      let again = try entry(try run(arguments))
      #expect(again["kept"] as? Bool == true && again["chosen"] as? String == chosen)
      #expect(again["variants"] as? NSArray == first["variants"] as? NSArray)
    }
    // A choice that is not the rules', so that it shows whether it is compiled by.
    let opened = try DeviceCatalog.shared.device(named: device)
    var cache = TuningCache(for: opened.capabilities, in: folder.path)
    let (key, result) = try #require(cache.results.first)
    var forced = result
    forced.chosen = "rows"
    cache[key] = forced
    let isSaved = cache.save()
    #expect(isSaved)
    for (setting, variant) in [("0", "columns"), ("1", "rows")] {
      let outcome = try run(
        ["run", "scan/maximum-uint32", "--repeat", "1", "--seconds", "0", "--json"], ["HEKLA_TUNING": setting]
      )
      #expect(try entry(outcome)["variant"] as? String == variant)
    }
    let file = "\(folder.path)/\(opened.capabilities.uuid).tuning"
    #expect(try run(["tune", "--clear"]).output == "Removed \(file).\n")
    #expect(
      try run(["tune", "--clear"]).output == "There are no choices for \(device): \(file) does not exist.\n")
    #expect(try run(["tune", "--list"]).output == "Nothing was tuned on \(device) yet.\n")
  }

  @Test("a large case is verified at a smaller shape with the same edges, a small one at its own")
  func exam() throws {
    try require("opencl:0")
    let device = try DeviceCatalog.shared.device(named: "opencl:0")
    func inputs(_ subject: TuningSubject?) -> [[Int]]? { subject?.values.map(\.shape.extents) }
    var request = TuneRequest(name: "matmul", shape: "516x384x200")
    var item = try #require(try request.items(on: device).first)
    #expect(inputs(item.subject) == [[1, 516, 200], [1, 200, 384]])
    #expect(inputs(item.exam) == [[1, 132, 72], [1, 72, 192]])
    // Halved once more, the result would take no two of the largest tiles.
    request.shape = "256x256x256"
    item = try #require(try request.items(on: device).first)
    #expect(inputs(item.exam).map { $0[0][1] * $0[1][2] } == 256 * 128)
    #expect(
      item.exam?.node.applicableVariants(on: device.capabilities).map(\.name)
        == item.subject.node.applicableVariants(on: device.capabilities).map(\.name))
    request.shape = "65x33x17"
    item = try #require(try request.items(on: device).first)
    #expect(inputs(item.subject) == [[1, 65, 17], [1, 17, 33]] && item.exam == nil)
    request = TuneRequest(name: "scatter", shape: "100x8x13")
    #expect(try request.items(on: device).map(\.subject.primitive) == ["scatter-sum"])
  }

  static let mistakes: [(arguments: [String], code: Int32, message: String)] = [
    (
      ["tune", "matmul", "--shape", "8x8x8"], 2,
      "matmul leaves no choice on "
    ),
    (["tune", "gelx"], 2, "There is no case 'gelx'. Did you mean 'gelu'?"),
    (["tune", "matmul", "--type", "float31"], 2, "There is no element type 'float31'."),
    (
      ["tune", "sort/all", "--shape", "8"], 2,
      "--shape belongs to cases; the samples of sort have shapes and types of their own."
    ),
    (["tune"], 2, "Name a case to tune, or give one of --list and --clear."),
    (["tune", "sort", "--list"], 2, "Name a case to tune, or give one of --list and --clear."),
    (["tune", "sort", "--budget", "nan"], 2, "--budget is between 0 and 86400; nan was given."),
  ]

  @Test("a mistake is answered with what is allowed", arguments: mistakes.indices)
  func mistake(index: Int) throws {
    let mistake = Self.mistakes[index]
    let folder = try TemporaryFolder()
    let outcome = try BuiltCommand("gpubench")(
      mistake.arguments + ["--device", "cpu"], environment: ["HEKLA_CACHE": folder.path])
    #expect(outcome.code == mistake.code)
    #expect(outcome.errors.contains("Error: \(mistake.message)"), "\(outcome.errors)")
    #expect(outcome.output == "")
  }

  @Test("a cache that cannot be written is told before anything is measured")
  func unwritable() throws {
    let outcome = try BuiltCommand("gpubench")(
      ["tune", "sort/rows", "--device", "cpu"], environment: ["HEKLA_CACHE": "/proc/no such folder"])
    #expect(outcome.code == 2)
    #expect(outcome.errors.hasPrefix("Error: /proc/no such folder/"))
    #expect(
      outcome.errors.hasSuffix(
        ".tuning cannot be written. Set HEKLA_CACHE to a folder that can, or free space there.\n"))
  }

  @Test("the table says what was verified, what was chosen, and why others were not")
  func table() throws {
    let key = try #require(
      TuningKey(
        of: Tensor.zeros([4, 4]).matrixProduct(.zeros([4, 4])).node.inputs.first
          ?? Tensor.zeros([4, 4]).node, on: TuningDevice(Self.paper), Self.paper))
    let result = TuningResult(
      inputs: ["float32[1, 4, 4]", "float32[1, 4, 4]"], defaultVariant: "tiled-32",
      candidates: [
        .init("tiled-32", .timed, milliseconds: 0.125), .init("naive", .timed, milliseconds: 0.0625),
        .init("tiled-64", .rejected, reason: "at [0, 0, 0]: NaN, not 1.0"), .init("tiled-128", .untried),
      ], chosen: "naive")
    var report = TuningReport(entries: [.init(key: key, result: result, isKept: true)])
    #expect(
      report.text(for: .file) == """
        operation          inputs                             variant    check   median ms  choice   remark
        matrix-product NN  float32[1, 4, 4] float32[1, 4, 4]  tiled-32   passed     0.1250  default  kept from an earlier run
                                                              naive      passed    0.06250  chosen
                                                              tiled-64   failed          -           at [0, 0, 0]: NaN, not 1.0
                                                              tiled-128  -               -
        """)
    #expect(report.hasRejected)
    report.entries = []
    #expect(!report.hasRejected)
  }

  private static let paper = Capabilities(
    interface: .vulkan, kind: .discreteGPU, deviceName: "Paper", driver: "none")
}
