import Foundation
import HeklaText
import Testing

@testable import gpubench

/// Training steps, a few of each.
@Suite struct GPUBenchStepTests {
  @Test("every step trains, and the same seed trains alike", arguments: TrainingStep.allNames)
  func trains(name: String) throws {
    // Small batches, to be quick.
    let batch = try TrainingStep.named(name).batchSize == nil ? [] : ["--batch", "2"]
    let result = try StepCommand.parse([name, "--device", "cpu", "--steps", "2"] + batch).measure()
    #expect(result.hasPassed, "\(result)")
    #expect(result.step == name && result.device == "cpu")
    #expect(result.medianMilliseconds > 0 && result.hostTime.microsecondsPerLaunch > 0)
    #expect(result.launchCount > 0 && result.plannedByteCount > 0 && result.hostTime.uploadMicroseconds > 0)
    let first = try #require(result.firstMilliseconds)
    #expect(first > result.medianMilliseconds)
  }

  @Test("a step that is recorded anew each time trains alike")
  func rerecords() throws {
    let results = try [[], ["--rerecord"]].map { options in
      try StepCommand.parse(["lenet", "--device", "cpu", "--steps", "3"] + options).measure()
    }
    #expect(results[0].hasPassed && results[1].hasPassed)
    #expect(results[0].lastLoss == results[1].lastLoss)
  }

  @Test("a step trains through Vulkan")
  func trainsOnVulkan() throws {
    let device = "vulkan:0"
    try requireDevice(device)
    let arguments = ["lenet", "--device", device, "--steps", "3", "--batch", "4"]
    let result = try StepCommand.parse(arguments).measure()
    #expect(result.hasPassed && result.device == device, "\(result)")
  }

  @Test("a loss that does not fall, is no number or comes out differently fails")
  func fails() {
    let right = Self.result
    #expect(right.hasPassed)
    for spoil in [
      { $0.lastLoss = 2.5 }, { $0.lastLoss = .nan }, { $0.firstLoss = .nan }, { $0.isRepeatable = false },
    ] as [(inout StepResult) -> Void] {
      var wrong = right
      spoil(&wrong)
      #expect(!wrong.hasPassed)
    }
  }

  @Test("JSON is an object on standard output alone, with exactly the promised keys")
  func json() throws {
    let outcome = try BuiltCommand("gpubench")(["step", "lenet", "--device", "cpu", "--steps", "2", "--json"])
    #expect(outcome.code == 0)
    #expect(outcome.errors == "")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    #expect(
      Set(object.keys) == [
        "step", "device", "median_ms", "first_ms", "peak_bytes", "planned_bytes", "launches",
        "host_us_per_launch", "host_wall_us_per_launch", "upload_us", "loss_first", "loss_last", "passed",
      ])
    #expect(object["step"] as? String == "lenet")
    #expect(object["passed"] as? Bool == true)
    // LeNet-300-100 has 266,610 parameters of 4 bytes, and Adam two more for each; what is planned is then used.
    let planned = try #require(object["planned_bytes"] as? Int)
    #expect(planned > 12 * 266_610)
    let peak = try #require(object["peak_bytes"] as? Int)
    #expect(peak > planned / 2)
    let first = try #require(object["first_ms"] as? Double)
    #expect(first > 0 && first < 60_000)
  }

  @Test("the table names units, and says passed or failed")
  func table() {
    #expect(
      Self.result.text(for: .file) == """
        step   device  median ms  first ms  peak MiB  planned MiB  launches  host us/launch  wall us/launch  upload us  first loss  last loss  check
        lenet  cpu         1.500  -             2.00         1.00        12           0.500           0.750       8.00         2.5          2  passed
        """)
  }

  private static let result = StepResult(
    step: "lenet", device: "cpu", medianMilliseconds: 1.5, firstMilliseconds: nil, peakByteCount: 2 << 20,
    plannedByteCount: 1 << 20, launchCount: 12,
    hostTime: HostTime(microsecondsPerLaunch: 0.5, wallMicrosecondsPerLaunch: 0.75, uploadMicroseconds: 8),
    firstLoss: 2.5, lastLoss: 2, isRepeatable: true)
}
