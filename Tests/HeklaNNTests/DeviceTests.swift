import HeklaArrays
import HeklaNN
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

/// Losses and measures of this module in one step on every device against the references.
@Suite struct DeviceTests {
  static func results() -> [(String, Tensor)] {
    func random(_ shape: Shape, _ seed: UInt64) -> Tensor {
      Tensor(numbers(shape.count, seed: seed).map { Float($0 * 2) }, shape: shape)
    }
    /// The loss and its gradient, as one row.
    func withGradient(_ x: Tensor, _ loss: (Tensor) -> Tensor) -> Tensor {
      let value = loss(x)
      let slope = gradients(of: value, withRespectTo: [x])[0]
      return .concatenating([value.reshaped(to: [1]), slope.reshaped(to: [-1])], along: 0)
    }
    let (x, y) = (random([6, 5], 1), random([6, 5], 2))
    let targets = y.sigmoid()
    let scores = x.reshaped(to: [30]).rounded()
    return [
      ("jensen-shannon", withGradient(x) { jensenShannonDivergence($0.softmax(), targets) }),
      ("entropy", withGradient(x) { entropy(logits: $0) }),
      ("normal divergence", withGradient(x) { normalDivergence(mean: $0, logVariance: y) }),
      ("likelihood", withGradient(x) { normalNegativeLogLikelihood(of: y, mean: x, logVariance: $0) }),
      ("dice", withGradient(x) { diceLoss(probabilities: $0.sigmoid(), targets: targets, along: [1]) }),
      (
        "weighted binary",
        withGradient(x) { binaryCrossEntropy(logits: $0, targets: targets, positiveWeight: .full([], 3)) }
      ),
      ("relative error", withGradient(x) { relativeError($0, y) }),
      ("area under the curve", areaUnderCurve(scores: scores, labels: y.reshaped(to: [30]) .> 0)),
      ("rank correlation", rankCorrelation(x, y, along: 0)),
      ("standardized", withGradient(x) { ($0.standardized(along: [0]) * y).sum() }),
    ]
  }

  /// Every cell, with lengths, from the end, from a state that is given, and in groups of steps; each with the
  /// gradients of its input and weights. Made anew for each device, since parameters live on one.
  static func recurrences() -> [(String, [Tensor])] {
    let key = RandomKey(seed: 3)
    let x = Tensor(numbers(5 * 3 * 4, seed: 8).map { Float($0) }, shape: [5, 3, 4])
    let start = Tensor(numbers(3 * 6, seed: 9).map { Float($0) }, shape: [3, 6])
    func results<Cell: RecurrentCell>(
      _ cell: Cell, reversed: Bool = false, lengths: Tensor? = nil, state: [Tensor]? = nil,
      keeping memory: FoldMemory = .products
    ) -> [Tensor] {
      let (outputs, last) = Recurrent(cell, reversed: reversed)(
        x, state: state, lengths: lengths, keeping: memory)
      let loss = outputs.squared().mean() + last.map { $0.mean() }.reduce(.zeros([]), +)
      let weights = cell.parameters().map(\.parameter.tensor)
      return [outputs] + last + gradients(of: loss, withRespectTo: [x] + weights)
    }
    return [
      ("elman", results(ElmanCell(inputs: 4, width: 6, key: key), state: [start])),
      ("gru", results(GRUCell(inputs: 4, width: 6, key: key), lengths: Tensor([5, 0, 3] as [Int32]))),
      (
        "lstm",
        results(
          LSTMCell(inputs: 4, width: 6, key: key), reversed: true, state: [start, start * 0.5],
          keeping: .every(2))
      ),
    ]
  }

