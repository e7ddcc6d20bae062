import Foundation
import Hekla
import HeklaExperiments
import TestSupport
import Testing

@testable import HeklaRecipes

@Suite struct NestedSegTests {
  private static func device(_ name: String) throws -> any Device {
    try DeviceCatalog.shared.device(named: name)
  }

  /// Software devices that are here; where CI says so all of them, so that a missing one fails.
  private static let softwareDevices = ["vulkan:0", "opencl:0"].filter { name in
    ProcessInfo.processInfo.environment["CI"] == "true" || (try? device(name)) != nil
  }

  /// The least that runs everything.
  private static func tiny(_ assignments: String...) throws -> NestedSeg {
    let base = [
      "seeds=1", "steps=2", "batch=2", "patch=8", "train=3", "tests=2", "interval=1", "features=2,3",
    ]
    return try NestedSeg(applying: base + assignments)
  }

  private static let losses: [(NestedSeg.Kind, String)] = [
    (.multi, "regions"), (.multi, "squares"), (.softmax, "regions"),
  ]

  private static func numbers(_ count: Int, seed: UInt64) -> [Double] {
    (0..<count).map { 4 * Double(RandomKey(seed: seed).uniform(at: $0)) - 2 }
  }

  // MARK: Objective

  @Test func `Losses are their definitions`() throws {
    let labels: [UInt8] = [0, 1, 1, 2, 2, 1, 0, 0]
    let y = Tensor(labels, shape: [1, 2, 2, 2])
    func region(_ k: Int) -> [Double] { labels.map { $0 >= k ? 1 : 0 } }
    func dice(_ p: [Double], _ t: [Double]) -> Double {
      let common = zip(p, t).map { $0 * $1 }.reduce(0, +)
      let total = p.reduce(0, +) + t.reduce(0, +)
      return 1 - (2 * common + 1) / (total + 1)
    }
    func mean(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
    func value(_ kind: NestedSeg.Kind, _ x: [Double], _ channels: Int, _ loss: String) throws -> Double {
      let given = Tensor(x, shape: [1, channels, 2, 2, 2])
      return referenceValues(of: [try Self.tiny("h=3", "loss=\(loss)").objective(kind, given, labels: y)])[0]
        .doubles()[0]
    }
    let x = Self.numbers(8, seed: 1)
    var (sum, f) = (0.0, [Double](repeating: 0, count: 8))
    for k in 1...3 {
      let threshold = Double(k) - 0.5
      let p = x.map { x -> Double in 1 / (1 + exp(-3 * (x - threshold))) }
      let entropies = zip(p, region(k)).map { p, t -> Double in t > 0 ? -log(p) : -log(1 - p) }
      sum += (dice(p, region(k)) + mean(entropies)) / 3
      f = zip(f, p).map { $0 + $1 }
    }
    // Sums of a few terms in float64.
    let multi = try value(.multi, x, 1, "regions")
    #expect(abs(multi - sum) < 1e-13)
    let squares = zip(f, labels).map { f, label -> Double in (f - Double(label)) * (f - Double(label)) }
    let squared = try value(.multi, x, 1, "squares")
    #expect(abs(squared - mean(squares)) < 1e-13)

    let logits = Self.numbers(32, seed: 2)
    let powers = (0..<4).map { k in (0..<8).map { exp(logits[k * 8 + $0]) } }
    func probability(_ k: Int, _ place: Int) -> Double {
      powers[k][place] / powers.map { $0[place] }.reduce(0, +)
    }
    let likelihoods = labels.enumerated().map { place, label in -log(probability(Int(label), place)) }
    let overlaps = (1...3).map { k in
      dice((0..<8).map { probability(k, $0) }, labels.map { $0 == k ? 1 : 0 })
    }
    let softmax = try value(.softmax, logits, 4, "regions")
    #expect(abs(softmax - mean(overlaps) - mean(likelihoods)) < 1e-13)
  }

  @Test(arguments: losses.indices)
  func `Gradients of losses agree with central differences`(index: Int) throws {
    let (kind, loss) = Self.losses[index]
    let shape: Shape = kind == .multi ? [2, 1, 1, 2, 3] : [2, 4, 1, 2, 3]
    let x = Tensor.input(0, Signature(shape, .float64))
    let labels = Tensor([0, 1, 2, 3, 3, 2, 0, 0, 0, 1, 1, 2] as [UInt8], shape: [2, 1, 2, 3])
    let value = try Self.tiny("loss=\(loss)").objective(kind, x, labels: labels)
    let start = Self.numbers(shape.count, seed: 3)
    func evaluate(_ tensor: Tensor, _ numbers: [Double]) -> [Double] {
      referenceValues(of: [tensor], feeding: [x.node: HostArray(numbers, shape: shape)])[0].doubles()
    }
    let found = evaluate(gradients(of: value, withRespectTo: [x])[0], start)
    let step = 1e-5
    for place in start.indices {
      let ends = [step, -step].map { step in
        var moved = start
        moved[place] += step
        return evaluate(value, moved)[0]
      }
      // In float64 a central difference is off by about 1e-10 of the third derivative, up to 6^3, and 1e-11 by rounding.
      #expect(abs(found[place] - (ends[0] - ends[1]) / (2 * step)) < 1e-7, "element \(place)")
    }
    #expect(found.contains { abs($0) > 1e-3 })
  }

  @Test(arguments: NestedSeg.Kind.allCases)
  func `The gradient of the whole model agrees with central differences`(kind: NestedSeg.Kind) throws {
    let recipe = try Self.tiny()
    let f = recipe.network(kind, channels: 2, key: RandomKey(seed: 4))
    let x = Tensor(Self.numbers(128, seed: 5).map { Float($0) }, shape: [1, 2, 4, 4, 4])
    let labels = Tensor((0..<64).map { UInt8(min($0 % 4, $0 / 16)) }, shape: [1, 4, 4, 4])
    let loss = recipe.objective(kind, f(x, key: Tensor(RandomKey(seed: 6))), labels: labels)
    let theta = f.trainableParameters
    let start = theta.enumerated().map { index, parameter in
      zip(
        referenceValues(of: [parameter.initial])[0].doubles(),
        Self.numbers(parameter.shape.count, seed: UInt64(index))
      )
      .map { $0 + 0.05 * $1 }
    }
    func evaluate(_ tensors: [Tensor], _ values: [[Double]]) -> [[Double]] {
      let fed = zip(theta, values).map { ($0.tensor.node, HostArray($1, shape: $0.shape)) }
      return referenceValues(of: tensors, feeding: Dictionary(uniqueKeysWithValues: fed)).map { $0.doubles() }
    }
    let slopes = evaluate(gradients(of: loss, withRespectTo: theta.map(\.tensor)), start)
    // Along directions in which all weights move; that each array's gradient is right, tests of the network say.
    let step = 1e-6
    for number in 0..<3 {
      let directions = theta.indices.map { Self.numbers(start[$0].count, seed: UInt64(100 * number + $0)) }
      let ends = [step, -step].map { step in
        let moved = zip(start, directions).map { zip($0, $1).map { $0 + step * $1 } }
        return evaluate([loss], moved)[0][0]
      }
      let found = zip(slopes.joined(), directions.joined()).reduce(0) { $0 + $1.0 * $1.1 }
      // In float64 a central difference is off by 1e-12 of a third derivative of up to 1e4, and 1e-10 by rounding.
      #expect(abs(found - (ends[0] - ends[1]) / (2 * step)) < 1e-7, "direction \(number)")
    }
    #expect(slopes.joined().contains { abs($0) > 0.01 })
  }

  // MARK: Training

  /// The losses of `count` steps on one batch.
  private static func trained(_ name: String, _ kind: NestedSeg.Kind, steps count: Int) throws -> [Double] {
    let recipe = try tiny("learningRate=0.01", "dropout=0.1")
    let executor = try PlanExecutor(device(name))
    var generator = NestedEllipsoids()
    generator.extent = 8
    let volumes = (0..<2).map { generator.volume(key: RandomKey(seed: 20 + $0)) }
    let inputs = recipe.patches(volumes, rows: [0, 1], key: RandomKey(seed: 7))
    let f = recipe.network(kind, channels: 4, key: RandomKey(seed: 8))
    let step = try recipe.step(f, kind, channels: 4, executor)
    return try (0..<count).map { try step.run(inputs + [HostArray([UInt32($0), 9])])[0].doubles()[0] }
  }

  @Test(arguments: softwareDevices)
  func `Two steps agree with those of the processor`(name: String) throws {
    let expected = try Self.trained("cpu", .multi, steps: 3)
    let found = try Self.trained(name, .multi, steps: 3)
    // Float32 sums of up to 1,024 terms in another order through a dozen layers, then twice through Adam, whose first
    // steps are signs of gradients: gradients next to 0 may move their weight by 0.01 the other way.
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-4 * abs(b), "\(a), on cpu \(b)") }
    #expect(Set(found).count == 3)
  }

  @Test(arguments: NestedSeg.Kind.allCases)
  func `A network learns a batch by heart`(kind: NestedSeg.Kind) throws {
    let losses = try Self.trained("cpu", kind, steps: 120)
    #expect(losses[119] < 0.6 * losses[0], "\(losses[0]) to \(losses[119])")
  }

  @Test func `Everything runs, no voxel breaks the nesting, and pictures are drawn`() throws {
    let folder = try TemporaryFolder()
    let output = try RunFolder(folder.path + "/run")
    let record = try Self.tiny("seeds=2").run(RunContext(device: Self.device("cpu"), output: output))
    #expect(record.losses.count == 8 && record.losses.allSatisfy(\.isFinite))
    for claim in NestedSeg.claims {
      if case .notMeasured(let missing) = claim.finding(on: record.metrics).verdict {
        Issue.record("\(missing)")
      }
    }
    #expect(record.metrics["violations.multi"] == 0)
    #expect(record.metrics["peaks.softmax"].map { $0 > 0 } == true)
    #expect(record.metrics["difference.core.within"] != nil)
    let difference = try #require(record.metrics["difference.whole"])
    let pair = try NestedSeg.Kind.allCases.map { try #require(record.metrics["dice.\($0).whole"]) }
    #expect(abs(difference - pair[0] + pair[1]) < 1e-12)
    #expect(try folder.text(of: "run/metrics.jsonl").split(separator: "\n").count == 8)
    for name in ["dice", "differences", "slice-0-multi", "slice-1-softmax"] {
      #expect(try folder.text(of: "run/\(name).svg").contains("</svg>"))
    }
  }

  @Test func `The same seed gives the same bits, another seed others`() throws {
    func run(_ seed: UInt64) throws -> RunRecord {
      try Self.tiny().run(RunContext(device: Self.device("cpu"), seed: seed))
    }
    let (first, again) = (try run(5), try run(5))
    #expect(first.losses == again.losses && first.metrics == again.metrics)
    #expect(try run(6).losses != first.losses)
  }

  // MARK: Files

  /// Four volumes of 5 x 9 x 11 voxels with three channels and the labels of BraTS.
  private static func write(to folder: borrowing TemporaryFolder) throws {
    for part in ["imagesTr", "labelsTr"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(part)", withIntermediateDirectories: true)
    }
    let count = 5 * 9 * 11
    for number in 0..<4 {
      let image = (0..<3 * count).map { Float(RandomKey(seed: UInt64(number)).uniform(at: $0)) }
      // Along each row the regions are 7, 5 and 3 voxels wide.
      let labels = (0..<count).map { place -> UInt8 in [4, 4, 1, 2, 0, 0][abs(place % 11 - 5)] }
      try NIfTIFile.write(
        HostArray(image, shape: [3, 5, 9, 11]), to: "\(folder.path)/imagesTr/case\(number).nii.gz")
      try NIfTIFile.write(
        HostArray(labels, shape: [5, 9, 11]),
        to: "\(folder.path)/labelsTr/case\(number).nii")
    }
  }

  private static func context(_ folder: borrowing TemporaryFolder, output: RunFolder? = nil) throws
    -> RunContext
  {
    RunContext(device: try device("cpu"), dataFolder: URL(fileURLWithPath: folder.path), output: output)
  }

  @Test func `Files of any extents are trained on, and predictions have their extents and their labels`()
    throws
  {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    let output = try RunFolder(folder.path + "/run")
    // The product of strides, 2, divides neither the patches nor the volumes.
    let record = try Self.tiny("patch=7", "labels=2,1,4").run(Self.context(folder, output: output))
    #expect(record.losses.count == 4 && record.losses.allSatisfy(\.isFinite))
    #expect(record.metrics["files.dice.multi.whole"] != nil && record.metrics["dice.multi.whole"] == nil)
    #expect(record.metrics["files.violations.multi"] == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: output.path).filter {
      $0.hasSuffix(".nii.gz")
    }
    #expect(names.count == 2)
    for name in names {
      let labels = try NIfTIFile.read("\(output.path)/\(name)")
      #expect(labels.shape == [5, 9, 11])
      #expect(Set(labels.elements(as: Int32.self)).isSubset(of: [0, 1, 2, 4]))
    }
  }

  @Test func `A label that is no class, and channels that differ, are named with their file`() throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    func message() -> String {
      do {
        _ = try Self.tiny().run(Self.context(folder))
        return "no error"
      } catch {
        return "\(error)"
      }
    }
    #expect(message().contains("labelsTr/case0.nii") && message().contains("found 4.0"))
    try NIfTIFile.write(HostArray(zeros: [2, 5, 9, 11]), to: "\(folder.path)/imagesTr/case1.nii.gz")
    try NIfTIFile.write(HostArray(zeros: [5, 9, 11]), to: "\(folder.path)/labelsTr/case0.nii")
    try NIfTIFile.write(HostArray(zeros: [5, 9, 11]), to: "\(folder.path)/labelsTr/case1.nii")
    #expect(message().contains("imagesTr/case1.nii.gz") && message().contains("expected 3 channels"))
  }

  // MARK: Settings

  @Test(arguments: [
    ("seeds=0", "seeds"), ("steps=0", "steps"), ("batch=0", "batch"), ("patch=0", "patch"),
    ("train=0", "train"),
    ("tests=0", "tests"), ("interval=0", "interval"), ("h=0", "h"), ("learningRate=-1", "learningRate"),
    ("dropout=1", "dropout"), ("features=8", "features"), ("features=8,0", "features"), ("loss=dice", "loss"),
    ("networks=multi,single", "networks"), ("labels=1,2", "labels"), ("labels=1,2,2", "labels"),
    ("labels=0,1,2", "labels"),
  ])
  func `A setting that cannot be is named, before anything runs`(assignment: String, name: String) throws {
    let error = #expect(throws: ExperimentError.self) {
      try Self.tiny(assignment).run(RunContext(device: NamedDevice("none")))
    }
    guard case .settingRejected(name, owner: "nested-seg", _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}
