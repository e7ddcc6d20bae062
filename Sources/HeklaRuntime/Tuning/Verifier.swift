import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Tells whether a variant computes what its primitive means.
struct Verifier {
  /// What a result is compared with, and how closely.
  private struct Standard {
    let results: [HostArray]
    let magnitudes: [HostArray]
    /// How many times the tolerance a result may be off.
    let factor: Double

    /// What is wrong with `results`, in words; nil where nothing is.
    func fault(of results: [HostArray], within tolerance: Sample.Tolerance) -> String? {
      for (number, (got, wanted)) in zip(results, self.results).enumerated() {
        let magnitude = magnitudes.indices.contains(number) ? magnitudes[number] : nil
        let difference = tolerance.disagreement(of: got, with: wanted, magnitude: magnitude, allowing: factor)
        if let difference { return results.count > 1 ? "result \(number) \(difference)" : difference }
      }
      return nil
    }
  }

  private let subject: TuningSubject
  private let exam: TuningSubject?
  private let executor: PlanExecutor
  private let reference: Standard
  /// The first right result of the subject, where that is too large for the reference.
  private var firstResults: Standard?

  /// Judges variants at `exam`, and at `subject` too where that is another one.
  init(_ subject: TuningSubject, exam: TuningSubject?, on executor: PlanExecutor) throws(DeviceError) {
    self.subject = subject
    self.exam = exam
    self.executor = executor
    let judged = exam ?? subject
    reference = Standard(
      results: referenceValues(of: judged.node.results),
      magnitudes: judged.tolerance.isOfSums ? referenceValues(of: judged.nodeOnAbsoluteValues.results) : [],
      factor: 1)
  }

  /// Whether `variant`, which applies to the subject, does so where it is to be verified.
  func canJudge(_ variant: String) -> Bool {
    exam?.node.applicableVariants(on: executor.device.capabilities).contains { $0.name == variant } ?? true
  }

  /// What is wrong with `variant`; nil where nothing is.
  mutating func fault(of variant: String) throws(DeviceError) -> String? {
    let judged = exam ?? subject
    let (results, fault) = try outcome(of: judged.node, by: variant)
    if let fault = fault ?? reference.fault(of: results, within: judged.tolerance) { return fault }
    guard exam != nil else { return nil }
    let (larger, largerFault) = try outcome(of: subject.node, by: variant)
    if let largerFault { return largerFault }
    if let firstResults { return firstResults.fault(of: larger, within: subject.tolerance) }
    // Each may be off by the tolerance from what is right, so by twice as much from each other.
    let magnitudes =
      subject.tolerance.isOfSums
      ? try compile(subject.nodeOnAbsoluteValues, by: variant, guarded: false).run() : []
    firstResults = Standard(results: larger, magnitudes: magnitudes, factor: 2)
    return nil
  }

  /// The results of a run on poisoned memory between guard words, and what showed that no reference is needed for.
  private func outcome(
    of node: Node, by variant: String
  ) throws(DeviceError) -> (results: [HostArray], fault: String?) {
    let step = try compile(node, by: variant, guarded: true)
    var results: [HostArray]?
    for _ in 0..<2 {
      try step.poison()
      let got = try step.run()
      if let results, results != got { return (results, "two runs give different bits") }
      results = got
    }
    return (results ?? [], try step.brokenGuards().first)
  }

  private func compile(_ node: Node, by variant: String, guarded: Bool) throws(DeviceError) -> CompiledStep {
    var options = executor.options
    options.guardsMemory = guarded
    options.preferredVariants = [node.primitive.name: variant]
    return try executor.compile(StepDescription(outputs: node.results), options: options)
  }
}

extension Sample.Tolerance {
  /// Whether it is relative to the sums of the terms' absolute values.
  fileprivate var isOfSums: Bool {
    if case .sum = self { true } else { false }
  }
}
