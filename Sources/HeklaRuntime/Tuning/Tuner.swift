import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Finds the fastest of a primitive's variants on a device, among those that are right.
///
/// A variant is verified before it is timed, as the tests do it: on memory full of NaN, between guard words, twice with
/// the same bits, and against the float64 reference with the tolerance of the primitive. Those that are left are timed in
/// alternation, so that what else the machine does meets all of them, and the rules' choice stays unless another one
/// beats it by more than the noise.
///
/// Source: CLBlast tunes with a check of each result (Nugteren 2018, "CLBlast: A tuned OpenCL BLAS library").
public struct Tuner: Sendable {
  /// How long to measure, and what counts as a win.
  public struct Limits: Sendable {
    /// No variant is begun after this time, in seconds, for all that one tuner measures.
    public var seconds = 60.0
    /// A variant that takes longer than this to be verified, in seconds, is not timed.
    public var secondsPerCandidate = 10.0
    /// How many times slower than the rules' choice the first run may be.
    public var slowdown = 3.0
    /// How much of the time of the rules' choice another one has to save.
    public var margin = 0.05

    /// A minute in all, ten seconds for a variant, 5% to win.
    public init() {}
  }

  private let executor: PlanExecutor
  private let limits: Limits
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  /// A tuner for `device`, whose time begins now.
  public init(on device: any Device, limits: Limits = Limits()) throws(DeviceError) {
    var options = CompilerOptions()
    options.tuning = .off
    // What looks at indices is no part of any variant.
    options.checksIndices = false
    executor = try PlanExecutor(device, options: options)
    self.limits = limits
    start = clock.now
  }

  private var isTimeUp: Bool { clock.now - start >= .seconds(limits.seconds) }

  /// Verifies and times the variants of `subject`'s primitive.
  ///
  /// - Parameters:
  ///   - subject: What is timed.
  ///   - exam: The same operation at extents that the reference, which takes its time, can be computed for; at those of
  ///     `subject` variants are then held to each other, within twice the tolerance. Nil holds them to the reference at
  ///     `subject` itself.
  /// - Throws: `DeviceError.deviceLost`. What else goes wrong with a variant is a reason not to choose it.
  public func tune(
    _ subject: TuningSubject, verifyingAt exam: TuningSubject? = nil
  ) throws(DeviceError) -> TuningResult {
    let device = executor.device.capabilities
    let signatures = subject.node.inputs.map(\.signature)
    let variants = subject.node.applicableVariants(on: device)
    guard let incumbent = variants.byRule(device, signatures, subject.node.signature) else {
      throw .invalidArgument(
        call: "tune", reason: "\(subject.primitive) has no variant on \(device.deviceName)")
    }
    let names = [incumbent.name] + variants.map(\.name).filter { $0 != incumbent.name }
    var result = TuningResult(
      inputs: signatures.map(\.description), defaultVariant: incumbent.name,
      candidates: names.map { .init($0, .untried, reason: "the time was up") }, chosen: nil)
    guard !isTimeUp else { return result }
    var verifier = try Verifier(subject, exam: exam, on: executor)
    var race = Race(subject, on: executor)
    for index in names.indices {
      if isTimeUp { break }
      result.candidates[index] = try admit(names[index], to: &race, after: &verifier)
    }
    for (name, milliseconds) in try race.run(until: start + .seconds(limits.seconds)) {
      for index in names.indices where names[index] == name {
        result.candidates[index].milliseconds = milliseconds
      }
    }
    result.chosen = race.winner(margin: limits.margin)
    return result
  }

  /// Verifies one variant, and lets it take part where it is right and not hopeless.
  private func admit(
    _ name: String, to race: inout Race, after verifier: inout Verifier
  ) throws(DeviceError) -> TuningResult.Candidate {
    guard verifier.canJudge(name) else {
      return .init(name, .skipped, reason: "it does not run at the smaller extents that verify the others")
    }
    do throws(DeviceError) {
      let begin = clock.now
      if let fault = try verifier.fault(of: name) { return .init(name, .rejected, reason: fault) }
      let seconds = (clock.now - begin) / .seconds(1)
      // The first one has to be timed in any case, for the others to be compared with.
      if seconds > limits.secondsPerCandidate, !race.isEmpty {
        return .init(name, .slow, reason: "verifying it took more than \(limits.secondsPerCandidate) seconds")
      }
      let (milliseconds, ratio) = try race.enter(name, slowdown: limits.slowdown)
      guard ratio > limits.slowdown else { return .init(name, .timed, milliseconds: milliseconds) }
      return .init(
        name, .slow, milliseconds: milliseconds,
        reason: "its first runs took more than \(limits.slowdown) times as long")
    } catch .deviceLost(let device, let during) {
      throw .deviceLost(device: device, during: during)
    } catch {
      return .init(name, .rejected, reason: "\(error)")
    }
  }
}
