import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// That only right variants are chosen, and of those the faster one.
@Suite struct TunerTests {
  private func tune(
    _ device: TestDevice, _ count: Int, _ manners: [Copied.Manner], exam: Int? = nil,
    limits: Tuner.Limits = Tuner.Limits()
  ) throws -> TuningResult {
    let subject = try Copied.subject(count, manners)
    return try device.run { executor in
      try Tuner(on: executor.device, limits: limits).tune(
        subject, verifyingAt: exam.map { try Copied.subject($0, manners) })
    }
  }

  @Test(arguments: TestDevice.present)
  func `a variant that is wrong, writes too much or too little, or does not run is rejected with the reason`(
    device: TestDevice
  ) throws {
    let wrong: [Copied.Manner] = [.other, .overrun, .short, .missing]
    let result = try tune(device, 67, [.plain] + wrong)
    #expect(result.defaultVariant == "plain" && result.chosen == "plain" && result.isComplete)
    #expect(result.candidates.map(\.variant) == ["plain", "other", "overrun", "short", "missing"])
    #expect(result.candidates.map(\.outcome) == [.timed, .rejected, .rejected, .rejected, .rejected])
    #expect(result.inputs == ["float32[68]", "float32[68]"])
    let reasons = result.candidates.map { $0.reason ?? "" }
    #expect(reasons[1] == "at [0]: -1.0, not 1.0; off by 2.0, allowed is 0.0")
    #expect(
      reasons[2].contains("word 0 of 256 after") && reasons[2].contains("(float32[67])"), "\(reasons[2])")
    #expect(reasons[3] == "at [66]: NaN, not 67.0")
    #expect(reasons[4].contains("no kernel 'missing'"), "\(reasons[4])")
    #expect((result.milliseconds(of: "plain") ?? 0) > 0 && result.milliseconds(of: "other") == nil)
  }

  @Test func `a wrong variant is not chosen though the rules would, nor any where all are wrong`() throws {
    let result = try tune(.cpu, 67, [.other, .plain])
    #expect(result.defaultVariant == "other" && result.chosen == "plain")
    #expect(try tune(.cpu, 67, [.other, .short]).chosen == nil)
  }

  @Test func `what is wrong only at the full size is rejected there`() throws {
    let result = try tune(.cpu, 200, [.plain, .otherWhenLarge], exam: 67)
    #expect(result.candidates.map(\.outcome) == [.timed, .rejected])
    #expect(result.candidates[1].reason == "at [0]: -1.0, not 1.0; off by 2.0, allowed is 0.0")
    let unjudged = try tune(.cpu, 200, [.plain, .forLarge], exam: 67)
    #expect(unjudged.candidates.map(\.outcome) == [.timed, .skipped] && unjudged.isComplete)
    #expect(
      unjudged.candidates[1].reason == "it does not run at the smaller extents that verify the others")
    #expect(try tune(.cpu, 200, [.plain, .alike], exam: 67).candidates.map(\.outcome) == [.timed, .timed])
  }

  @Test func `the faster one wins, and one that is hopeless is dropped after its first run`() throws {
    var patient = Tuner.Limits()
    patient.slowdown = 1e6
    let result = try tune(.cpu, 4_096, [.slow, .plain], limits: patient)
    #expect(result.defaultVariant == "slow" && result.chosen == "plain")
    let (slow, plain) = (result.milliseconds(of: "slow") ?? 0, result.milliseconds(of: "plain") ?? .infinity)
    #expect(slow > 10 * plain)

    let dropped = try tune(.cpu, 4_096, [.plain, .slow])
    #expect(dropped.candidates[1].outcome == .slow && dropped.candidates[1].milliseconds != nil)
    #expect(dropped.candidates[1].reason == "its first runs took more than 3.0 times as long")
    #expect(dropped.chosen == "plain" && dropped.milliseconds(of: "slow") == nil)
  }

  @Test func `what wins by less than the margin changes nothing`() throws {
    var limits = Tuner.Limits()
    limits.margin = 1
    #expect(try tune(.cpu, 4_096, [.slow, .plain], limits: limits).chosen == "slow")
  }

  @Test func `nothing is tried beyond the budget, or the time for one variant`() throws {
    var limits = Tuner.Limits()
    limits.seconds = 0
    let untried = try tune(.cpu, 67, [.plain, .alike], limits: limits)
    #expect(untried.candidates.map(\.outcome) == [.untried, .untried])
    #expect(untried.chosen == nil && !untried.isComplete)

    limits = Tuner.Limits()
    limits.secondsPerCandidate = 0
    #expect(
      try tune(.cpu, 67, [.plain, .alike], limits: limits).candidates.map(\.outcome) == [.timed, .slow])
  }

  @Test func `operations that leave a choice are found below a result, with the values they get there`()
    throws
  {
    let host = try TestDevice.cpu.executor()
    let a = Tensor((0..<12).map { Float($0) }, shape: [3, 4])
    let product = (a + 1).matrixProduct(a.transposed()).relu()
    let subjects = try TuningSubject.subjects(below: [product], on: paperDevice, computingOn: host)
    #expect(subjects.map(\.primitive) == ["matrix-product"])
    let (subject, wanted) = (try #require(subjects.first), (1...12).map { Double($0) })
    #expect(subject.values.first?.doubles() == wanted)
    #expect(
      try TuningSubject.subjects(below: [product], primitive: "sort", on: paperDevice, computingOn: host)
        .isEmpty)
    // The host has one way to multiply.
    let own = host.device.capabilities
    #expect(try TuningSubject.subjects(below: [product], on: own, computingOn: host).isEmpty)
  }
}
