import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

/// What kernels of a repetition prepare of inputs that stay as they are, once before it.
@Suite struct PreparationTests {
  private static let unprepared: CompilerOptions = {
    var options = CompilerOptions()
    options.preparesOnce = false
    return options
  }()

  /// A recurrence of `count` steps and its gradients.
  private static func recurrence(_ count: Int, _ start: Tensor, _ w: Tensor) -> [Tensor] {
    let (state, _) = fold([start], count: count) { state, _ in ([state[0].matrixProduct(w).tanh()], []) }
    return state + gradients(of: state[0].squared().sum(), withRespectTo: [start, w])
  }

  private static func values(_ shape: Shape, _ seed: UInt64) -> Tensor {
    .uniform(shape, key: RandomKey(seed: seed), from: -0.5, to: 0.5)
  }

  private static func plan(_ outputs: [Tensor], options: CompilerOptions = CompilerOptions()) throws -> Plan {
    try TestDevice.cpu.run { try $0.compile(StepDescription(outputs: outputs), options: options).plan }
  }

  @Test(arguments: [1, 2, 9])
  func `a fold of any length has the same bits with and without`(count: Int) throws {
    let outputs = Self.recurrence(count, Self.values([5, 40], 1), Self.values([40, 40], 2))
    let found = try TestDevice.cpu.run { executor in
      try [CompilerOptions(), Self.unprepared].map { options in
        let step = try executor.compile(StepDescription(outputs: outputs), options: options)
        try step.poison()
        return try step.run()
      }
    }
    #expect(found[0] == found[1])
  }

  @Test func `a fold of nothing has nothing to prepare`() throws {
    let start = Self.values([5, 40], 1)
    let outputs = Self.recurrence(0, start, Self.values([40, 40], 2))
    #expect(try Self.plan(outputs).steps.allSatisfy { $0.variant != "packed" })
    let found = try TestDevice.cpu.run { try $0.values(of: [outputs[0], start]) }
    #expect(found[0] == found[1])
  }

  @Test func `a factor is packed before the repetition, in memory that is planned`() throws {
    let outputs = Self.recurrence(6, Self.values([5, 40], 1), Self.values([40, 40], 2))
    let plan = try Self.plan(outputs)
    let packing = plan.steps.indices.filter { plan.steps[$0].source.name == "pack_right_factor" }
    let products = plan.steps.indices.filter { plan.steps[$0].source.name == "product_by_packed" }
    #expect(packing.count == 2 && products.count == 2)
    for (pack, product) in zip(packing, products) {
      #expect(plan.repetitions.allSatisfy { !$0.steps.contains(pack) })
      let repetition = try #require(plan.repetitions.first { $0.steps.contains(product) })
      #expect(pack < repetition.steps.lowerBound)
      // Nothing else lies where the panels do while the repetition lasts.
      let panels = try #require(plan.steps[pack].writes.first)
      #expect(plan.steps[product].reads.contains(panels))
      #expect(plan.values[panels].signature.byteCount == 40 * 48 * 4)
      let place = try #require(plan.place(of: panels))
      for step in repetition.steps {
        for value in plan.steps[step].writes.flatMap(plan.memory(of:)) {
          guard let other = plan.place(of: value) else { continue }
          #expect(!other.overlaps(place), "step \(step)")
        }
      }
    }
    // The panels are all that is added.
    let without = try Self.plan(outputs, options: Self.unprepared)
    let (with, least) = (plan.arenaByteCounts.reduce(0, +), without.arenaByteCounts.reduce(0, +))
    #expect(with > least && with <= least + 2 * 40 * 48 * 4 + 256)
  }

  @Test func `weights that change between runs are packed anew`() throws {
    try TestDevice.cpu.run { executor in
      let start = Self.values([4, 20], 3)
      var results: [[HostArray]] = []
      for options in [CompilerOptions(), Self.unprepared] {
        let w = Parameter(Self.values([20, 20], 4))
        let step = try executor.compile(options: options) { _ in
          let outputs = Self.recurrence(5, start, w.tensor)
          return StepDescription(outputs: outputs, assignments: [w.assigning(w.tensor - outputs[2] * 0.1)])
        }
        let runs = try (0..<3).map { _ in try step.run()[0] }
        #expect(runs[0] != runs[1] && runs[1] != runs[2])
        results.append(runs)
        withExtendedLifetime(w) {}
      }
      #expect(results[0] == results[1])
    }
  }

  @Test func `what stays as it is throughout a fold within a fold is packed before both`() throws {
    let (w, u) = (Self.values([20, 20], 5), Self.values([3, 20, 20], 6))
    func outputs() -> [Tensor] {
      let (state, _) = fold([Self.values([4, 20], 7)], over: [u]) { state, element in
        let (inner, _) = fold(state, count: 4) { inner, _ in
          ([(inner[0].matrixProduct(w) + inner[0].matrixProduct(element[0])).tanh()], [])
        }
        // A fold of one step gains nothing by itself, but the one around it does.
        return (checkpointed(inner) { [$0[0].matrixProduct(w)] }, [])
      }
      return state + gradients(of: state[0].squared().sum(), withRespectTo: [w, u])
    }
    let results = outputs()
    let plan = try Self.plan([results[0]])
    let packing = plan.steps.indices.filter { plan.steps[$0].source.name == "pack_right_factor" }
    // The weights that all steps share twice, before everything; those of an outer step within it.
    let depths = packing.map { step in plan.repetitions.count { $0.steps.contains(step) } }
    #expect(depths.sorted() == [0, 0, 1], "\(plan)")
    let found = try TestDevice.cpu.run { executor in
      try [CompilerOptions(), Self.unprepared].map { try executor.values(of: results, options: $0) }
    }
    #expect(found[0] == found[1])
  }

  @Test(arguments: TestDevice.present)
  func `every device packs once what it packs at all`(device: TestDevice) throws {
    // Large enough for the variant of OpenCL on processors that packs both factors.
    let outputs = Self.recurrence(3, Self.values([64, 128], 1), Self.values([128, 128], 2))
    try device.run { executor in
      let step = try executor.compile(StepDescription(outputs: [outputs[0]]))
      let plan = step.plan
      let repetition = try #require(plan.repetitions.first)
      for number in repetition.steps {
        let step = plan.steps[number]
        let isPacking = step.source.name.contains("pack") && step.variant != "packed"
        let moves = step.reads.contains { if case .moving = plan.values[$0].storage { true } else { false } }
        #expect(!isPacking || moves, "\(plan)")
      }
      try step.poison()
      let wanted = referenceValues(of: [outputs[0]])[0]
      // Sums of 128 products below 1/4, then tanh, three times over.
      let difference = disagreement(try step.run()[0], wanted, within: 1e-4)
      #expect(difference == nil, "\(difference ?? "")")
    }
  }
}

extension Plan {
  /// The bytes of the first arena that `value` has; nil where it lies elsewhere.
  fileprivate func place(of value: Int) -> Range<Int>? {
    guard case .arena(0, let offset) = values[value].storage else { return nil }
    return offset..<(offset + values[value].signature.byteCount)
  }
}
