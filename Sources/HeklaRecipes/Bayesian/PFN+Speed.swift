import Foundation
import Hekla
import HeklaExperiments

extension PFN {
  /// Of B, over queries: the mean of -log p(y), and seconds a data set, of the PFN, of MLE-II by 100 steps of Adam,
  /// and of HMC with 200 samples. Each does all data sets at once, and everything once before it is timed.
  func speed(_ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor) throws
    -> Metrics
  {
    let (n, tasks, drawn) = (slowContext, slowTasks, mix.sample(slowTasks, Tensor(key)))
    let data = try executor.values(of: [drawn.x, drawn.y]).map { Tensor($0) }
    let (x, y) = (data[0], data[1])
    let context = y.sliced(0..<n, along: 1)
    @Sendable func process(_ x: Tensor, _ logL: Tensor) -> GaussianProcess {
      GaussianProcess(squaredExponentialOf: x, lengthScale: logL.exp().expanded(at: -1), noise: Self.noise)
    }
    @Sendable func loss(_ logL: Tensor) -> Tensor {
      -process(x.sliced(0..<n, along: 1), logL).logMarginalLikelihood(of: context)
    }
    func judged(_ logL: Tensor) -> Tensor {
      process(x, logL).prediction(fromFirst: context).negativeLogDensity(at: y).sliced(n..<rows, along: 1)
    }

    let isContext = Self.context(n, of: rows)
    let logits = q(x, y, isContext: isContext, from: n)
    let forward = try executor.compile(
      StepDescription(outputs: [Self.negativeLogDensity(logits, y.sliced(n..<rows, along: 1), bars)]))

    let start = Tensor.full([tasks, 1], log(Self.l)), logL = Parameter(start)
    let adam = Adam(for: [logL], learningRate: 0.05)
    let ascent = try executor.compile(
      StepDescription(assignments: adam.assignments(minimizing: loss(logL.tensor).sum())))
    let judge = try executor.compile(StepDescription(outputs: [judged(logL.tensor)]))

    let chains = HamiltonianMonteCarlo(from: start, stepSize: 0.1, leapfrogs: 10) { q in
      // The prior of log l: Gamma(2, scale 0.1) times dl / dlog l.
      loss(q) - q.map { 2 * $0 - 10 * .exp($0) }.squeezed([-1])
    }
    let move = try executor.compile(inputs: [Signature([2], .uint32)]) { key in
      let next = chains.next(key: key[0])
      return StepDescription(
        outputs: [judged(next.position), next.isAccepted.converted(to: .float32).mean()],
        assignments: [chains.position.assigning(next.position)])
    }

    var metrics = Metrics()
    func measure(_ name: String, times: Int, _ losses: () throws -> [Double]) throws {
      var values = try losses()
      let start = ContinuousClock.now
      for _ in 0..<times { values = try losses() }
      metrics["b.seconds.\(name)"] = (ContinuousClock.now - start) / .seconds(1) / Double(times * tasks)
      metrics["b.nll.\(name)"] = values.reduce(0, +) / Double(values.count)
    }
    try measure("pfn", times: 20) { try forward.run()[0].doubles() }
    try measure("mle", times: 5) {
      try executor.reset([logL] + adam.stateParameters)
      for _ in 0..<100 { try ascent.submit() }
      return try judge.run()[0].doubles()
    }
    let (samples, burnIn) = (200, 50)
    try measure("hmc", times: 1) {
      try executor.reset([chains.position])
      var (density, accepted) = ([Double](repeating: 0, count: tasks * (rows - n)), 0.0)
      for number in 0..<samples {
        let results = try move.run([HostArray(key.folded(in: UInt64(number)))]).map { $0.doubles() }
        accepted += results[1][0] / Double(samples)
        guard number >= burnIn else { continue }
        for (place, value) in results[0].enumerated() { density[place] += exp(-value) }
      }
      metrics["b.accepted.hmc"] = accepted
      return density.map { -log($0 / Double(samples - burnIn)) }
    }
    return metrics
  }
}
