import Foundation
import Hekla
import HeklaExperiments
import TestSupport
import Testing

@testable import HeklaRecipes

@Suite struct LotteryTicketTests {
  /// The least that runs everything: one round, two steps a network.
  private static func tiny(_ assignments: String...) throws -> LotteryTicket {
    try LotteryTicket(applying: ["rounds=1", "repetitions=1", "iterations=2"] + assignments)
  }

  /// The dense network alone, for some steps.
  private static func dense(steps: Int) throws -> LotteryTicket {
    try tiny("rounds=-1", "iterations=\(steps)")
  }

  private static func device(_ name: String) throws -> any Device {
    try DeviceCatalog.shared.device(named: name)
  }

  /// Software devices that are here; where CI says so all of them, so that a missing one fails.
  private static let softwareDevices = ["vulkan:0", "opencl:0"].filter { name in
    ProcessInfo.processInfo.environment["CI"] == "true" || (try? device(name)) != nil
  }

  private static func losses(_ name: String, steps: Int, seed: UInt64 = 0) throws -> [Double] {
    try dense(steps: steps).run(RunContext(device: device(name), seed: seed)).losses
  }

  // MARK: The method's exact properties

  @Test func `A round leaves the scheduled counts to the unit, the output layer at half the rate`() throws {
    let ticket = LotteryTicket()
    #expect(try ticket.remaining([8192, 8192, 640]) == [6554, 6554, 576])
    // 0.2 of 2 rounds to nothing.
    #expect(try ticket.remaining([10, 2, 10]) == [8, 2, 9])
  }

  @Test(arguments: ["cpu"] + softwareDevices)
  func `Pruned weights end as exactly 0, and survivors start at theta_0 bit for bit`(name: String) throws {
    let problem = try Self.tiny().problem(RunContext(device: Self.device("cpu")))
    let trainer = try LotteryTicket.Trainer(
      problem, batch: 60, learningRate: 0.0012, on: PlanExecutor(Self.device(name)))
    let theta0 = try trainer.drawn(RandomKey(seed: 1))
    let all = PruningMask(keepingAllOf: trainer.f.weights.map(\.shape))
    let counts = try LotteryTicket().remaining(all.counts)
    let m = all.keepingLargest(counts, of: theta0)
    #expect(m.counts == counts)
    // The dense network first, so that moments and weights are there that could come back to life.
    _ = try trainer.train(theta0, all, key: RandomKey(seed: 2)) { _ in }
    let run = try trainer.train(theta0, m, key: RandomKey(seed: 2)) { _ in }
    #expect(run.start == m.applied(to: theta0))
    #expect(run.theta != run.start)
    #expect(m.applied(to: run.theta) == run.theta)
  }

  @Test func `A run counts what is not exact, and finds nothing`() throws {
    let record = try Self.tiny("rounds=2").run(RunContext(device: Self.device("cpu")))
    for name in ["exact.prunedNotZero", "exact.countsOff", "exact.resetsOff"] {
      #expect(record.metrics[name] == 0, "\(name)")
    }
    #expect(record.losses.count == 2 * (1 + 4 * 2))
  }

  @Test func `The study notices a weight that came back and a survivor that did not restart`() {
    func row(_ values: Float...) -> [HostArray] { [HostArray(values)] }
    let m = PruningMask(keepingAllOf: [[3]]).keepingLargest([2], of: row(3, 2, 1))
    var study = LotteryTicket.Study(name: "digits")
    study.check(.init(start: row(3, 2, 0), theta: row(5, 6, 0)), m, startingFrom: row(3, 2, 1))
    #expect((study.resetsOff, study.prunedNotZero) == (0, 0))
    study.check(
      .init(start: row(3, Float(2).nextUp, 0), theta: row(5, 6, 1e-30)), m, startingFrom: row(3, 2, 1))
    #expect((study.resetsOff, study.prunedNotZero) == (1, 1))
  }

  // MARK: Training

  @Test(arguments: ["cpu"] + softwareDevices)
  func `Two steps of everything run on each device`(name: String) throws {
    let record = try Self.tiny().run(RunContext(device: Self.device(name)))
    #expect(record.losses.count == 10)
    #expect(record.losses.allSatisfy { $0.isFinite })
    #expect(record.device == name)
  }

  @Test func `The dense network learns`() throws {
    let losses = try Self.losses("cpu", steps: 200)
    // Ten classes with equal chances cost 2.3; 200 steps, nine passes, bring far less than half of that.
    #expect(losses[0] > 1.5)
    #expect(losses.suffix(20).reduce(0, +) / 20 < 0.5)
  }

  @Test(arguments: [("cpu", 50)] + softwareDevices.map { ($0, 10) })
  func `The same seed gives the same bits, another seed others`(name: String, steps: Int) throws {
    let first = try Self.losses(name, steps: steps, seed: 5)
    #expect(try Self.losses(name, steps: steps, seed: 5).map(\.bitPattern) == first.map(\.bitPattern))
    #expect(try Self.losses(name, steps: 1, seed: 6)[0] != first[0])
  }

