import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct OptimizerTests {
  static let start = numbers(6, seed: 1)

  /// Gradients that change from step to step and depend on the weights, as a loss's do.
  static func gradient(_ weights: [Double], _ step: Int) -> [Double] {
    weights.indices.map { weights[$0] * Double($0 + 1) + cos(Double(step * 7 + $0)) }
  }

  /// The weights after each of eight steps of `make`'s optimizer, computed by the reference.
  static func trajectory(
    masking: [Double]? = nil, _ make: ([Parameter]) -> any Optimizer
  ) -> [[Double]] {
    let weight = Parameter(.zeros([2, 3]))
    let gradient = Tensor.input(0, Signature([2, 3]))
    let mask = Tensor.input(1, Signature([2, 3]))
    let optimizer = make([weight])
    let assignments = optimizer.assignments(
      for: [weight], gradients: [gradient], masks: masking == nil ? [:] : [weight: mask])
    var step = ReferenceStep()
    step.assign(HostArray(start, shape: [2, 3]), to: weight)
    return (1...8).map { number in
      var feeds = [
        gradient.node: HostArray(Self.gradient(step.values(of: weight), number), shape: [2, 3])
      ]
      if let masking { feeds[mask.node] = HostArray(masking, shape: [2, 3]) }
      step.run(assignments, feeding: feeds)
      return step.values(of: weight)
    }
  }

  /// The same by plain loops: `update` gets the weight, its gradient, what is kept of it, and the number of
  /// the step.
  static func expected(
    _ update: (_ weight: inout Double, _ gradient: Double, _ kept: inout (Double, Double), _ step: Double) ->
      Void
  ) -> [[Double]] {
    var weights = start
    var kept = [(Double, Double)](repeating: (0, 0), count: weights.count)
    return (1...8).map { step in
      let gradients = gradient(weights, step)
      for index in weights.indices { update(&weights[index], gradients[index], &kept[index], Double(step)) }
      return weights
    }
  }

  // The reference computes in float64; the differences are roundings of numbers of size 1 over eight steps.
  static let tolerance = 1e-12

  static func expectSame(_ found: [[Double]], _ expected: [[Double]], _ comment: Comment) {
    #expect(agree(found.flatMap { $0 }, expected.flatMap { $0 }, within: tolerance), comment)
  }

  @Test func `SGD follows its formulas, plain, with momentum, and with Nesterov's`() {
    Self.expectSame(
      Self.trajectory { SGD(for: $0, learningRate: 0.1) },
      Self.expected { w, g, _, _ in w -= 0.1 * g }, "plain")
    Self.expectSame(
      Self.trajectory { SGD(for: $0, learningRate: 0.1, weightDecay: 0.03) },
      Self.expected { w, g, _, _ in w -= 0.1 * (g + 0.03 * w) }, "decay")
    Self.expectSame(
      Self.trajectory { SGD(for: $0, learningRate: 0.05, momentum: 0.9, weightDecay: 0.02) },
      Self.expected { w, g, kept, _ in
        kept.0 = 0.9 * kept.0 + g + 0.02 * w
        w -= 0.05 * kept.0
      }, "momentum")
    Self.expectSame(
      Self.trajectory {
        SGD(for: $0, learningRate: 0.05, momentum: 0.9, isNesterov: true, weightDecay: 0.02)
      },
      Self.expected { w, g, kept, _ in
        let g = g + 0.02 * w
        kept.0 = 0.9 * kept.0 + g
        w -= 0.05 * (g + 0.9 * kept.0)
      }, "Nesterov")
  }

  /// Algorithm 1 of the paper, line by line.
  static func adam(_ rate: Double, _ g: Double, _ kept: inout (Double, Double), _ step: Double) -> Double {
    kept.0 = 0.9 * kept.0 + (1 - 0.9) * g
    kept.1 = 0.999 * kept.1 + (1 - 0.999) * g * g
    let mean = kept.0 / (1 - pow(0.9, step))
    let square = kept.1 / (1 - pow(0.999, step))
    return rate * mean / (square.squareRoot() + 1e-8)
  }

  @Test func `Adam follows the paper's algorithm`() {
    Self.expectSame(
      Self.trajectory { Adam(for: $0, learningRate: 0.01) },
      Self.expected { w, g, kept, step in w -= Self.adam(0.01, g, &kept, step) }, "plain")
    Self.expectSame(
      Self.trajectory { Adam(for: $0, learningRate: 0.01, weightDecay: 0.1) },
      Self.expected { w, g, kept, step in w -= Self.adam(0.01, g + 0.1 * w, &kept, step) }, "decay")
    Self.expectSame(
      Self.trajectory { Adam(for: $0, learningRate: 0.01, beta1: 0, beta2: 0) },
      Self.expected { w, g, _, _ in w -= 0.01 * g / (abs(g) + 1e-8) }, "without memory")
  }

  @Test func `AdamW decays weights beside the gradient, and spares those exempt`() {
    Self.expectSame(
      Self.trajectory { AdamW(for: $0, learningRate: 0.01, weightDecay: 0.2) },
      Self.expected { w, g, kept, step in w -= Self.adam(0.01, g, &kept, step) + 0.01 * 0.2 * w }, "decay")
    Self.expectSame(
      Self.trajectory { AdamW(for: $0, learningRate: 0.01, weightDecay: 0.2, exempt: Set($0)) },
      Self.expected { w, g, kept, step in w -= Self.adam(0.01, g, &kept, step) }, "exempt")
  }

  @Test func `A schedule sees the steps that were made`() {
    Self.expectSame(
      Self.trajectory { Adam(for: $0, learningRate: .stepped(from: 0.5, by: 0.5, every: 2)) },
      Self.expected { w, g, kept, step in
        w -= Self.adam(0.5 * pow(0.5, ((step - 1) / 2).rounded(.down)), g, &kept, step)
      }, "stepped")
  }

  static let optimizers: [@Sendable ([Parameter]) -> any Optimizer] = [
    { SGD(for: $0, learningRate: 0.1) },
    { SGD(for: $0, learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 0.1) },
    { Adam(for: $0, learningRate: 0.1, weightDecay: 0.1) },
    { AdamW(for: $0, learningRate: 0.1) },
  ]

  @Test(arguments: 0..<4) func `A masked weight is exactly 0, and the others move as without a mask`(
    _ index: Int
  ) {
    let mask = [1.0, 0, 1, 0, 0, 1]
    let free = Self.trajectory(Self.optimizers[index])
    let masked = Self.trajectory(masking: mask, Self.optimizers[index])
    for (free, masked) in zip(free, masked) {
      for position in mask.indices where mask[position] == 1 { #expect(masked[position] == free[position]) }
      for position in mask.indices where mask[position] == 0 {
        #expect(masked[position].bitPattern == 0.0.bitPattern)
      }
    }
  }

  @Test(arguments: 1..<4) func `A mask set later also empties the memory of the weight`(_ index: Int) {
    let weight = Parameter(.ones([3]))
    let mask = State(.full([3], 1, .bool))
    let gradient = Tensor.input(0, Signature([3]))
    let optimizer = Self.optimizers[index]([weight])
    let assignments = optimizer.assignments(
      for: [weight], gradients: [gradient], masks: [weight: mask.tensor])
    var step = ReferenceStep()
    let finite = [gradient.node: HostArray([1.0, -2, 3])]
    step.run(assignments, feeding: finite)
    #expect(optimizer.stateParameters.dropFirst().allSatisfy { !step.values(of: $0).contains(0) })
    step.assign(HostArray([true, false, true]), to: mask.parameter)
    // Not even a gradient that is not a number comes through.
    step.run(assignments, feeding: [gradient.node: HostArray([1.0, .nan, 3])])
    for parameter in [weight] + optimizer.stateParameters.dropFirst() {
      let held = step.values(of: parameter)
      #expect(held[1].bitPattern == 0.0.bitPattern)
      #expect(held[0] != 0 && held[2] != 0)
    }
  }

  @Test func `Resetting takes weights and memory back to their start`() {
    let weight = Parameter(Tensor(Self.start.map(Float.init)))
    let gradient = Tensor.input(0, Signature([6]))
    let optimizer = Adam(for: [weight], learningRate: 0.1)
    let assignments = optimizer.assignments(for: [weight], gradients: [gradient])
    var step = ReferenceStep()
    func run() -> [Double] {
      for _ in 0..<3 {
        step.run(assignments, feeding: [gradient.node: HostArray(Self.gradient(Self.start, 1))])
      }
      return step.values(of: weight)
    }
    let first = run()
    #expect(step.values(of: optimizer.stateParameters[0]) == [3])
    step.run(([weight] + optimizer.stateParameters).resetting())
    #expect(optimizer.stateParameters.allSatisfy { Set(step.values(of: $0)) == [0] })
    #expect(run() == first)
  }

  @Test func `Minimizing a loss takes it down`() {
    let layer = Linear(inputs: 2, outputs: 1, key: RandomKey(seed: 1))
    let (x, y) = (constant(numbers(20, seed: 2), [10, 2]), constant(numbers(10, seed: 3), [10, 1]))
    let loss = meanSquaredError(layer(x.converted(to: .float32)), y.converted(to: .float32))
    let optimizer = Adam(for: layer.trainableParameters, learningRate: 0.05)
    let assignments = optimizer.assignments(minimizing: loss)
    #expect(optimizer.parameters == [layer.weight, layer.bias])
    var step = ReferenceStep()
    let before = values(loss)[0]
    for _ in 0..<100 { step.run(assignments) }
    let feeds = Dictionary(
      uniqueKeysWithValues: optimizer.parameters.map { ($0.tensor.node, step.held[$0]!) })
    #expect(values(loss, feeding: feeds)[0] < before / 2)
  }

  @Test func `Parameters of half precision are trained in single precision and rounded`() {
    let weight = Parameter(.zeros([2], .bfloat16))
    let optimizer = Adam(for: [weight], learningRate: 0.1)
    let assignments = optimizer.assignments(for: [weight], gradients: [.ones([2], .bfloat16)])
    #expect(assignments.map(\.value.elementType) == [.int32, .float32, .float32, .bfloat16])
    let double = Parameter(.zeros([2], .float64))
    #expect(
      SGD(for: [double], learningRate: 0.1, momentum: 0.5)
        .assignments(for: [double], gradients: [.ones([2], .float64)]).map(\.value.elementType)
        == [.int32, .float64, .float64])
  }

  @Test func `Clipping by the global norm scales all gradients by one factor`() {
    let gradients = [constant([3, 0], [2]), constant([0, 4], [2, 1])]
    #expect(values(gradients.globalNorm) == [5])
    #expect(gradients.clipped(toGlobalNorm: 5).map { values($0) } == [[3, 0], [0, 4]])
    let clipped = gradients.clipped(toGlobalNorm: 2.5).map { values($0) }
    #expect(clipped == [[1.5, 0], [0, 2]])
    #expect([constant([0, 0], [2])].clipped(toGlobalNorm: 1).map { values($0) } == [[0, 0]])
  }

  @Test func `Clipping by value holds each element in the range`() {
    #expect([constant([-3, 0.5, 2], [3])].clipped(to: -1...1).map { values($0) } == [[-1, 0.5, 1]])
  }
}
