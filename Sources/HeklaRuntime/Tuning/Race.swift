import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Times several variants of one operation in alternation.
///
/// Each round runs all of them, the next one in the opposite order, and only times of one round are compared: a
/// machine that slows down between rounds does not decide.
struct Race {
  private struct Entrant {
    let name: String
    let step: CompiledStep
    var milliseconds: [Double] = []
  }

  private let primitive: String
  private let output: Tensor
  private let parameters: [Parameter]
  private let values: [HostArray]
  private let executor: PlanExecutor
  private var entrants: [Entrant] = []
  /// How often a step runs in one round, so that it takes some milliseconds.
  private var replays = 1

  /// Whether nobody takes part yet.
  var isEmpty: Bool { entrants.isEmpty }

  private static let roundCount = 7
  private static let leastRoundCount = 3

  /// A race of the variants of `subject`'s primitive.
  init(_ subject: TuningSubject, on executor: PlanExecutor) {
    primitive = subject.primitive
    self.executor = executor
    values = subject.values
    // Parameters, which all steps share and whose values stay on the device from run to run.
    parameters = values.map { Parameter(.zeros($0.shape, $0.elementType)) }
    output = Tensor(Node(subject.node.primitive, parameters.map(\.tensor.node)))
  }

  /// Runs the variant `name` for the first times, and keeps it for the rounds unless it is too slow.
  ///
  /// - Returns: The time of the better of two runs, and that over the first entrant's.
  mutating func enter(
    _ name: String, slowdown: Double
  ) throws(DeviceError) -> (milliseconds: Double, ratio: Double) {
    if entrants.isEmpty { try executor.assign(values, to: parameters) }
    var options = executor.options
    options.preferredVariants = [primitive: name]
    let step = try executor.compile(StepDescription(outputs: [output]), options: options)
    // Some drivers compile at the first run, which verifying has made; memory is touched for the first time here.
    _ = try step.wallMilliseconds(replays: 1)
    let device = executor.device.capabilities
    let milliseconds = min(
      try step.milliseconds(on: device, replays: 1), try step.milliseconds(on: device, replays: 1))
    guard let first = entrants.first else {
      replays = max(1, min(1000, Int(4 / max(milliseconds, 0.001))))
      entrants.append(Entrant(name: name, step: step))
      return (milliseconds, 1)
    }
    let ratio =
      milliseconds
      / min(
        try first.step.milliseconds(on: device, replays: 1),
        try first.step.milliseconds(on: device, replays: 1))
    if ratio <= slowdown { entrants.append(Entrant(name: name, step: step)) }
    return (milliseconds, ratio)
  }

  /// Runs the rounds: three at least, and no more are begun after `end`.
  ///
  /// - Returns: The median time of each entrant.
  mutating func run(until end: ContinuousClock.Instant) throws(DeviceError) -> [(
    name: String, milliseconds: Double
  )] {
    for round in 0..<Self.roundCount {
      if round >= Self.leastRoundCount, ContinuousClock().now >= end { break }
      for place in entrants.indices {
        let index = round.isMultiple(of: 2) ? place : entrants.count - 1 - place
        entrants[index].milliseconds.append(
          try entrants[index].step.milliseconds(on: executor.device.capabilities, replays: replays))
      }
    }
    return entrants.map { ($0.name, $0.milliseconds.median) }
  }

  /// The name of the fastest entrant, which is the first one unless another saves more than `margin` of its time; nil
  /// where there is none.
  func winner(margin: Double) -> String? {
    guard let first = entrants.first else { return nil }
    let ratios = entrants.dropFirst().map { entrant in
      (name: entrant.name, ratio: zip(entrant.milliseconds, first.milliseconds).map { $0 / $1 }.median)
    }
    guard let fastest = ratios.min(by: { $0.ratio < $1.ratio }), fastest.ratio < 1 - margin else {
      return first.name
    }
    return fastest.name
  }
}
