import Hekla
import HeklaExperiments

/// Segments regions that lie inside of each other by one number per voxel, so that no prediction breaks their order.
///
/// A 3-D residual U-net gives x, [B, 1, D, H, W]. Its activation f(x) = sum_{k=1..C} sigmoid(h (x - t_k)), t_k = k - 1/2,
/// has plateaus at 0...C: the label is round(f). P(class >= k) = sigmoid(h (x - t_k)), [B, C, D, H, W], falls with k.
/// Loss: the mean over k of cross-entropy and soft Dice between P(class >= k) and region k (whole, core, active), or the
/// squared distance of f(x) to the label. Baseline: the same trunk from the same first weights, softmax over C+1 classes,
/// [B, C+1, D, H, W], with cross-entropy and soft Dice of classes 1...C.
///
/// Departures: volumes of 32^3 with deformed ellipsoids in place of BraTS; 8-16-32 features in place of 16-32-64-128;
/// 300 steps; the loss, the thresholds and the steepness, which the abstract does not give, are chosen here. With a data
/// folder patches are drawn from its files, and volumes are predicted patch by patch, padded and cropped: see
/// `VolumeFolder`.
struct NestedSeg: Experiment {
  static let paper = Paper(
    "Hierarchical multi-class segmentation of glioma images using networks with multi-level activation function",
    by: "Hu, Li, Zhao, Dong, Menze and Piraud", year: 2018, id: "arXiv:1810.09488")

  var networks = ["multi", "softmax"]
  var seeds = 3, steps = 300, batch = 4, patch = 32, interval = 100
  var train = 120, tests = 40
  var features = [8, 16, 32]
  var h = 6.0, loss = "regions"
  var dropout = 0.3, learningRate = 1e-3
  var labels = [1, 2, 3]

  static let settingNotes = [
    "networks": "multi is the multi-level one, softmax the baseline",
    "seeds": "pairs of trainings on the same data", "steps": "of each training", "batch": "patches in a step",
    "patch": "voxels along each axis of a patch, and of generated volumes",
    "interval": "steps between two looks at the test volumes", "train": "volumes generated to train on",
    "tests": "volumes generated to judge by", "features": "at each level of the network, from the top",
    "h": "the steepness of the activation", "loss": "regions, or squares for the squared distance of f(x)",
    "dropout": "inside of context blocks", "learningRate": "Adam's step size",
    "labels": "what files call whole without core, core without active, and active; BraTS has 2,1,4",
  ]

  static let claims = [
    Claim("the regions are found", source: "abstract: 0.86, 0.72 and 0.77 on BraTS 2018") {
      $0["dice.multi.whole"] >= 0.85 && $0["dice.multi.core"] >= 0.75 && $0["dice.multi.active"] >= 0.65
    },
    Claim(
      "the order of classes helps to find the innermost", source: "abstract: 0.69 to 0.72 for one region",
      failure:
        "0.719 beside 0.748, worse in each of three pairs; on other data 0.717 beside 0.739 in one pair after 400 steps, "
        + "0.704 with h = 3; worse by 0.037 after 120 steps at 3e-3 with h = 12; the paper's size was not tried"
    ) { $0["difference.active"] >= 0 },
    Claim(
      "and does no harm to the outermost", source: "abstract",
      failure: "0.868 beside 0.885, worse by 0.012 to 0.02 in each pair, and by 0.013 on the other data"
    ) { $0["difference.whole"] >= -0.01 },
    Claim("no voxel breaks the nesting", source: "section 2") { $0["violations.multi"] == 0 },
  ]

  // MARK: - Data

  static let regionNames = ["whole", "core", "active"], classCount = regionNames.count

