import Hekla
import HeklaExperiments

/// What trained networks make of volumes, measured and drawn.
extension NestedSeg {
  /// The labels of a volume, with the number of voxels where P(class >= k) grows with k, and of those where the
  /// probabilities of classes fall and rise again.
  func segmented(
    _ volume: LabeledVolume, _ kind: Kind, _ judge: CompiledStep
  ) throws -> (labels: HostArray, violations: Int, peaks: Int) {
    let grid = PatchGrid(covering: volume.extents, by: [patch, patch, patch])
    let parts = try grid.starts.map { start in
      let inputs = LabeledVolume.stacked([volume.patch(at: start, extents: grid.patch)])
      return try judge.run([inputs[0]])[0].elements(as: Float.self)
    }
    let (p, count) = (grid.joined(parts).elements(as: Float.self), volume.labels.count)
    var (found, violations, peaks) = ([UInt8](repeating: 0, count: count), 0, 0)
    // P(class >= k), k = 0...C+1, and the probabilities of classes, which are its differences.
    var above: [Float] = [1] + [Float](repeating: 0, count: Self.classCount + 1), classes = above.dropLast()
    for place in found.indices {
      if kind == .multi {
        for k in 1...Self.classCount { above[k] = p[(k - 1) * count + place] }
        for k in classes.indices { classes[k] = above[k] - above[k + 1] }
      } else {
        for k in classes.indices { classes[k] = p[k * count + place] }
        for k in (1...Self.classCount).reversed() { above[k] = above[k + 1] + classes[k] }
      }
      var (label, isNested, hasFallen, hasPeaks) = (0, true, false, false)
      for k in 1...Self.classCount {
        if kind == .multi ? above[k] > 0.5 : classes[k] > classes[label] { label = k }
        if above[k + 1] > above[k] { isNested = false }
        // Differences of numbers close to 1 are off by some 1e-7.
        if classes[k] < classes[k - 1] - 1e-6 { hasFallen = true }
        if hasFallen, classes[k] > classes[k - 1] + 1e-6 { hasPeaks = true }
      }
      found[place] = UInt8(label)
      violations += isNested ? 0 : 1
      peaks += hasPeaks ? 1 : 0
    }
    return (HostArray(found, shape: volume.labels.shape), violations, peaks)
  }

  /// Dice of each region, as means over volumes, and what breaks the order; drawn and written for the last.
  func judged(
    _ volumes: [LabeledVolume], _ kind: Kind, _ judge: CompiledStep, _ step: Int, into context: RunContext?
  ) throws -> Metrics {
    var sums: [String: Double] = [:]
    for (number, volume) in volumes.enumerated() {
      let (found, violations, peaks) = try segmented(volume, kind, judge)
      for (name, dice) in zip(Self.regionNames, volume.dice(of: found, classCount: Self.classCount)) {
        sums["dice.\(kind).\(name)", default: 0] += dice / Double(volumes.count)
        sums["dice.\(kind).\(name).\(step)", default: 0] += dice / Double(volumes.count)
      }
      sums["violations.\(kind)", default: 0] += Double(violations)
      sums["peaks.\(kind)", default: 0] += Double(peaks)
      guard let context, let output = context.output else { continue }
      if number < 3 { try draw(volume, found, kind, number, into: output) }
      guard context.dataFolder != nil else { continue }
      let values = found.elements(as: UInt8.self).map { $0 == 0 ? 0 : Int32(labels[Int($0) - 1]) }
      try NIfTIFile.write(
        HostArray(values, shape: found.shape), to: "\(output.path)/\(volume.name)-\(kind).nii.gz")
    }
    return Metrics(sums)
  }

  /// The slice with the most of the innermost region that is there: the third channel, truth beside prediction.
  func draw(
    _ volume: LabeledVolume, _ found: HostArray, _ kind: Kind, _ number: Int, into output: RunFolder
  ) throws {
    let z = volume.fullestSlice
    let grays = volume.slice(z, channel: min(2, volume.channelCount - 1))
    let panels = [("truth", volume.labels), ("\(kind)", found)].map { name, labels in
      SlicePicture.Panel(name, grays: grays, regions: LabeledVolume.slice(z, of: labels))
    }
    let picture = SlicePicture(panels, regionNames: Self.regionNames)
    try output.write(picture.svg, to: "slice-\(number)-\(kind).svg")
  }

  /// Dice against steps, and the differences of pairs.
  func draw(_ runs: [Metrics], _ count: Int, into output: RunFolder) throws {
    let places = Set(stride(from: interval, through: count, by: interval)).union([count]).sorted()
    let curves: [LineChart.Series] = networks.flatMap { kind in
      Self.regionNames.map { name in
        .init("\(kind), \(name)", at: places, of: runs) { "dice.\(kind).\(name).\($0)" }
      }
    }
    try output.write(
      LineChart("Dice of test volumes", x: .init("step"), y: .init("mean Dice"), series: curves),
      named: "dice")
    let pairs: [LineChart.Series] = Self.regionNames.map { name in
      .init(
        name, runs.enumerated().map { .init(x: Double($0), y: $1["difference.\(name)"] ?? .nan) },
        style: .markers)
    }
    try output.write(
      LineChart("Multi-level less softmax", x: .init("seed"), y: .init("difference of Dice"), series: pairs),
      named: "differences")
  }
}
