import HeklaArrays
import HeklaDevices
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime
@testable import HeklaTensors

/// NaN and infinity go through every operation on every device as IEEE 754 says, or as the operation's documentation.
///
/// Vulkan lets a driver take for granted that there are none, unless a kernel asks otherwise, as all do where they can.
@Suite struct SpecialValueTests {
  /// Numbers at which functions have special values, and some ordinary ones.
  private static let numbers: [Double] = [
    .nan, .infinity, -.infinity, 0, -0.0, 1, -1, 0.5, 2, -2.5, 3, 90, -90,
  ]

  // MARK: Scalar operations

  /// Every operation on one or two real numbers, at all numbers or pairs of them.
  private static let operations = ScalarOperation.allCases.filter { operation in
    switch operation {
    case .and, .or, .not, .bitAnd, .bitOr, .bitXor, .shiftLeft, .shiftRight, .select, .convert, .bitcast,
      .threefryFirst, .threefrySecond:
      false
    default: true
    }
  }

  @Test(arguments: TestDevice.present)
  func `every scalar operation has IEEE's values at NaN, infinity and zero`(device: TestDevice) throws {
    let (all, count) = (Self.numbers, Self.numbers.count)
    let x = Tensor(all.flatMap { [Float](repeating: Float($0), count: count) })
    let y = Tensor((0..<count * count).map { Float(all[$0 % count]) })
    try device.run { executor in
      var outputs = Self.operations.map { operation -> Tensor in
        operation.arity == 1
          ? .elementwise(.apply(operation, [.input(0)]), [x])
          : .elementwise(.apply(operation, [.input(0), .input(1)]), [x, y])
      }
      var names = Self.operations.map(\.rawValue)
      // What is easily simplified too much, and compositions that rest on these values.
      let more: [(String, Tensor)] = [
        ("x * 0", x * 0), ("x - x", x - x), ("x / x", x / x), ("x + 0", x + 0), ("0 / x", 0 / x),
        ("x + y - y", x + y - y), ("relu", x.relu()), ("isFinite", x.isFinite()),
        ("!(x < y)", .map(x, y) { .!($0 .< $1) }),
        ("select", .select(x .< y, x, y)), ("sigmoid", x.sigmoid()), ("clamped", x.clamped(to: -1...2)),
        ("int32", x.converted(to: .int32)), ("uint32", x.converted(to: .uint32)),
        ("large int32", (x * 1e9).converted(to: .int32)), ("large uint32", (x * 1e9).converted(to: .uint32)),
        ("bool", x.converted(to: .bool)), ("power 2", x.power(2)), ("power 1", x.power(1)),
        ("logAddExp", .logAddExp(x, y)),
      ]
      outputs += more.map(\.1)
      names += more.map(\.0)
      try expectAgreement(of: outputs, names, on: executor)
    }
  }

  @Test(arguments: TestDevice.present)
  func `NaN and infinity pass through memory of narrow types`(device: TestDevice) throws {
    let x = Tensor(Self.numbers.map { Float($0) })
    try device.run { executor in
      let types = [ElementType.float16, .bfloat16].filter(executor.device.capabilities.storageTypes.contains)
      let outputs = types.map { (x * 1).converted(to: $0).flipped(along: [0]) }
      try expectAgreement(of: outputs, types.map(\.description), on: executor)
    }
  }

  // MARK: Generated loops

  @Test(arguments: TestDevice.present)
  func `NaN and infinity reach what they should through reductions`(device: TestDevice) throws {
    // Rows of 300 so that parts are folded in parallel: ordinary, with NaN, with infinities of one sign or of both.
    let specials: [[Int: Float]] = [
      [:], [7: .nan], [299: .nan], [0: .nan], [150: .infinity], [3: -.infinity],
      [20: .infinity, 280: -.infinity], [100: .nan, 200: .infinity], [10: .nan, 290: .nan],
      Dictionary(uniqueKeysWithValues: (0..<300).map { ($0, -Float.infinity) }),
      Dictionary(uniqueKeysWithValues: (0..<300).map { ($0, Float.nan) }),
    ]
    var numbers: [Float] = []
    for (row, special) in specials.enumerated() {
      for column in 0..<300 { numbers.append(special[column] ?? Float((column * 7 + row) % 19 - 9) / 8) }
    }
    let x = Tensor(numbers, shape: [specials.count, 300])
    let count = x.isNaN().countNonzero(along: [1])
    let ends: [(String, Tensor)] = [
      ("sum of all", x.sum()), ("maximum of all", x.maximum()), ("count of NaN", count),
      ("any", x.isFinite().any(along: [1])), ("all", x.isFinite().all(along: [1])),
    ]
    let outputs = ends + reductions(of: x, along: 1) + reductions(of: x.transposed(), along: 0)
    try device.run { executor in
      try expectAgreement(of: outputs.map(\.1), outputs.map(\.0), on: executor)
    }
  }

  private func reductions(of x: Tensor, along axis: Int) -> [(String, Tensor)] {
    let results: [(String, Tensor)] = [
      ("sum", x.sum(along: axis)), ("mean", x.mean(along: axis)),
      ("product", (x * 1.1).product(along: axis)), ("maximum", x.maximum(along: axis)),
      ("minimum", x.minimum(along: axis)), ("argument-maximum", x.argumentMaximum(along: axis)),
      ("argument-minimum", x.argumentMinimum(along: axis)), ("softmax", x.softmax(along: axis)),
      ("log-sum-exp", x.logSumExp(along: axis)), ("variance", x.variance(along: axis)),
      ("norm", x.norm(along: [axis])),
    ]
    return results.map { ("\($0.0) along \(axis)", $0.1) }
  }