  @Test(arguments: softwareDevices)
  func `The first 50 losses agree with those of the processor`(name: String) throws {
    let expected = try Self.losses("cpu", steps: 50)
    let found = try Self.losses(name, steps: 50)
    // Sums in another order differ by about 1e-7 a step and drift apart; 1e-3 is what is promised.
    for (step, (a, b)) in zip(found, expected).enumerated() {
      #expect(abs(a - b) <= 1e-3 * abs(b), "step \(step): \(a), on cpu \(b)")
    }
    #expect(found.count == expected.count)
  }

  @Test func `The gradient of the whole model agrees with central differences`() throws {
    let f = LotteryTicket.Network([4, 5, 4, 3], key: RandomKey(seed: 7))
    let images = LabeledImages(
      name: "noise", images: HostArray((0..<24).map { UInt8(($0 * 37 + 11) % 17) }, shape: [6, 2, 2]),
      labels: HostArray([0, 1, 2, 2, 1, 0] as [Int32]), classNames: ["a", "b", "c"])
    let loss = LotteryTicket.objective(f, images, white: 16).loss
    // Shifts that are not 0 keep the inputs of the rectified units off their kink.
    let start = f.theta.enumerated().map { index, parameter in
      let key = RandomKey(seed: 9).folded(in: UInt64(index))
      return (0..<parameter.shape.count).map { Double(key.uniform(at: $0)) - 0.4 }
    }
    func values(of tensors: [Tensor], at theta: [[Double]]) -> [[Double]] {
      let fed = zip(f.theta, theta).map { ($0.tensor.node, HostArray($1, shape: $0.shape)) }
      return referenceValues(of: tensors, feeding: Dictionary(uniqueKeysWithValues: fed)).map { $0.doubles() }
    }
    let found = values(of: gradients(of: loss, withRespectTo: f.theta.map(\.tensor)), at: start)
    let step = 1e-5
    for (index, array) in start.enumerated() {
      for position in array.indices {
        func value(_ shift: Double) -> Double {
          var theta = start
          theta[index][position] += shift
          return values(of: [loss], at: theta)[0][0]
        }
        // In float64 a central difference is off by about 1e-10 of the third derivative and 1e-11 by rounding.
        let expected = (value(step) - value(-step)) / (2 * step)
        #expect(abs(found[index][position] - expected) < 1e-8, "parameter \(index), element \(position)")
      }
    }
    #expect(found.joined().contains { abs($0) > 0.01 })
  }

  // MARK: Settings

  @Test func `Settings survive the way through their document`() throws {
    let changed = try LotteryTicket(applying: [
      "data=fashion", "rounds=3", "p=0.35", "learningRate=0.01", "batch=7",
    ])
    let again = try changed.settings().decoded(as: LotteryTicket.self)
    #expect(again.data == "fashion" && again.rounds == 3 && again.p == 0.35)
    #expect(again.learningRate == 0.01 && again.batch == 7 && again.iterations == 0)
  }

  @Test(arguments: [
    ("p=0", "p"), ("p=1", "p"), ("p=-0.2", "p"), ("data=minst", "data"), ("batch=0", "batch"),
    ("batch=1298", "batch"), ("learningRate=0", "learningRate"), ("iterations=-1", "iterations"),
    ("repetitions=-1", "repetitions"), ("interval=-1", "interval"),
  ])
  func `A setting that cannot be is named, before anything runs`(assignment: String, name: String) throws {
    let experiment = try Self.tiny(assignment)
    let given = String(assignment.drop { $0 != "=" }.dropFirst())
    let error = #expect(throws: ExperimentError.self) {
      try experiment.run(RunContext(device: NamedDevice("none")))
    }
    guard case .settingRejected(name, owner: "lottery-ticket", let value, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(value.flatMap(Double.init) == Double(given) || value == given)
  }

  @Test func `A round that would empty a layer stops and keeps the rounds before`() throws {
    let folder = try TemporaryFolder()
    let output = try RunFolder(folder.path + "/run")
    let error = #expect(throws: ExperimentError.self) {
      try Self.tiny("rounds=5", "p=0.99").run(RunContext(device: Self.device("cpu"), output: output))
    }
    #expect(
      error.map { "\($0)" } == "lottery-ticket stopped: pruning 0.99 of 1 weights would empty layer 0. "
        + "What was reached until then is kept.")
    output.discardIfEmpty()
    // 8,192 weights become 82, then 1; the third round would leave none. The dense network and four a round.
    let lines = try folder.text(of: "run/metrics.jsonl").split(separator: "\n")
    #expect(lines.count == 1 + 4 * 2)
    #expect(lines.last?.replacing(" ", with: "").contains(#""round":2,"#) == true, "\(lines.last ?? "")")
  }
}