  /// Volumes to train on and to judge by, the same for all seeds.
  func volumes(_ context: RunContext) throws -> [[LabeledVolume]] {
    try Self.requirePositive([
      "seeds": seeds, "steps": steps, "batch": batch, "interval": interval, "train": train, "tests": tests,
      "patch": patch,
    ])
    try Self.requirePositive(["h": h, "learningRate": learningRate])
    guard (0..<1).contains(dropout) else { throw Self.rejected("dropout", dropout, "it is in 0..<1") }
    guard features.count > 1, features.allSatisfy({ $0 > 0 }) else {
      throw Self.rejected("features", features, "there are two levels or more, with a feature each at least")
    }
    guard ["regions", "squares"].contains(loss) else {
      throw Self.rejected("loss", loss, "it is regions or squares")
    }
    guard Set(labels).count == Self.classCount, labels.count == Self.classCount, !labels.contains(0) else {
      throw Self.rejected("labels", labels, "there are \(Self.classCount) different numbers other than 0")
    }
    let key = context.key.folded(in: "data")
    guard let folder = context.dataFolder else {
      var generator = NestedEllipsoids()
      generator.extent = patch
      return [("train", train), ("tests", tests)].map { name, count in
        (0..<count).map { generator.volume(key: key.folded(in: name).folded(in: UInt64($0))) }
      }
    }
    let all = try VolumeFolder.load(from: folder.path, labelValues: labels)
    let held = max(1, all.count / 4)
    return try DataSplit.rows(of: all.count, counts: [max(1, all.count - held), held], key: key).map { rows in
      rows.map { all[$0] }
    }
  }

  /// A step's patches, x [B, channels, D, H, W] and uint8 labels [B, D, H, W]; every other one has a region in its
  /// middle where volumes are larger than patches.
  func patches(_ volumes: [LabeledVolume], rows: [Int], key: RandomKey) -> [HostArray] {
    let extents = [patch, patch, patch]
    return LabeledVolume.stacked(
      rows.enumerated().map { number, row in
        volumes[row].randomPatch(extents, aroundRegion: number % 2 == 0, key: key.folded(in: UInt64(number)))
      })
  }

  // MARK: - Model

  enum Kind: String, CaseIterable { case multi, softmax }

  func network(_ kind: Kind, channels: Int, key: RandomKey) -> ResidualUNet {
    ResidualUNet(
      channels: channels, features: features, outputs: kind == .multi ? 1 : Self.classCount + 1, axes: 3,
      dropout: dropout, key: key)
  }

  var f: MultiLevelActivation { MultiLevelActivation(classCount: Self.classCount, steepness: h) }

  /// P(class >= k), k = 1...C, or the probabilities of classes 0...C; along axis 1.
  func probabilities(_ kind: Kind, _ x: Tensor) -> Tensor {
    kind == .multi ? f.logits(x).sigmoid() : x.softmax(along: 1)
  }

  // MARK: - Objective

  /// The loss of outputs x, [B, ..., D, H, W], for labels, uint8 [B, D, H, W].
  func objective(_ kind: Kind, _ x: Tensor, labels: Tensor) -> Tensor {
    let y = labels.converted(to: .int32).expanded(at: 1), space = [2, 3, 4]
    let shape = Shape([x.shape[0], Self.classCount] + x.shape.extents.dropFirst(2))
    func indicator(_ body: (Scalar, Scalar) -> Scalar) -> Tensor {
      y.broadcast(to: shape).map { body($0, .coordinate(1) + .constant(1, .int32)) }.converted(
        to: x.elementType)
    }
    switch kind {
    case .multi where loss == "squares": return meanSquaredError(f(x), y.converted(to: x.elementType))
    case .multi:
      let (z, region) = (f.logits(x), indicator { $0 .>= $1 })
      return binaryCrossEntropy(logits: z, targets: region)
        + diceLoss(probabilities: z.sigmoid(), targets: region, along: space)
    case .softmax:
      let (logP, isClass) = (x.logSoftmax(along: 1), indicator { $0 .== $1 })
      let (background, classes) = (
        logP.sliced(0..<1, along: 1), logP.sliced(1..<Self.classCount + 1, along: 1)
      )
      let likelihood = (isClass * (classes - background)).sum(along: 1, keepingAxes: true) + background
      return diceLoss(probabilities: classes.exp(), targets: isClass, along: space) - likelihood.mean()
    }
  }

