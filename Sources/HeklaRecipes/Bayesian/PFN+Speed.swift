import Foundation
import Hekla
import HeklaExperiments

extension PFN {
  /// What MLE-II by 100 steps of Adam and HMC with 200 samples find for `count` data sets at once.
  private struct Fit {
    let executor: PlanExecutor
    let count, n, rows: Int
    let x, y, logL: Parameter
    let adam: Adam
    let chains: HamiltonianMonteCarlo
    let ascent, judge, move: CompiledStep

    init(_ s: PFN, count: Int, on executor: PlanExecutor) throws {
      let (n, rows) = (s.slowContext, s.rows)
      let (x, y) = (Parameter(.zeros([count, rows, 1])), Parameter(.zeros([count, rows])))
      @Sendable func process(_ x: Tensor, _ logL: Tensor) -> GaussianProcess {
        GaussianProcess(squaredExponentialOf: x, lengthScale: logL.exp().expanded(at: -1), noise: PFN.noise)
      }
      @Sendable func loss(_ logL: Tensor) -> Tensor {
        -process(x.tensor.sliced(0..<n, along: 1), logL)
          .logMarginalLikelihood(of: y.tensor.sliced(0..<n, along: 1))
      }
      func judged(_ logL: Tensor) -> Tensor {
        process(x.tensor, logL).prediction(fromFirst: y.tensor.sliced(0..<n, along: 1))
          .negativeLogDensity(at: y.tensor).sliced(n..<rows, along: 1)
      }
      let start = Tensor.full([count, 1], log(PFN.l)), logL = Parameter(start)
      let adam = Adam(for: [logL], learningRate: 0.05)
      ascent = try executor.compile(
        StepDescription(assignments: adam.assignments(minimizing: loss(logL.tensor).sum())))
      judge = try executor.compile(StepDescription(outputs: [judged(logL.tensor)]))
      let chains = HamiltonianMonteCarlo(from: start, stepSize: 0.1, leapfrogs: 10) { q in
        // The prior of log l: Gamma(2, scale 0.1) times dl / dlog l.
        loss(q) - q.map { 2 * $0 - 10 * .exp($0) }.squeezed([-1])
      }
      move = try executor.compile(inputs: [Signature([2], .uint32)]) { key in
        let next = chains.next(key: key[0])
        return StepDescription(
          outputs: [judged(next.position), next.isAccepted.converted(to: .float32).mean()],
          assignments: [chains.position.assigning(next.position)])
      }
      (self.executor, self.count, self.n, self.rows) = (executor, count, n, rows)
      (self.x, self.y, self.logL, self.adam, self.chains) = (x, y, logL, adam, chains)
    }

    /// Takes the data sets from `first` on.
    func take(_ data: (x: [Float], y: [Float]), from first: Int) throws {
      let place = first * rows..<(first + count) * rows
      try executor.assign(HostArray(Array(data.x[place]), shape: [count, rows, 1]), to: x)
      try executor.assign(HostArray(Array(data.y[place]), shape: [count, rows]), to: y)
    }

    /// -log p(y) of the queries at the l of greatest marginal likelihood.
    func mle() throws -> [Double] {
      try executor.reset([logL] + adam.stateParameters)
      for _ in 0..<100 { try ascent.submit() }
      return try judge.run()[0].doubles()
    }

    /// -log p(y) of the queries on average over samples of l, and the share of moves that were accepted.
    func hmc(key: RandomKey) throws -> (losses: [Double], accepted: Double) {
      let (samples, burnIn) = (200, 50)
      try executor.reset([chains.position])
      var (density, accepted) = ([Double](repeating: 0, count: count * (rows - n)), 0.0)
      for number in 0..<samples {
        let results = try move.run([HostArray(key.folded(in: UInt64(number)))]).map { $0.doubles() }
        accepted += results[1][0] / Double(samples)
        guard number >= burnIn else { continue }
        for (place, value) in results[0].enumerated() { density[place] += exp(-value) }
      }
      return (density.map { -log($0 / Double(samples - burnIn)) }, accepted)
    }
  }

  /// Of B: the mean of -log p(y) over queries of the PFN and of MLE-II on all data sets, of these and HMC on the
  /// first few, and their seconds a data set on these.
  ///
  /// The PFN does the few at once, the others one after another, and for comparison all at once too. Each does
  /// everything once before it is timed.
  func speed(_ q: Network, _ bars: BarDistribution, key: RandomKey, on executor: PlanExecutor) throws
    -> Metrics
  {
    let (n, few, drawn) = (slowContext, slowTasks, mix.sample(tasks, Tensor(key)))
    let data = try executor.values(of: [drawn.x, drawn.y])
    let arrays: (x: [Float], y: [Float]) = (data[0].elements(), data[1].elements())
    let isContext = Self.context(n, of: rows)
    func forward(_ count: Int) throws -> CompiledStep {
      let (x, y) = (Tensor(data[0]).sliced(0..<count, along: 0), Tensor(data[1]).sliced(0..<count, along: 0))
      let logits = q(x, y, isContext: isContext, from: n)
      return try executor.compile(
        StepDescription(outputs: [Self.negativeLogDensity(logits, y.sliced(n..<rows, along: 1), bars)]))
    }

    var metrics = Metrics()
    func record(_ name: String, _ losses: [Double]) {
      metrics["b.nll.\(name)"] = losses.reduce(0, +) / Double(losses.count)
    }
    record("pfn", try forward(tasks).run()[0].doubles())
    let all = try Fit(self, count: tasks, on: executor)
    try all.take(arrays, from: 0)
    record("mle", try all.mle())

    func measure(_ name: String, times: Int, _ losses: () throws -> [Double]) throws {
      let start = ContinuousClock.now
      var values: [Double] = []
      for _ in 0..<times { values = try losses() }
      metrics["b.seconds.\(name)"] = (ContinuousClock.now - start) / .seconds(1) / Double(times * few)
      record("few.\(name)", values)
    }
    let quick = try forward(few)
    _ = try quick.run()
    try measure("pfn", times: 20) { try quick.run()[0].doubles() }
    for (suffix, count) in [("", 1), (".together", few)] {
      let fit = try Fit(self, count: count, on: executor)
      func each(_ losses: (Int) throws -> [Double]) throws -> [Double] {
        try stride(from: 0, to: few, by: count).flatMap { first in
          try fit.take(arrays, from: first)
          return try losses(first)
        }
      }
      try fit.take(arrays, from: 0)
      _ = (try fit.mle(), try fit.hmc(key: key))
      try measure("mle" + suffix, times: 1) { try each { _ in try fit.mle() } }
      var accepted = 0.0
      try measure("hmc" + suffix, times: 1) {
        try each { first in
          let result = try fit.hmc(key: key.folded(in: UInt64(first)))
          accepted += result.accepted * Double(count) / Double(few)
          return result.losses
        }
      }
      metrics["b.accepted.hmc" + suffix] = accepted
    }
    return metrics
  }
}
