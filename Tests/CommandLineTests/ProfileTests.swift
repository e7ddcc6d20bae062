import ArgumentParser
import Foundation
import Hekla
import HeklaCommands
import HeklaExperiments
import TestSupport
import Testing

@testable import hekla_cli

/// Two steps on the cpu: one trains, one looks at the weights every fourth time.
private struct SmallTraining: Experiment {
  static let paper = Paper("Small things", by: "Nobody", year: 2020, id: "arXiv:2001.00002")
  static let claims: [Claim] = []

  var steps = 1000

  func run(_ context: RunContext) throws -> RunRecord {
    let executor = try context.makeExecutor()
    let w = Parameter(.ones([6, 3]))
    let step = try executor.compile(inputs: [Signature([9, 6])]) { x in
      let loss = x[0].matrixProduct(w.tensor).squared().sum()
      let slope = gradients(of: loss, withRespectTo: [w.tensor])[0]
      return StepDescription(outputs: [loss], assignments: [w.assigning(w.tensor - slope * 0.001)])
    }
    let judge = try executor.compile(StepDescription(outputs: [w.tensor.sum()]))
    var losses: [Double] = []
    for number in 0..<steps {
      losses.append(try step.run([HostArray(zeros: [9, 6])])[0].doubles()[0])
      if number % 4 == 0 { _ = try judge.run() }
    }
    return try context.record(of: self, losses: losses, metrics: [:])
  }
}

@Suite struct ProfileTests {
  private func session(_ arguments: String...) throws -> ProfileSession {
    ProfileSession(
      options: try ProfileOptions.parse(["small-training", "--device", "cpu"] + arguments),
      catalog: RecipeCatalog([SmallTraining.self]), environment: [:], console: .silent)
  }

  @Test("a recipe is stopped when a step was seen often enough, and its kernels are listed by time")
  func table() throws {
    let report = try session("--steps", "3").run()
    let lines = report.text(for: .file).split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("small-training on cpu, step 1, which updates 1 parameter: "))
    #expect(lines[0].hasSuffix(" ms a run"))
    let titles = "kernel variant shapes launches ms share GB/s GFLOP/s of roofline"
    #expect(lines[1].split(separator: " ").joined(separator: " ") == titles)
    #expect(lines.contains { $0.hasPrefix("matrix-product  host     9x6 -> 9x3") })
    #expect(lines.contains { $0.hasPrefix("all ") && $0.contains("100%") })
    #expect(
      lines.contains { $0.hasPrefix("Kernels take ") && $0.contains(" ms together, between them pass ") })
    #expect(lines.contains { $0.hasPrefix("Before a run, outside of steps: ") })
    #expect(
      lines.contains { $0.hasPrefix("Medians of 3 runs as they are and as many that time each launch") })
    #expect(try #require(lines.last).hasSuffix("the fastest measured here, in float32."))
    let colored = report.text(for: Terminal(isInteractive: true, hasColor: true))
    #expect(colored.hasPrefix("\u{1B}[1msmall-training on cpu, step 1\u{1B}[0m, which"))
  }

  @Test("JSON has the launches of each step, and their sum")
  func json() throws {
    let text = try session("--steps", "2").run().document.indented
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(document["subject"] as? String == "small-training" && document["device"] as? String == "cpu")
    let step = try #require((document["steps"] as? [[String: Any]])?.first)
    #expect(step["runs"] as? Int == 2 && step["parameters_updated"] as? Int == 1)
    let kernels = try #require(step["kernels"] as? [[String: Any]])
    #expect(kernels.count { $0["operations"] as? Double == 2 * 9 * 6 * 3 } >= 1)
    let sum = kernels.reduce(0) { $0 + ($1["ms"] as? Double ?? .nan) }
    let (whole, other) = (step["ms"] as? Double ?? 0, step["between_kernels_ms"] as? Double ?? 0)
    // The median of two runs is their mean, so that sums of medians are medians of sums.
    #expect(abs(sum + other - whole) < 1e-9)
  }

  @Test("a trace has every launch and every run, in order, and adds up")
  func trace() throws {
    let folder = try TemporaryFolder()
    let report = try session("--steps", "2", "--trace", folder.path + "/trace.json").run()
    let text = try folder.text(of: "trace.json")
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let all = try #require(document["traceEvents"] as? [[String: Any]])
    let names = all.filter { $0["ph"] as? String == "M" }.compactMap {
      ($0["args"] as? [String: String])?["name"]
    }
    #expect(names == ["small-training on cpu", "host", "cpu"])
    let events = all.filter { $0["ph"] as? String == "X" }
    func number(_ event: [String: Any], _ name: String) -> Double { event[name] as? Double ?? .nan }
    #expect(events.allSatisfy { number($0, "dur") >= 0 && number($0, "ts") >= 0 })
    #expect(zip(events, events.dropFirst()).allSatisfy { number($0, "ts") <= number($1, "ts") })

    let launches = events.filter { $0["tid"] as? Int == 1 }
    let timings = report.steps.flatMap { $0.profile.runs.flatMap { $0.timings ?? [] } }
    #expect(launches.count == timings.count)
    let sum = launches.reduce(0) { $0 + number($1, "dur") }
    // Each is rounded to a nanosecond.
    #expect(
      abs(sum - timings.reduce(0) { $0 + $1.nanoseconds } * 1e-3) <= 0.0005 * Double(timings.count) + 1e-6)
    let arguments = launches.compactMap { $0["args"] as? [String: Any] }
    #expect(
      arguments.contains { $0["kernel"] as? String == "matrix_product" && $0["bytes"] as? Double == 396 })
    // Two spans of the host for each run; a run's launches lie within the second.
    let host = events.filter { $0["tid"] as? Int == 0 }
    #expect(host.count == 2 * report.steps.reduce(0) { $0 + $1.profile.runs.count })
    let spans = host.filter { ($0["name"] as? String)?.hasPrefix("time each launch") == true }
    for launch in launches {
      let (start, end) = (number(launch, "ts"), number(launch, "ts") + number(launch, "dur"))
      #expect(
        spans.contains {
          number($0, "ts") <= start + 0.001 && end <= number($0, "ts") + number($0, "dur") + 0.001
        })
    }
  }

  @Test("a recipe that ends before is an error, as is a place that cannot be written to")
  func errors() throws {
    func report(_ session: ProfileSession) throws -> ExitReport {
      ExitReport(of: try #require(throws: (any Error).self) { try session.run() })
    }
    #expect(
      try report(try session("--set", "steps=3"))
        == ExitReport(
          code: 1,
          message:
            "Error: small-training stopped: none of its steps ran 4 times, the least that a profile takes. "
            + "What was reached until then is kept."))
    #expect(try report(try session("--trace", "/no/such/folder/x.json")).code == 2)
    #expect(try report(try session("--set", "stps=3")).code == 2)
    #expect(throws: (any Error).self) { try ProfileOptions.parse(["x", "--steps", "0"]) }
    // A run that ends by itself, after some runs were measured, is reported as it is.
    #expect(try session("--set", "steps=5").run().steps.map(\.profile.runCount) == [1])
  }
}
