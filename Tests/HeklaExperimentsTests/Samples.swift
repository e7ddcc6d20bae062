import Foundation
import Synchronization

@testable import HeklaExperiments

/// An experiment with a setting of every kind.
struct SampleStudy: Experiment {
  enum Net: String, Codable, CaseIterable { case lenet, conv2 }
  struct Schedule: Codable {
    var rate: Float = 0.1
    var warmup: Int?
  }

  static let paper = Paper("A sample", by: "Nobody", year: 2020, id: "arXiv:2001.00001")
  static let claims = [
    Claim("tickets keep the accuracy", source: "figure 1") { $0["ticket"] >= $0["dense"] - 0.005 },
    Claim("tickets are sooner", source: "figure 2", failure: "two epochs later") { $0["soon"] < 1 },
    Claim("larger nets agree", source: "table 3") { $0["large"] > 0.9 },
  ]
  static let settingNotes = ["width": "The number of hidden units, `H` in the paper."]

  var width = 64
  var learningRate = 1.0
  var isCentered = false
  var label: String?
  var net = Net.lenet
  var layers = [300, 100]
  var schedule = Schedule()
  var small: UInt8 = 3

  func run(_ context: RunContext) throws -> RunRecord {
    let count = context.limits.stepCount(4, stepsPerEpoch: 2)
    let progress = context.progress(Self.name, total: count)
    let losses = (0..<count).map { 1 / Double($0 + 1) }
    for (step, loss) in losses.enumerated() {
      progress.advance(to: step + 1, loss: loss)
      try context.output?.append(step: step + 1, ["loss": loss])
    }
    progress.finish()
    return try context.record(of: self, losses: losses, metrics: ["ticket": 0.96, "dense": 0.97, "soon": 2])
  }
}

/// What a console was given, in order.
final class Transcript: Sendable {
  private let written = Mutex("")

  var text: String { written.withLock { $0 } }

  func console(_ terminal: Terminal) -> Console {
    Console(terminal: terminal) { text in self.written.withLock { $0 += text } }
  }
}

/// A clock that tests turn.
final class ManualTime: Sendable {
  private let time = Mutex(0.0)

  var seconds: Double {
    get { time.withLock { $0 } }
    set { time.withLock { $0 = newValue } }
  }
}