  @Test(arguments: TestDevice.present)
  func `what is moved keeps its bits, and a border of zeros is no product with zero`(device: TestDevice)
    throws
  {
    let x = Tensor(Self.numbers.map { Float($0) })
    try device.run { executor in
      let outputs = [
        x.padded(before: [2], after: [1]), x.flipped(along: [0]), .concatenating([x, -x], along: 0),
        x.expanded(at: 0).broadcast(to: [13, 13]).lowerTriangle(),
        x.rolled(by: 3, along: 0),
        x.filled(with: 4, where: x.isNaN()), .select(x.isFinite(), x, .zeros(x.shape)),
      ]
      try expectAgreement(of: outputs, outputs.indices.map { "movement \($0)" }, on: executor)
    }
  }

  // MARK: Hand-written kernels

  /// Primitives whose kernels are held to IEEE: each input that is real in turn gets special values.
  ///
  /// Not here: factorizations and triangular solutions, which promise nothing for matrices that are not finite;
  /// Fourier transforms, whose order of operations decides which sums meet infinity. Attention's gradient is held to
  /// NaN alone: it multiplies infinities with weights that may be 0.
  private static let held = [
    "attention", "attention-gradient", "convolution", "convolution-input-gradient",
    "convolution-weight-gradient",
    "gather", "linear-recurrence", "matrix-product", "scan", "scatter-sum", "search-sorted",
    "segment-reduction", "sort", "sparse-product",
  ]

  @Test(arguments: TestDevice.present, held)
  func `hand-written kernels let NaN and infinity through`(device: TestDevice, primitive: String) throws {
    try device.run { executor in
      let capabilities = executor.device.capabilities
      // Large samples take the references seconds, and run the same kernels.
      let all = try #require(Sample.all.first { $0.primitive == primitive }).samples
      var checked = 0
      for sample in all where sample.flops <= 50_000 {
        let reals = sample.inputs.indices.filter { sample.inputs[$0].signature.elementType == .float32 }
        for position in reals {
          var values = sample.values(key: RandomKey(seed: 12))
          values[position] = withSpecials(values[position], onlyNaN: primitive == "attention-gradient")
          let output = sample.build(values.map { Tensor($0) })
          guard let node = [output.node].withDependencies().first(where: { $0.primitive.name == primitive }),
            case .kernels(let variants) = node.primitive.lowering, !leavesOpen(node.primitive, position)
          else { continue }
          let inputs = node.inputs.map(\.signature)
          for variant in variants where variant.applies(capabilities, inputs, node.signature) {
            checked += 1
            let name = "\(primitive)/\(sample.label), input \(position), \(variant.name)"
            try expectAgreement(
              of: [output], [name], on: executor,
              options: CompilerOptions(preferring: [primitive: variant.name]))
          }
        }
      }
      #expect(checked > 0, "\(primitive) has no sample to check")
    }
  }

  /// Whether the documentation leaves open what special values in input `position` do.
  private func leavesOpen(_ primitive: any Primitive, _ position: Int) -> Bool {
    switch primitive {
    // What a query must not read may reach it through a product with a weight of 0.
    case let attention as Attention: attention.options.isMasked
    case let gradient as AttentionGradient: gradient.options.isMasked
    // A border of zeros is multiplied, or left out.
    case let convolution as Convolution: position == 1 && convolution.geometry.hasBorder
    case let convolution as ConvolutionWeightGradient: position == 1 && convolution.geometry.hasBorder
    case is ConvolutionInputGradient: position == 1
    default: false
    }
  }

  /// The array with a NaN and, unless `onlyNaN`, both infinities at three places, where it has as many.
  private func withSpecials(_ array: HostArray, onlyNaN: Bool) -> HostArray {
    var numbers = array.doubles()
    for (special, place) in zip([Double.nan, .infinity, -.infinity], [1, 5, 8]) {
      let index = numbers.count * place / 11
      if special.isNaN || (numbers.count > 4 && !onlyNaN) { numbers[index] = special }
    }
    return HostArray(converting: numbers, shape: array.shape, to: array.elementType)
  }

  /// Expects NaN where the reference has NaN, infinity where it has infinity, and about the same number elsewhere;
  /// how exact a device's numbers are is the conformance suite's.
  private func expectAgreement(
    of outputs: [Tensor], _ names: [String], on executor: PlanExecutor,
    options: CompilerOptions = CompilerOptions(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let wanted = referenceValues(of: outputs)
    let results = try executor.compile(StepDescription(outputs: outputs), options: options).run()
    for ((name, type), (got, want)) in zip(zip(names, outputs.map(\.elementType)), zip(results, wanted)) {
      let exact = want.doubles().map { type == .float32 ? Double(Float($0)) : $0 }
      // Mesa's driver for processors takes these two for 0 whatever x is, and `precise` does not keep it from that.
      let device = executor.device.capabilities
      let isSoftware = device.interface == .vulkan && device.kind == .software
      let isFolded = isSoftware && ["x * 0", "0 / x"].contains(name)
      for (index, (value, number)) in zip(got.doubles(), exact).enumerated() {
        let agrees =
          number.isFinite
          ? abs(value - number) <= 1e-3 * max(1, abs(number))
          : value == number || (value.isNaN && number.isNaN) || (isFolded && value == 0)
        let place = got.shape.coordinates(ofIndex: index)
        #expect(
          agrees, "\(executor.device.name) \(name) at \(place): \(value), not \(number)",
          sourceLocation: sourceLocation)
        if !agrees { break }
      }
    }
  }
}

extension AttentionOptions {
  fileprivate var isMasked: Bool { isCausal || hasMask || hasLengths }
}

extension ConvolutionGeometry {
  fileprivate var hasBorder: Bool { (before + after).contains { $0 > 0 } }
}
