import HeklaArrays
import HeklaDevices
import HeklaNN
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// Operations that read and write arrays as they lie, in place of permuted copies.
@Suite struct AbsorbedPermutationTests {
  private func plan(_ description: StepDescription, inputs: [Signature]) throws -> Plan {
    try Compiler(capabilities: paperHost, options: CompilerOptions())
      .plan(Computation(description), inputs: inputs)
  }

  /// What an attention of four heads reads, and how a loss changes with its weights and biases, given how much with
  /// that.
  private func step(on x: Tensor, _ upstream: Tensor, groups: Int? = nil, rotary: RotaryPositions? = nil)
    -> StepDescription
  {
    let layer = MultiHeadAttention(width: 32, heads: 4, groups: groups, key: RandomKey(seed: 1))
    let output = layer(x, isCausal: true, rotary: rotary)
    let weights = layer.trainableParameters.map(\.tensor)
    return StepDescription(
      outputs: [output] + gradients(of: output, withRespectTo: weights, upstream: upstream))
  }

  @Test(arguments: [Shape([2, 9, 32]), [9, 32], [2, 3, 9, 32]])
  func `an attention between linear maps copies nothing, forward and back`(shape: Shape) throws {
    let inputs = [Signature](repeating: Signature(shape), count: 2)
    let plan = try plan(step(on: .input(0, inputs[0]), .input(1, inputs[1])), inputs: inputs)
    // Four linear maps with their biases; back, four gradients of weights and that of what the attention read, of
    // biases the sums, and one for delta.
    var counts: [String: Int] = [:]
    for step in plan.steps { counts[step.label, default: 0] += 1 }
    #expect(
      counts == [
        "matrix-product + map": 4, "attention": 1, "attention-gradient": 1, "matrix-product": 5, "sum": 5,
      ], "\(plan)")
  }

  @Test func `permutations in a row become one, or none`() throws {
    let x = Tensor.input(0, Signature([3, 4, 5]))
    let back = (x.permuted([2, 0, 1]).reshaped(to: [5, 1, 3, 4]) + 1).reshaped(to: [5, 3, 4]).permuted([
      1, 2, 0,
    ])
    let none = x.permuted([2, 0, 1]).permuted([1, 2, 0])
    let computation = absorbPermutations(Computation(outputs: [none.node, back.node], assignments: []))
    #expect(computation.outputs[0] === x.node)
    #expect(computation.outputs[1].permutation == [1, 2, 0])
    // What is the argument itself in the end still gets memory of its own.
    let executor = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"))
    let step = try executor.compile(inputs: [Signature([3, 4, 5])]) {
      StepDescription(outputs: [$0[0].permuted([2, 0, 1]).permuted([1, 2, 0])])
    }
    let array = HostArray((0..<60).map(Float.init), shape: [3, 4, 5])
    #expect(try step.run([array]) == [array])
  }

  @Test func `a reshape of the axes in front is seen through, others are not`() throws {
    func source(_ tensor: Tensor) -> [Int]? {
      let computation = Computation(outputs: [tensor.node], assignments: [])
      return absorbPermutations(computation).outputs[0].permutation
    }
    let x = Tensor.input(0, Signature([2, 3, 4, 5]))
    let exchanged = x.permuted([0, 1, 3, 2])
    #expect(source(exchanged.reshaped(to: [6, 5, 4]).permuted([0, 2, 1])) == nil)
    #expect(source(exchanged.reshaped(to: [6, 5, 4]).permuted([1, 0, 2])) == [2, 0, 1])
    #expect(source(exchanged.reshaped(to: [2, 3, 20]).permuted([2, 0, 1])) == [2, 0, 1])
    #expect(source(exchanged.reshaped(to: [2, 3, 2, 10]).permuted([0, 1, 3, 2])) == [0, 1, 3, 2])
  }

  @Test(arguments: TestDevice.present)
  func `attentions on permuted operands agree with the composed form in double precision`(device: TestDevice)
    throws
  {
    // The first has all of them permuted, groups and a mask; the second only some, and another order of the axes.
    func results(_ type: ElementType) -> [Tensor] {
      func numbers(_ shape: Shape, _ seed: UInt64) -> Tensor {
        let key = RandomKey(seed: seed)
        return Tensor(HostArray((0..<shape.count).map { Float(key.uniform(at: $0)) * 2 - 1 }, shape: shape))
          .converted(to: type)
      }
      let (q, k, v) = (numbers([2, 9, 4, 8], 1), numbers([2, 7, 2, 8], 2), numbers([2, 7, 2, 12], 3))
      let mask = numbers([9, 7], 4)
      let all = Tensor.attention(
        queries: q.transposed(1, 2), keys: k.transposed(1, 2), values: v.transposed(1, 2), mask: mask
      ).transposed(1, 2)
      let some = Tensor.attention(
        queries: q.permuted([0, 2, 1, 3]), keys: k.reshaped(to: [2, 2, 7, 8]),
        values: v.permuted([0, 2, 1, 3]))
      let loss = (all * numbers([2, 9, 4, 12], 5)).sum() + some.squared().sum()
      let first = gradients(of: loss, withRespectTo: [q, k, v, mask])
      // A view that the gradient is asked for itself.
      let view = k.transposed(1, 2)
      let read = Tensor.attention(queries: q.transposed(1, 2), keys: view, values: v.transposed(1, 2))
      let slope = gradients(of: read.squared().sum(), withRespectTo: [view])
      let second = gradients(of: first[1].squared().sum(), withRespectTo: [q])
      return [all, some] + first + slope + second
    }
    let wanted = try TestDevice.cpu.executor().values(of: results(.float64))
    let found = try device.run { executor throws in try executor.values(of: results(.float32)) }
    for (index, (got, want)) in zip(found, wanted).enumerated() {
      let size = want.doubles().reduce(1) { max($0, abs($1)) }
      // As in `AttentionTests`; second gradients sum some hundred terms more.
      let problem = disagreement(got, want, within: 32 * 8 * 0x1p-24 * size)
      #expect(problem == nil, "result \(index): \(problem ?? "")")
      #expect(want.doubles().contains { abs($0) > 1e-3 }, "result \(index)")
    }
  }

  @Test func `a layer gives the same with the pass and without, rotated or not`() throws {
    let executor = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"))
    let shape = Shape([2, 9, 32])
    let inputs = [Signature](repeating: Signature(shape), count: 2)
    let arrays = [23, 29].map { period in
      HostArray((0..<shape.count).map { Float($0 % period) / Float(period) - 0.5 }, shape: shape)
    }
    for rotary in [nil, RotaryPositions()] {
      var apart = CompilerOptions()
      apart.fuses = false
      let description = step(on: .input(0, inputs[0]), .input(1, inputs[1]), groups: 2, rotary: rotary)
      let found = try [CompilerOptions(), apart].map { options in
        try executor.compile(description, inputs: inputs, options: options).run(arrays)
      }
      for (one, other) in zip(found[0], found[1]) {
        let size = other.doubles().reduce(1) { max($0, abs($1)) }
        #expect(disagreement(one, other.converted(to: .float64), within: 1e-5 * size) == nil)
      }
    }
  }
}
