import Foundation
import Hekla

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

/// A device that has a name and nothing else.
final class NamedDevice: Device {
  let name = "stub"
  let capabilities = Capabilities(interface: .host, kind: .other, deviceName: "stub", driver: "none")

  func makeBuffer(byteCount: Int) throws(DeviceError) -> any Buffer { throw refusal }
  func makeKernel(_ source: KernelSource) throws(DeviceError) -> any Kernel { throw refusal }
  func makeQueue() throws(DeviceError) -> any Queue { throw refusal }

  private var refusal: DeviceError {
    .unsupported(device: name, feature: "work", remedy: "Use another device.")
  }
}

/// A folder that lives as long as the value.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "hekla-\(UInt64.random(in: 0...UInt64.max))"

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// What lies in the folder, hidden files included.
  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  func text(of name: String) throws -> String {
    try String(contentsOfFile: path + "/" + name, encoding: .utf8)
  }
}

/// What a console was given, in order.
final class Transcript: @unchecked Sendable {
  // Sendable because a lock guards the text.
  private let lock = NSLock()
  private var written = ""

  var text: String { lock.withLock { written } }

  func console(_ terminal: Terminal) -> Console {
    Console(terminal: terminal) { text in self.lock.withLock { self.written += text } }
  }
}

/// A clock that tests turn.
final class ManualTime: @unchecked Sendable {
  // Sendable because each test uses it from one thread.
  var seconds = 0.0
}
