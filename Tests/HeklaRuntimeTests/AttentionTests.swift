import HeklaArrays
import HeklaDevices
import HeklaRuntime
import RuntimeTestSupport
import Testing

@testable import HeklaTensors

@Suite struct AttentionTests {
  /// One call of `Tensor.attention`.
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var queries: Shape
    var keys: Shape
    var width: Int
    var isCausal = false
    var padding: Padding?
    var mask: Signature?
    var reach = 1.0

    enum Padding { case flags, lengths }
  }

  /// Tile edges (4 rows on shaders; 96 queries by 128 keys on the host), all masks, groups, sizes that are not
  /// multiples of four, and few distinct kernels.
  static let cases = [
    Case(testDescription: "tile edges", queries: [1, 1, 97, 8], keys: [1, 1, 129, 8], width: 8),
    Case(
      testDescription: "causal", queries: [1, 1, 65, 8], keys: [1, 1, 65, 8], width: 8, isCausal: true),
    Case(testDescription: "few keys", queries: [1, 1, 33, 8], keys: [1, 1, 7, 8], width: 8, isCausal: true),
    Case(testDescription: "grouped", queries: [2, 6, 7, 16], keys: [2, 2, 65, 16], width: 8),
    Case(testDescription: "odd sizes", queries: [2, 5, 6], keys: [2, 7, 6], width: 3),
    Case(
      testDescription: "two outer axes", queries: [2, 3, 2, 5, 8], keys: [2, 3, 1, 9, 8], width: 8,
      padding: .lengths,
      mask: Signature([3, 1, 5, 9], .bool)),
    Case(
      testDescription: "padding", queries: [3, 2, 7, 16], keys: [3, 2, 33, 16], width: 16, padding: .flags),
    Case(
      testDescription: "all masks", queries: [2, 4, 33, 8], keys: [2, 2, 33, 8], width: 8, isCausal: true,
      padding: .lengths, mask: Signature([2, 1, 33, 33])),
    Case(
      testDescription: "both paddings", queries: [2, 2, 9, 8], keys: [2, 2, 11, 8], width: 8, padding: .flags,
      mask: Signature([2, 1, 11], .bool)),
    // exp of these scores overflows float32 by far.
    Case(
      testDescription: "large scores", queries: [1, 1, 33, 64], keys: [1, 1, 65, 64], width: 80, reach: 30),
    Case(testDescription: "head of 256", queries: [1, 1, 9, 256], keys: [1, 1, 17, 256], width: 256),
  ]

  /// The arrays of a case: queries, keys, values, then padding and mask where there are.
  private func arrays(_ example: Case) -> [HostArray] {
    func array(_ signature: Signature, _ seed: UInt64, _ reach: Double = 1) -> HostArray {
      let key = RandomKey(seed: seed)
      let numbers = (0..<signature.shape.count).map { index -> Double in
        let uniform = Double(key.uniform(at: index))
        return signature.elementType == .bool
          ? (uniform < 0.6 ? 1 : 0) : Double(Float((uniform * 2 - 1) * reach))
      }
      return HostArray(converting: numbers, shape: signature.shape, to: signature.elementType)
    }
    let outer = Array(example.queries.extents.dropLast(3))
    let count = outer.reduce(1, *)
    let values = Shape(Array(example.keys.extents.dropLast()) + [example.width])
    var result = [
      array(Signature(example.queries), 1, example.reach), array(Signature(example.keys), 2, example.reach),
      array(Signature(values), 3),
    ]
    switch example.padding {
    case .flags?: result.append(array(Signature(Shape(outer + [example.keys[-2]]), .bool), 4))
    case .lengths?:
      // From no key at all to all of them.
      let lengths = (0..<count).map { Int32($0 * example.keys[-2] / max(count - 1, 1)) }
      result.append(HostArray(lengths, shape: Shape(outer)))
    case nil: break
    }
    if let mask = example.mask { result.append(array(mask, 5)) }
    return result
  }

  private func attention(_ example: Case, _ tensors: [Tensor]) -> Tensor {
    var rest = tensors.dropFirst(3)
    let padding = example.padding == nil ? nil : rest.popFirst()
    let mask = example.mask == nil ? nil : rest.popFirst()
    return .attention(
      queries: tensors[0], keys: tensors[1], values: tensors[2], isCausal: example.isCausal,
      keyPadding: padding,
      mask: mask)
  }

  @Test(arguments: TestDevice.present, cases)
  func `attention and its gradients agree with the composed form in double precision`(
    device: TestDevice, example: Case
  ) throws {
    let arrays = arrays(example)
    func results(_ type: ElementType) -> [Tensor] {
      let tensors = arrays.map { Tensor($0.elementType.isFloating ? $0.converted(to: type) : $0) }
      let output = attention(example, tensors)
      let weights = (0..<output.shape.count).map { Double($0 % 7) - 3 }
      let weight = Tensor(HostArray(converting: weights, shape: output.shape, to: type))
      let wanted = tensors.filter(\.elementType.isFloating)
      return [output] + gradients(of: (output * weight).sum(), withRespectTo: wanted)
    }
    // float64 takes the composed form, so the two have nothing in common but the definition.
    let wanted = referenceValues(of: results(.float64))
    try device.run { executor in
      let step = try executor.compile(StepDescription(outputs: results(.float32)))
      let found = try step.run()
      for (index, (got, want)) in zip(found, wanted).enumerated() {
        // A score's rounding error is 2^-24 times the terms' sizes, at most 64 * 30^2 / 8 for the large ones and 16
        // for others, times the square root of some tens of roundings. It is a relative error of the weight.
        let error = 8 * 0x1p-24 * (example.reach > 1 ? 7200.0 : 16)
        let size = want.doubles().reduce(1) { max($0, abs($1)) }
        let problem = disagreement(got, want, within: error * size)
        #expect(problem == nil, "result \(index)")
      }
      let again = try step.run()
      #expect(again == found, "the bits change from run to run")
    }
  }

  @Test(arguments: TestDevice.present, ["attention", "attention-gradient"])
  func `samples agree with the reference in all their results`(device: TestDevice, name: String) throws {
    let samples = Sample.all.filter { $0.primitive == name }.flatMap(\.samples)
    // Elsewhere each new kernel takes its time to compile.
    for sample in device.isHost ? samples : Array(samples.prefix(3)) {
      let tensor = sample.build(sample.values(key: RandomKey(seed: 3)).map { Tensor($0) })
      let outputs = [tensor] + SecondaryOutput.outputs(of: tensor.node)
      let wanted = referenceValues(of: outputs)
      let found = try device.run { executor throws in try executor.values(of: outputs) }
      for (got, want) in zip(found, wanted) {
        let size = want.doubles().reduce(1) { max($0, abs($1) < 1e30 ? abs($1) : 0) }
        for (value, expected) in zip(got.doubles(), want.doubles()) {
          // As above for inputs below 1; relative where a row reads nothing and L is the lowest number.
          let scale = abs(expected) > 1e30 ? abs(expected) : size
          #expect(abs(value - expected) <= 128 * 0x1p-24 * scale, "\(sample.label)")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `a gradient of the gradient agrees with the composed form`(device: TestDevice) throws {
    let shapes: [Shape] = [[1, 2, 5, 8], [1, 1, 6, 8], [1, 1, 6, 8]]
    let arrays = shapes.enumerated().map { position, shape in
      let key = RandomKey(seed: UInt64(position))
      return HostArray((0..<shape.count).map { Float(key.uniform(at: $0)) * 2 - 1 }, shape: shape)
    }
    func results(_ type: ElementType) -> [Tensor] {
      let tensors = arrays.map { Tensor($0.converted(to: type)) }
      let output = Tensor.attention(queries: tensors[0], keys: tensors[1], values: tensors[2], isCausal: true)
      let first = gradients(of: output.squared().sum(), withRespectTo: tensors)
      let penalty = first.map { $0.squared().sum() }.reduce(Tensor.zeros([], type), +)
      return gradients(of: penalty, withRespectTo: tensors)
    }
    let wanted = referenceValues(of: results(.float64))
    let found = try device.run { executor throws in try executor.values(of: results(.float32)) }
    for (got, want) in zip(found, wanted) {
      // Numbers of the order of 10 from sums of some tens of terms.
      let problem = disagreement(got, want, within: 1e-4)
      #expect(problem == nil)
      #expect(want.doubles().contains { abs($0) > 0.1 })
    }
  }

  @Test(arguments: TestDevice.present)
  func `rows that may read nothing are 0 and pass no gradient`(device: TestDevice) throws {
    let x = Tensor.uniform([2, 2, 5, 8], key: RandomKey(seed: 1))
    let output = Tensor.attention(queries: x, keys: x, values: x, keyPadding: Tensor([Int32(0), 3]))
    let slope = gradients(of: output.sum(), withRespectTo: [x])[0]
    let found = try device.run { executor throws in try executor.values(of: [output, slope]) }
    for array in found {
      #expect(array.doubles().prefix(80).allSatisfy { $0 == 0 })
      #expect(array.doubles().dropFirst(80).contains { $0 != 0 })
      #expect(array.doubles().allSatisfy { $0.isFinite })
    }
  }

  @Test func `empty sequences give zeros`() {
    let none = Tensor.attention(
      queries: .ones([2, 3, 4]), keys: .ones([2, 0, 4]), values: .ones([2, 0, 5]))
    #expect(referenceValues(of: [none])[0].doubles() == Array(repeating: 0, count: 30))
    let empty = Tensor.attention(
      queries: .ones([2, 0, 4]), keys: .ones([2, 3, 4]), values: .ones([2, 3, 5]))
    #expect(empty.shape == [2, 0, 5])
  }
}
