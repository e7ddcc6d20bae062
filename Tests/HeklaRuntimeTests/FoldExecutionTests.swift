import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct FoldExecutionTests {
  /// A gated recurrence with a counter among its states, weights, a bias, and an output of every step.
  private static func outputs(count: Int, batch: Int, width: Int, reversed: Bool, keeping memory: FoldMemory)
    -> [Tensor]
  {
    let key = RandomKey(seed: 5)
    func random(_ shape: Shape, _ name: String) -> Tensor {
      .uniform(shape, key: key.folded(in: name), from: -0.5, to: 0.5)
    }
    let (start, x) = (random([batch, width], "start"), random([count, batch, width], "x"))
    let (w, b) = (random([width, 2 * width], "w"), random([2 * width], "b"))
    let (state, all) = fold([start, .zeros([], .int32)], over: [x], reversed: reversed, keeping: memory) {
      state, element in
      let gates = state[0].matrixProduct(w) + b
      let z = gates.sliced(0..<width, along: 1).sigmoid()
      let h = z * state[0] + (1 - z) * (gates.sliced(width..<2 * width, along: 1) + element[0]).tanh()
      return ([h, state[1] + 1], [h.squared(), state[1]])
    }
    let loss = state[0].sum() + all[0].sum()
    let slopes = gradients(of: loss, withRespectTo: [start, x, w, b])
    // All in -1...1 or so, so that one absolute bound serves.
    return [state[0], state[1], all[0], all[1]] + slopes.map { $0 * (1 / Double(count * batch)) }
  }

  struct Example: Sendable {
    var count = 1
    var batch = 2
    var width = 3
    var memory = FoldMemory.products
  }

  static let examples = [
    Example(), Example(count: 5, batch: 3, width: 5), Example(count: 4, batch: 16, width: 4, memory: .states),
    Example(count: 7, batch: 2, width: 3, memory: .every(3)),
  ]

  @Test(arguments: TestDevice.present, examples)
  func `all devices give the values of the reference, whatever passes run`(
    device: TestDevice, example: Example
  ) throws {
    let reversed = example.count % 2 == 1
    let outputs = Self.outputs(
      count: example.count, batch: example.batch, width: example.width, reversed: reversed,
      keeping: example.memory)
    let wanted = referenceValues(of: outputs)
    try device.run { executor in
      // Each pass off costs shader devices new kernels.
      let variations = device.isHost ? CompilerOptions.variations : [CompilerOptions.variations[0]]
      for (name, options) in variations {
        let step = try executor.compile(StepDescription(outputs: outputs), options: options)
        var first: [HostArray]?
        for _ in 0..<3 {
          try step.poison()
          let results = try step.run()
          #expect(results == first ?? results, "\(name)")
          first = results
        }
        for (number, (got, want)) in zip(first ?? [], wanted).enumerated() {
          // A step adds up to 70 units of 2^-23 by tanh and sigmoid. The gates' mean keeps the state's part below 1,
          // and weights of at most 1/2, which are of both signs, hardly enlarge an error: ten times the sum over
          // seven steps forth and back is 7e-4 of the largest slopes, which are divided by the number of elements.
          let difference = disagreement(got, want, within: 2e-4)
          #expect(difference == nil, "\(name), output \(number): \(difference ?? "")")
        }
      }
    }
  }

  /// Folds and checkpoints within a fold, which take in what moves in the loop around them.
  private static func nested() -> [Tensor] {
    let key = RandomKey(seed: 15)
    let (start, w) = (
      Tensor.uniform([2, 3], key: key.folded(in: 0), from: -0.5, to: 0.5),
      Tensor.uniform([3, 3], key: key.folded(in: 1), from: -0.5, to: 0.5)
    )
    let (x, y) = (
      Tensor.uniform([3, 2, 3], key: key.folded(in: 2)), Tensor.uniform([3, 4, 3], key: key.folded(in: 3))
    )
    let (state, outputs) = fold([start], over: [x, y], reversed: true) { state, element in
      let (inner, steps) = fold([state[0], .zeros([], .int32)], over: [element[1]]) { inner, row in
        ([(inner[0].matrixProduct(w) + element[0] * row[0]).tanh(), inner[1] + 1], [inner[0].sum()])
      }
      let mixed = checkpointed([inner[0], element[0]]) { [($0[0].matrixProduct(w) * $0[1]).tanh()] }[0]
      return ([mixed + state[0] * 0.5], [steps[0], inner[1].converted(to: .float32).expanded(at: 0)])
    }
    let loss = state[0].squared().sum() + outputs[0].sum() * 0.1
    return state + outputs + gradients(of: loss, withRespectTo: [start, w, x, y])
  }

  @Test(arguments: TestDevice.present)
  func `folds and checkpoints within a fold give the values of the reference`(device: TestDevice) throws {
    let outputs = Self.nested()
    let wanted = referenceValues(of: outputs)
    try device.run { executor in
      for (name, options) in device.isHost ? CompilerOptions.variations : [CompilerOptions.variations[0]] {
        let step = try executor.compile(StepDescription(outputs: outputs), options: options)
        for _ in 0..<2 {
          try step.poison()
          for (number, (got, want)) in zip(try step.run(), wanted).enumerated() {
            let difference = disagreement(got, want, within: 1e-4)
            #expect(difference == nil, "\(name), output \(number): \(difference ?? "")")
          }
        }
      }
      var guarded = CompilerOptions()
      guarded.guardsMemory = true
      let step = try executor.compile(StepDescription(outputs: outputs), options: guarded)
      _ = try step.run()
      #expect(try step.brokenGuards() == [])
    }
  }

  @Test(arguments: TestDevice.present)
  func `a step trains through a fold`(device: TestDevice) throws {
    try device.run { executor in
      let w = Parameter(.full([4, 4], 0.1))
      let x = Tensor.uniform([6, 2, 4], key: RandomKey(seed: 1))
      let step = try executor.compile(inputs: []) { _ in
        let (state, _) = fold([.zeros([2, 4])], over: [x]) { state, element in
          ([(state[0].matrixProduct(w.tensor) + element[0]).tanh()], [])
        }
        let loss = (state[0] - 0.25).squared().mean()
        let slope = gradients(of: loss, withRespectTo: [w.tensor])[0]
        return StepDescription(outputs: [loss], assignments: [w.assigning(w.tensor - slope)])
      }
      let losses = try (0..<50).map { _ in try step.run()[0].doubles()[0] }
      #expect(losses[49] < 0.25 * losses[0], "\(losses[0]) to \(losses[49])")
      withExtendedLifetime(w) {}
    }
  }

  @Test(arguments: TestDevice.present)
  func `a parameter that a fold starts from is not updated before the fold has read it`(device: TestDevice)
    throws
  {
    try device.run { executor in
      let h = Parameter(.full([64], 1))
      let (state, _) = fold([h.tensor * 1.0, h.tensor], count: 3) { state, _ in
        ([state[0].tanh().sum().broadcast(to: [64]), state[1] + state[0] * 0], [])
      }
      let step = try executor.compile(
        StepDescription(outputs: [state[1]], assignments: [h.assigning(h.tensor * 0.5)]))
      for wanted in [1, 0.5, 0.25] {
        #expect(try step.run()[0].doubles().allSatisfy { $0 == wanted })
      }
      withExtendedLifetime(h) {}
    }
  }

  @Test func `the plan does not grow with the number of steps, its memory as what is kept says`() throws {
    func plan(_ count: Int, _ memory: FoldMemory) throws -> Plan {
      let (start, w) = (Tensor.input(0, Signature([64, 64])), Tensor.input(1, Signature([64, 64])))
      let (state, _) = fold([start], count: count, keeping: memory) { state, _ in
        ([(state[0].matrixProduct(w).tanh() + state[0]).sigmoid().matrixProduct(w)], [])
      }
      let slopes = gradients(of: state[0].sum(), withRespectTo: [start, w])
      return try Compiler.plan(slopes, inputs: [start.signature, w.signature])
    }
    let (short, long) = (try plan(16, .products), try plan(64, .products))
    #expect(short.steps.count == long.steps.count)
    let sizes = try [FoldMemory.products, .states, .every(8)].map {
      try plan(64, $0).arenaByteCounts.reduce(0, +)
    }
    #expect(sizes[1] < sizes[0] && sizes[2] < sizes[1], "\(sizes)")
  }

  @Test func `what a body makes is not known outside of it`() throws {
    var inside: Tensor?
    _ = fold([.zeros([2])], over: [.ones([3, 2])]) { state, element in
      inside = state[0] + element[0]
      return ([state[0]], [])
    }
    let leaked = try #require(inside)
    #expect(throws: DeviceError.self) { try Compiler.plan([leaked * 2], inputs: []) }
  }

  @Test func `results that an operation has besides its first are told apart without sharing`() throws {
    var options = CompilerOptions()
    options.sharesSubexpressions = false
    let x = Tensor.uniform([4, 3, 6], key: RandomKey(seed: 3))
    let (state, outputs) = fold([.zeros([3, 2])], over: [x]) { state, rows in
      let (largest, places) = rows[0].topK(2)
      return ([state[0] + largest], [places, places.map { $0 + 1 }, places])
    }
    let results = [state[0]] + outputs + gradients(of: state[0].squared().sum(), withRespectTo: [x])
    let (found, expected) = try TestDevice.cpu.run {
      (try $0.values(of: results, options: options), try $0.values(of: results))
    }
    #expect(found == expected)
  }

  @Test func `the plan shows what is repeated, and where values move`() throws {
    let x = Tensor.input(0, Signature([5, 128]))
    let (state, outputs) = fold([.zeros([128])], over: [x]) { state, element in
      let next = state[0] * 0.5 + element[0]
      return ([next], [next.sum()])
    }
    let plan = try Compiler.plan([state[0], outputs[0].copied], inputs: [Signature([5, 128])])
    let text = """
      step  kernel          variant  groups  reads                                          writes
      0     map             loop     1x1x1                                                  v0@a0+3584
            repeat 5 times
      1       map           loop     1x1x1   v5@a0+2560[(t-1)%2, or a0+3584 at 0] v6@i0[t]  v7@a0+2560[(t)%2, or a0+4096 at 4]
      2       sum           loop     1x1x1   v7@a0+2560[(t)%2, or a0+4096 at 4]             v8@a0+0[t]
      3     map             loop     1x1x1   v4@a0+0                                        v9@a0+2560
      4 steps, 4608 bytes in 1 arena, 0 parameters
      """
    #expect("\(plan)" == text)
  }

  @Test(arguments: TestDevice.present)
  func `checkpoints give the same gradients in less memory`(device: TestDevice) throws {
    let (x, w) = (
      Tensor.uniform([64, 16], key: RandomKey(seed: 1)), Tensor.uniform([16, 16], key: RandomKey(seed: 2))
    )
    func step(_ executor: PlanExecutor, _ checkpoints: Bool) throws -> CompiledStep {
      func block(_ x: Tensor) -> Tensor { (0..<4).reduce(x) { x, _ in (x.matrixProduct(w) * 0.2).tanh() } }
      let y = (0..<4).reduce(x) { x, _ in checkpoints ? checkpointed([x]) { [block($0[0])] }[0] : block(x) }
      return try executor.compile(StepDescription(outputs: gradients(of: y.sum(), withRespectTo: [w])))
    }
    try device.run { executor in
      let (plain, kept) = (try step(executor, false), try step(executor, true))
      let y = (0..<4).reduce(x) { x, _ in (0..<4).reduce(x) { x, _ in (x.matrixProduct(w) * 0.2).tanh() } }
      let wanted = referenceValues(of: gradients(of: y.sum(), withRespectTo: [w]))[0]
      let largest = wanted.doubles().map { abs($0) }.max() ?? 0
      // 16 layers, each within some 70 half-units of what it passes on: 2e-4 of the largest element.
      for step in [plain, kept] {
        let difference = disagreement(try step.run()[0], wanted, within: 2e-4 * largest)
        #expect(difference == nil, "\(difference ?? "")")
      }
      #expect(kept.plan.workingByteCount < plain.plan.workingByteCount)
    }
  }
}
