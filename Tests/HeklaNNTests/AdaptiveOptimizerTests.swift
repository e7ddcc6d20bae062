import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct AdaptiveOptimizerTests {
  @Test func `RMSprop and Adagrad follow their formulas`() {
    OptimizerTests.expectSame(
      OptimizerTests.trajectory { RMSProp(for: $0, learningRate: 0.01, decay: 0.9) },
      OptimizerTests.expected { w, g, kept, _ in
        kept.0 = 0.9 * kept.0 + (1 - 0.9) * g * g
        w -= 0.01 * g / (kept.0.squareRoot() + 1e-8)
      }, "plain")
    OptimizerTests.expectSame(
      OptimizerTests.trajectory { RMSProp(for: $0, learningRate: 0.01, decay: 0.9, momentum: 0.5) },
      OptimizerTests.expected { w, g, kept, _ in
        kept.0 = 0.9 * kept.0 + (1 - 0.9) * g * g
        kept.1 = 0.5 * kept.1 + g / (kept.0.squareRoot() + 1e-8)
        w -= 0.01 * kept.1
      }, "momentum")
    OptimizerTests.expectSame(
      OptimizerTests.trajectory { Adagrad(for: $0, learningRate: 0.1) },
      OptimizerTests.expected { w, g, kept, _ in
        kept.0 += g * g
        w -= 0.1 * g / (kept.0.squareRoot() + 1e-10)
      }, "Adagrad")
  }

  @Test func `LAMB scales Adam's step to the norm of the weights`() {
    let found = OptimizerTests.trajectory { LAMB(for: $0, learningRate: 0.01, weightDecay: 0.1) }
    var weights = OptimizerTests.start
    var (means, squares) = ([Double](repeating: 0, count: 6), [Double](repeating: 0, count: 6))
    let expected = (1...8).map { step -> [Double] in
      let g = OptimizerTests.gradient(weights, step)
      var direction: [Double] = []
      for i in 0..<6 {
        means[i] = 0.9 * means[i] + (1 - 0.9) * g[i]
        squares[i] = 0.999 * squares[i] + (1 - 0.999) * g[i] * g[i]
        let (mean, square) = (
          means[i] / (1 - pow(0.9, Double(step))), squares[i] / (1 - pow(0.999, Double(step)))
        )
        direction.append(mean / (square.squareRoot() + 1e-6) + 0.1 * weights[i])
      }
      func norm(_ x: [Double]) -> Double { x.map { $0 * $0 }.reduce(0, +).squareRoot() }
      let ratio = norm(weights) / norm(direction)
      for i in 0..<6 { weights[i] -= 0.01 * ratio * direction[i] }
      return weights
    }
    OptimizerTests.expectSame(found, expected, "LAMB")
  }

  @Test func `Langevin dynamics sample the distribution whose negative logarithm they descend`() {
    // U = w^2 / 2 in 400 coordinates: a standard normal, for small steps.
    for momentum in [0, 0.8] {
      let weight = Parameter(.zeros([400]))
      let optimizer = LangevinDynamics(
        for: [weight], learningRate: momentum == 0 ? 0.1 : 0.01, momentum: momentum, key: RandomKey(seed: 1))
      let assignments = optimizer.assignments(for: [weight], gradients: [weight.tensor])
      var step = ReferenceStep()
      for _ in 0..<80 { step.run(assignments) }
      let samples = step.values(of: weight)
      // Four standard deviations of a mean and a variance of 400 numbers: 0.2 and 0.28, and 0.05 for the step's bias.
      #expect(abs(samples.reduce(0, +) / 400) < 0.2)
      #expect(abs(samples.map { $0 * $0 }.reduce(0, +) / 400 - 1) < 0.33)
    }
    let still = OptimizerTests.trajectory {
      LangevinDynamics(for: $0, learningRate: 0.1, temperature: 0, key: RandomKey(seed: 1))
    }
    OptimizerTests.expectSame(still, OptimizerTests.expected { w, g, _, _ in w -= 0.05 * g }, "cold")
  }

  @Test func `A moving average follows the weights and changes places with them`() {
    let weight = Parameter(.full([2], 1))
    let average = MovingAverage(of: [weight], decay: 0.75)
    let moved = [weight.assigning(weight.tensor + 4)]
    var step = ReferenceStep()
    step.run(moved + average.updates(after: moved))
    #expect(step.values(of: average.averages[0].parameter) == [2, 2])
    step.run(average.exchanging())
    #expect(step.values(of: weight) == [2, 2] && step.values(of: average.averages[0].parameter) == [5, 5])
    #expect(average.stateParameters == average.averages.map(\.parameter))
  }

  @Test func `Accumulated gradients give their mean once`() {
    let weight = Parameter(.zeros([2]))
    let accumulator = GradientAccumulator(for: [weight])
    let gradient = Tensor.input(0, Signature([2]))
    let adding = accumulator.accumulating([gradient])
    var step = ReferenceStep()
    step.run(adding, feeding: [gradient.node: HostArray([1.0, 2])])
    step.run(adding, feeding: [gradient.node: HostArray([3.0, -2])])
    step.run([weight.assigning(accumulator.means[0])] + accumulator.clearing)
    #expect(step.values(of: weight) == [2, 0])
    step.run([weight.assigning(accumulator.means[0])])
    #expect(step.values(of: weight) == [0, 0])
  }

  @Test func `Noise on gradients has the variance of its step`() {
    let zero = [constant([Double](repeating: 0, count: 1000), [1000])]
    let noisy = zero.addingNoise(
      scale: 0.3, decay: 0.55, step: Tensor(HostArray(scalar: Int32(9))), key: RandomKey(seed: 3))
    let variance = values(noisy[0]).map { $0 * $0 }.reduce(0, +) / 1000
    // Four standard deviations of a variance of 1000 numbers: 0.18 of it.
    #expect(abs(variance / (0.3 * pow(10, -0.55)) - 1) < 0.18)
  }

  @Test func `Cycles of the learning rate turn where they should`() {
    func rates(_ schedule: Schedule, _ steps: [Int32]) -> [Double] {
      steps.map { values(schedule.rate(afterSteps: Tensor(HostArray(scalar: $0))))[0] }
    }
    let one = rates(.oneCycle(peak: 1, over: 100), [0, 15, 30, 65, 100, 200])
    // Single-precision constants.
    #expect(agree(one, [0.04, 0.52, 1, 0.500_002, 4e-6, 4e-6], within: 1e-6))
    let cycle = rates(.cyclical(from: 1, to: 3, halfCycle: 4, factor: 0.5), [0, 2, 4, 6, 8, 12])
    #expect(agree(cycle, [1, 2, 3, 2, 1, 2], within: 1e-6))
    #expect(agree(rates(.cosineRestarts(from: 2, cycle: 10), [0, 5, 10, 15]), [2, 1, 2, 1], within: 1e-6))
  }
}