  // MARK: - Training

  /// A step on patches under a key, which decides what is dropped: the loss, and weights moved against its gradient.
  func step(_ network: ResidualUNet, _ kind: Kind, channels: Int, _ on: PlanExecutor) throws -> CompiledStep {
    let adam = Adam(for: network.trainableParameters, learningRate: learningRate)
    let extents = [patch, patch, patch]
    return try on.compile(inputs: [
      .init(Shape([batch, channels] + extents)), .init(Shape([batch] + extents), .uint8), .init([2], .uint32),
    ]) { inputs in
      let loss = objective(kind, network(inputs[0], key: inputs[2]), labels: inputs[1])
      return StepDescription(outputs: [loss], assignments: adam.assignments(minimizing: loss))
    }
  }

  func run(_ context: RunContext) throws -> RunRecord {
    let kinds = Kind.allCases.filter { networks.contains($0.rawValue) }
    guard !kinds.isEmpty, networks.allSatisfy({ Kind(rawValue: $0) != nil }) else {
      throw Self.rejected("networks", networks, "there are multi and softmax")
    }
    let (volumes, executor) = (try volumes(context), try context.makeExecutor())
    let (training, judging, channels) = (volumes[0], volumes[1], volumes[0][0].channelCount)
    let count = max(1, context.limits.stepCount(steps, stepsPerEpoch: max(1, training.count / batch)))
    let prefix = context.dataFolder == nil ? "" : "files."
    var (losses, runs) = ([Double](), [Metrics](repeating: Metrics(), count: seeds))
    for seed in 0..<seeds {
      let key = context.key.folded(in: "seed").folded(in: UInt64(seed))
      for kind in kinds {
        let network = network(kind, channels: channels, key: key.folded(in: "weights"))
        let step = try step(network, kind, channels: channels, executor)
        let judge = try executor.compile(inputs: [.init(Shape([1, channels, patch, patch, patch]))]) {
          inputs in
          StepDescription(outputs: [probabilities(kind, network(inputs[0]))])
        }
        let order = BatchOrder(
          count: training.count, batchSize: batch, key: key.folded(in: "batches"), remainder: .wrap)
        let progress = context.progress("nested-seg \(kind) \(seed)", total: count)
        for number in 0..<count {
          let own = key.folded(in: "step").folded(in: UInt64(number))
          let inputs = patches(training, rows: order.indices(step: number), key: own)
          let loss = try step.run(inputs + [HostArray(own)])[0].doubles()[0]
          losses.append(try Self.finite(loss, of: "\(kind) at step \(number)"))
          progress.advance(to: number + 1, loss: loss)
          guard (number + 1) % interval == 0 || number + 1 == count else { continue }
          let isLast = number + 1 == count && seed == 0
          let metrics = try judged(judging, kind, judge, number + 1, into: isLast ? context : nil)
          runs[seed].add(metrics)
          try context.output?.append(step: losses.count, metrics)
        }
        progress.finish()
      }
      for name in Self.regionNames where kinds.count == 2 {
        let pair = Kind.allCases.map { runs[seed]["dice.\($0).\(name)"] ?? .nan }
        runs[seed]["difference.\(name)"] = pair[0] - pair[1]
      }
    }
    var metrics = Metrics(meanOf: runs)
    for name in Self.regionNames {
      let differences = runs.compactMap { $0["difference.\(name)"] }
      metrics["difference.\(name).within"] = PairedDifferences(differences).radius
    }
    if let output = context.output { try draw(runs, count, into: output) }
    let named = metrics.values.map { (prefix + $0.key, $0.value) }
    return try context.record(of: self, losses: losses, metrics: .init(.init(uniqueKeysWithValues: named)))
  }
}
