import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// What is computed again so that less memory is taken at once.
@Suite struct RecomputationTests {
  /// Layers of 256 x 128, whose activations are 128 KiB each, with or without a fold in their middle.
  private struct Network {
    let weights = (0..<6).map {
      Parameter(.uniform([128, 128], key: RandomKey(seed: 7).folded(in: UInt64($0)), from: -0.1, to: 0.1))
    }
    let biases = (0..<6).map { Parameter(.uniform([128], key: RandomKey(seed: 8).folded(in: UInt64($0)))) }
    var folds = false

    /// A step of gradient descent, which changes weights and biases that a repeated launch reads.
    func step() -> StepDescription {
      var x = Tensor.uniform([256, 128], key: RandomKey(seed: 9))
      for (number, (w, b)) in zip(weights, biases).enumerated() {
        if folds, number == 3 {
          let (_, outputs) = fold([.zeros([64, 128])], over: [x.reshaped(to: [4, 64, 128])]) {
            state, element in
            let next = (state[0].matrixProduct(w.tensor) + element[0]).tanh()
            return ([next], [next])
          }
          x = outputs[0].reshaped(to: [256, 128])
        }
        x = (x.matrixProduct(w.tensor) + b.tensor).gelu()
      }
      let loss = x.squared().mean()
      let parameters = weights + biases
      let slopes = gradients(of: loss, withRespectTo: parameters.map(\.tensor))
      return StepDescription(
        outputs: [loss], assignments: zip(parameters, slopes).map { $0.assigning($0.tensor - $1 * 0.1) })
    }
  }

  private static var without: CompilerOptions {
    var options = CompilerOptions()
    options.recomputes = false
    return options
  }

  @Test(arguments: TestDevice.present, [false, true])
  func `a step takes less memory and gives the same bits`(device: TestDevice, folds: Bool) throws {
    try device.run { executor in
      var results: [[HostArray]] = []
      var plans: [Plan] = []
      for options in [CompilerOptions(), Self.without] {
        let network = Network(folds: folds)
        let step = try executor.compile(network.step(), options: options)
        var arrays: [HostArray] = []
        for _ in 0..<3 {
          try step.poison()
          arrays += try step.run()
        }
        arrays += try (network.weights + network.biases).map { try executor.values(of: $0) }
        results.append(arrays)
        plans.append(step.plan)
      }
      #expect(results[0].allSatisfy { array in array.doubles().allSatisfy(\.isFinite) })
      let differing = zip(results[0], results[1]).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
      #expect(differing == [])
      let byteCounts = plans.map { $0.arenaByteCounts.reduce(0, +) }
      // Products are kept, and of what GELU makes of them little more than one layer's. Folds keep their states.
      #expect(Double(byteCounts[0]) < (folds ? 0.9 : 0.8) * Double(byteCounts[1]), "\(byteCounts)")
      #expect(plans[0].steps.count > plans[1].steps.count)
    }
  }

  @Test func `what is small, random or read until the end is kept`() throws {
    func labels(_ outputs: [Tensor], _ options: CompilerOptions) throws -> [String] {
      try Compiler.plan(outputs, inputs: [Signature([256, 128])], options: options).steps.map(\.label)
    }
    let x = Tensor.input(0, Signature([256, 128]))
    let w = Tensor.uniform([128, 128], key: RandomKey(seed: 1))
    let mask = Tensor.uniform([256, 128], key: RandomKey(seed: 2))
    let (small, random) = (x.sliced(0..<64, along: 0).gelu(), x * mask * mask.exp())
    for early in [small, random] {
      var late = early
      for _ in 0..<4 { late = late.matrixProduct(w).gelu() }
      let outputs = [(late + early.matrixProduct(w)).sum()]
      let plain = try labels(outputs, Self.without)
      #expect(try labels(outputs, CompilerOptions()) == plain)
    }
  }
}