  @Test(arguments: TestDevice.present)
  func `recurrent layers and their gradients agree with the references`(device: TestDevice) throws {
    try device.run { executor in
      for (name, results) in Self.recurrences() {
        let got = try executor.values(of: results)
        for (number, (got, wanted)) in zip(got, referenceValues(of: results)).enumerated() {
          // Numbers of size up to 3 through five steps that contract, functions exact to 70 units of 2^-23.
          let difference = disagreement(got, wanted, within: 1e-4)
          #expect(difference == nil, "\(device.name) \(name) \(number): \(difference ?? "")")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `losses, measures and their gradients agree with the references`(device: TestDevice) throws {
    let results = Self.results()
    let wanted = referenceValues(of: results.map(\.1))
    try device.run { executor in
      let got = try executor.values(of: results.map(\.1))
      for (index, (name, _)) in results.enumerated() {
        // Numbers of size up to 10 after at most some 40 roundings and functions exact to some units in the last
        // place.
        let difference = disagreement(got[index], wanted[index], within: 5e-5)
        #expect(difference == nil, "\(device.name) \(name): \(difference ?? "")")
      }
    }
  }

  /// Bar distributions, Gaussian processes and a step of Hamiltonian chains, with gradients. Made anew for each device,
  /// since the chains' position lives on one.
  static func distributions() -> [(String, [Tensor])] {
    func random(_ shape: Shape, _ seed: UInt64) -> Tensor {
      Tensor(numbers(shape.count, seed: seed).map { Float($0) }, shape: shape)
    }
    let bars = BarDistribution(borders: [-1.5, -0.5, 0.1, 0.4, 1, 1.5])
    let (logits, places) = (random([7, 5], 11), random([7], 12) * 2)
    let loss = bars.negativeLogDensity(logits: logits, at: places)
    let key = RandomKey(seed: 4)
    // Noise of 1 / 4 on six rows: matrices of condition 25 at most.
    let (x, l, y) = (random([2, 6, 1], 13), Tensor.full([2, 1, 1], 0.5), random([2, 6], 14))
    let process = GaussianProcess(squaredExponentialOf: x, lengthScale: l, noise: 0.25)
    let isObserved = Tensor([true, false, true, true, false, true])
    let (masked, first) = (
      process.prediction(from: y, where: isObserved), process.prediction(fromFirst: y.sliced(0..<4, along: 1))
    )
    let likelihoods = [
      process.logMarginalLikelihood(of: y), process.logMarginalLikelihood(of: y, where: isObserved),
    ]
    let chains = HamiltonianMonteCarlo(from: random([5, 2], 15), stepSize: 0.9, leapfrogs: 3) { q in
      q.squared().sum(along: -1) + q.sliced(0..<1, along: 1).cos().squeezed([1])
    }
    let next = chains.next(key: Tensor(key))
    return [
      ("bars", [loss, gradients(of: loss.sum(), withRespectTo: [logits])[0]]),
      (
        "what bars come to",
        [
          bars.mean(logits: logits), bars.cumulativeProbability(logits: logits, at: places),
          bars.quantile(logits: logits, 0.025),
        ]
      ),
      ("samples of a process", [process.sample(key: key)]),
      ("predictions", [masked.mean, masked.variance, first.mean, first.variance]),
      ("likelihoods", likelihoods + likelihoods.flatMap { gradients(of: $0.sum(), withRespectTo: [l]) }),
      ("chains", [next.position, next.isAccepted]),
    ]
  }

  @Test(arguments: TestDevice.present)
  func `distributions, processes and chains agree with the references`(device: TestDevice) throws {
    try device.run { executor in
      let results = Self.distributions()
      let got = try executor.values(of: results.flatMap(\.1))
      let wanted = referenceValues(of: results.flatMap(\.1))
      let names = results.flatMap { name, tensors in tensors.indices.map { "\(name) \($0)" } }
      for (name, (got, wanted)) in zip(names, zip(got, wanted)) {
        // Numbers of size up to 10: functions exact to 70 units of 2^-23, and solutions that lose the condition of 25
        // times some ten roundings.
        let difference = disagreement(got, wanted, within: 2e-4)
        #expect(difference == nil, "\(device.name) \(name): \(difference ?? "")")
      }
    }
  }
}
