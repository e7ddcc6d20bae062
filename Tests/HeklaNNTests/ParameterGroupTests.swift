import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct ParameterGroupTests {
  @Test func `Each group moves by its own rule, and only when it is given gradients`() {
    let (a, b) = (Parameter(.ones([2])), Parameter(.ones([3])))
    let fast = SGD(for: [a], learningRate: 0.5)
    let slow = SGD(for: [b], learningRate: 0.1, momentum: 0.9)
    let groups = ParameterGroups([fast, slow])
    #expect(groups.parameters == [a, b])
    #expect(groups.stateParameters == fast.stateParameters + slow.stateParameters)
    let gradients = [Tensor.full([3], 2), Tensor.full([2], 4)]
    let mask = Tensor([1, 0, 1] as [Float])
    var step = ReferenceStep()
    step.run(groups.assignments(for: [b, a], gradients: gradients, masks: [b: mask]))
    #expect(step.values(of: a) == [-1, -1])
    #expect(agree(step.values(of: b), [0.8, 0, 0.8], within: 1e-7))
    step.run(groups.assignments(for: [a], gradients: [.full([2], 2)]))
    #expect(step.values(of: a) == [-2, -2])
    #expect(
      step.values(of: fast.stateParameters[0]) == [2] && step.values(of: slow.stateParameters[0]) == [1])
  }

  @Test func `A snapshot keeps the best weights and gives them back`() {
    let weight = Parameter(.zeros([2]))
    let snapshot = ParameterSnapshot(of: [weight])
    let isBetter = Tensor.input(0, Signature([], .bool))
    var step = ReferenceStep()
    for (number, better) in [false, true, true, false].enumerated() {
      step.assign(HostArray([Double(number + 1), 0]), to: weight)
      step.run(
        snapshot.capturing(where: isBetter), feeding: [isBetter.node: HostArray([better], shape: [])])
    }
    #expect(step.values(of: snapshot.copies[0].parameter) == [3, 0])
    step.run(snapshot.restoring())
    #expect(step.values(of: weight) == [3, 0])
    step.assign(HostArray([9.0, 9]), to: weight)
    step.run(snapshot.capturing())
    #expect(step.values(of: snapshot.stateParameters[0]) == [9, 9])
  }

  @Test func `Weights decay to their anchors`() {
    let anchor = [0.3, -0.2, 1, 0, 0.5, -1]
    // An anchor that single precision holds only roughly would differ from the doubles beside it.
    let rounded = anchor.map { Double(Float($0)) }
    OptimizerTests.expectSame(
      OptimizerTests.trajectory { parameters in
        AdamW(
          for: parameters, learningRate: 0.01, weightDecay: 0.2,
          anchors: [parameters[0]: Tensor(anchor.map(Float.init), shape: [2, 3])])
      },
      {
        var index = 0
        return OptimizerTests.expected { w, g, kept, step in
          w -= OptimizerTests.adam(0.01, g, &kept, step) + 0.01 * 0.2 * (w - rounded[index % 6])
          index += 1
        }
      }(), "anchors")
  }

  @Test func `AMSGrad divides by the largest mean square so far`() {
    var largest = [Double](repeating: 0, count: 6)
    var index = 0
    OptimizerTests.expectSame(
      OptimizerTests.trajectory { Adam(for: $0, learningRate: 0.05, isAMSGrad: true) },
      OptimizerTests.expected { w, g, kept, step in
        kept.0 = 0.9 * kept.0 + (1 - 0.9) * g
        kept.1 = 0.999 * kept.1 + (1 - 0.999) * g * g
        largest[index % 6] = max(largest[index % 6], kept.1)
        let square = largest[index % 6] / (1 - pow(0.999, step))
        w -= 0.05 * kept.0 / (1 - pow(0.9, step)) / (square.squareRoot() + 1e-8)
        index += 1
      }, "AMSGrad")
    let optimizer = Adam(for: [Parameter(.zeros([2]))], learningRate: 0.1, beta2: 0.5, isAMSGrad: true)
    let gradient = Tensor.input(0, Signature([2]))
    let assignments = optimizer.assignments(for: optimizer.parameters, gradients: [gradient])
    var step = ReferenceStep()
    for scale in [4.0, 0.0, 0] { step.run(assignments, feeding: [gradient.node: HostArray([scale, scale])]) }
    // The mean square has fallen to a quarter of its largest value, 8.
    #expect(step.values(of: optimizer.stateParameters[2]) == [2, 2])
    #expect(step.values(of: optimizer.stateParameters[3]) == [8, 8])
  }
}
