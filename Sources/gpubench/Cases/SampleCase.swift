import HeklaArrays
import HeklaTensors

extension BenchmarkCase {
  /// `sample` of `primitive`, on the values that the tests give it.
  static func sample(_ sample: Sample, of primitive: String) -> BenchmarkCase {
    let shapes = sample.inputs.map(\.signature.shape.extents)
    let output = sample.build(sample.inputs.enumerated().map { .input($0, $1.signature) }).signature
    return BenchmarkCase(
      "\(primitive)/\(sample.label)",
      shape: shapes.map { $0.isEmpty ? "1" : $0.map(String.init).joined(separator: "x") }
        .joined(separator: ","),
      elementType: sample.inputs.first?.signature.elementType ?? output.elementType,
      inputs: sample.inputs.map { .drawn($0) },
      operationCount: Double(sample.flops), primitive: primitive,
      build: { [sample.build($0)] },
      largestError: { inputs, outputs in SampleCheck(sample, inputs).largestError(of: outputs[0]) })
  }
}

/// The reference of a sample for given inputs, and how far from it a result may lie.
private struct SampleCheck {
  let tolerance: Sample.Tolerance
  let wanted: [Double]
  /// For sums, the reference on absolute inputs: the sums of the terms' absolute values.
  let magnitudes: [Double]

  init(_ sample: Sample, _ inputs: [HostArray]) {
    func reference(_ inputs: [HostArray]) -> [Double] {
      referenceValues(of: [sample.build(inputs.map { Tensor($0) })])[0].doubles()
    }
    tolerance = sample.tolerance
    wanted = reference(inputs)
    guard case .sum = tolerance else {
      magnitudes = []
      return
    }
    magnitudes = reference(
      inputs.map { input in
        guard input.elementType.isFloating else { return input }
        return HostArray(
          converting: input.doubles().map { abs($0) }, shape: input.shape, to: input.elementType)
      })
  }

  /// The largest error of an element, in units of what the tolerance allows it.
  func largestError(of output: HostArray) -> Double {
    let elements = output.doubles()
    guard elements.count == wanted.count else { return .infinity }
    let largest = wanted.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    var error = LargestError()
    for (index, (element, value)) in zip(elements, wanted).enumerated() {
      // A sample may ask for NaN itself.
      if element.isNaN && value.isNaN { continue }
      let allowed = tolerance.allowedError(
        at: value, in: output.elementType,
        magnitude: magnitudes.indices.contains(index) ? magnitudes[index] : abs(value), largest: largest)
      error.compare(element, with: value, allowing: allowed)
    }
    return error.value
  }
}
