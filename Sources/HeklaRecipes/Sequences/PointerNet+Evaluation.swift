import Hekla
import HeklaExperiments

extension PointerNet {
  /// C as beam search finds it among sequences that can be answers.
  func decoded(
    _ f: Network, _ problem: PlanarProblem, _ given: PlanarExamples, _ executor: PlanExecutor
  ) throws -> [[Int]] {
    let (n, count, rows) = (given.x.shape[0], given.lengths.count, given.lengths.count * beam)
    let (x, lengths) = (Tensor(given.x), Tensor(given.lengths))
    // What was encoded, and the states of all beams, stay on the device.
    let (e, d) = f.encoded(x, lengths)
    let values = e + d.map { $0.broadcast(to: [beam, count, h]).reshaped(to: [rows, h]) }
    let kept = values.map { Parameter(.zeros($0.shape)) }
    let (memory, state) = (kept.prefix(e.count).map(\.tensor), kept.suffix(d.count))
    _ = try executor.compile(StepDescription(assignments: zip(kept, values).map { $0.assigning($1) })).run()
    let inputs = [Signature([rows], .int32), Signature([beam, count], .int32)]
    let advance = try executor.compile(inputs: inputs) { last in
      let read = f.inputs(after: last[1], of: x).reshaped(to: [rows, 2])
      let d = f.decoder.cell(read, state: state.map { $0.tensor.gathered(at: last[0]) })
      let logits = f.logits(d[0].reshaped(to: [beam, count, h]), memory, lengths)
      return StepDescription(
        outputs: [logits.logSoftmax()], assignments: zip(state, d).map { $0.assigning($1) })
    }
    let search = BeamSearch(width: beam, end: problem == .shortestTour ? nil : 0)
    return try search.sequences(count: count, length: problem.longestAnswer(for: n)) { chosen, position in
      problem.allows(position, after: chosen)
    } advance: { parents, positions in
      let last = HostArray(positions.map(Int32.init), shape: [beam, count])
      return try advance.run([HostArray(parents.map(Int32.init)), last])[0].elements(as: Float.self)
    }
  }

  /// What the network makes of other examples; the first of each size is drawn.
  func judged(
    _ f: Network, _ kind: Kind, _ key: RandomKey, _ executor: PlanExecutor, _ output: RunFolder?
  ) throws -> Metrics {
    var metrics = kind == .hull ? try Self.exactness(f, executor) : Metrics()
    for n in kind.sizes.tested {
      let given = PlanarExamples(kind.problem, count: tests, sizes: n...n, key: key.folded(in: UInt64(n)))
      let found = try decoded(f, kind.problem, given, executor)
      let scores = zip(given.points, zip(found, given.answers)).map { points, c in
        kind.problem.scores(of: c.0, truth: c.1, for: points).map { ("\(kind).\($0.rawValue).\(n)", $1) }
      }
      metrics.add(Metrics(meanOf: scores.map { Metrics(Dictionary(uniqueKeysWithValues: $0)) }))
      let panels = [("truth", given.answers[0]), ("\(kind)", found[0])].map { name, c in
        PlanePicture.Panel(
          name, points: given.points[0].points, polygons: kind.problem.polygons(of: c, for: given.points[0]))
      }
      try output?.write(PlanePicture(panels).svg, to: "\(kind)-\(n).svg")
    }
    return metrics
  }

  /// How far probabilities are from a sum of 1 at most, the greatest at padding, and how far those of a batch of
  /// mixed lengths are from those of each example alone.
  static func exactness(_ f: Network, _ executor: PlanExecutor) throws -> Metrics {
    let points = [5, 8, 12].map { PlanarPoints(uniform: $0, key: RandomKey(seed: UInt64($0))) }
    func p(_ points: [PlanarPoints], _ n: Int) -> Tensor {
      let x = PlanarExamples(.convexHull, points, size: n).arrays.map { Tensor($0) }
      return f(x[0], x[1], x[2]).softmax()
    }
    let mixed = p(points, 12), m = points.map { $0.count + 1 }
    func part(_ b: Int, _ places: Range<Int>, steps: Int) -> Tensor {
      mixed.sliced(starts: [0, b, places.lowerBound], extents: [steps, 1, places.count])
    }
    let padding = [0, 1].map { part($0, m[$0]..<13, steps: 13).maximum() }
    let differences = points.enumerated().map { b, alone in
      (part(b, 0..<m[b], steps: m[b]) - p([alone], alone.count)).absolute().maximum()
    }
    let greatest = [[(mixed.sum(along: 2) - 1).absolute()], padding, differences].map {
      Tensor.stacking($0, along: 0).maximum()
    }
    let found = try executor.values(of: greatest).map { $0.doubles()[0] }
    return ["exact.sum": found[0], "exact.padding": found[1], "exact.mixed": found[2]]
  }
}
