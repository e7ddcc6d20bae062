import HeklaArrays
import HeklaTensors
import Testing

/// The values of one tensor by the float64 reference.
func values(_ tensor: Tensor, feeding feeds: [Node: HostArray] = [:]) -> [Double] {
  referenceValues(of: [tensor], feeding: feeds)[0].doubles()
}

/// A constant of float64 numbers, so that the reference rounds nothing.
func constant(_ numbers: [Double], _ shape: Shape) -> Tensor { Tensor(numbers, shape: shape) }

/// Numbers spread over [-1, 1) without pattern.
func numbers(_ count: Int, seed: UInt64) -> [Double] {
  (0..<count).map { Double(RandomKey(seed: seed).uniform(at: $0)) * 2 - 1 }
}

/// Whether all numbers agree to a share of `tolerance` of their size, or of 1 where they are smaller.
func agree(_ found: [Double], _ expected: [Double], within tolerance: Double) -> Bool {
  found.count == expected.count
    && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

/// The largest difference between the gradient that the rules give and central differences, relative to the
/// largest entry of the latter.
///
/// With a step of 1e-5 the error of a central difference in float64 is about 1e-10 of the third derivative,
/// and 1e-11 of the value by rounding.
func gradientError(
  _ start: [Double], _ shape: Shape, _ type: ElementType = .float64, _ loss: (Tensor) -> Tensor
) -> Double {
  let x = Tensor.input(0, Signature(shape, type))
  let value = loss(x)
  func evaluate(_ tensor: Tensor, _ numbers: [Double]) -> [Double] {
    values(tensor, feeding: [x.node: HostArray(numbers, shape: shape)])
  }
  let found = evaluate(gradients(of: value, withRespectTo: [x])[0], start)
  let step = 1e-5
  let expected = start.indices.map { index -> Double in
    var (upper, lower) = (start, start)
    upper[index] += step
    lower[index] -= step
    return (evaluate(value, upper)[0] - evaluate(value, lower)[0]) / (2 * step)
  }
  let scale = expected.map(abs).max() ?? 1
  let errors = zip(found, expected).map { abs($0 - $1) }
  return errors.contains { $0.isNaN } ? .nan : (errors.max() ?? 0) / max(scale, 1e-3)
}

/// Parameters as an executor holds them, with the float64 reference in the place of a device.
struct ReferenceStep {
  private(set) var held: [Parameter: HostArray] = [:]

  /// The current values.
  func values(of parameter: Parameter) -> [Double] {
    (held[parameter] ?? referenceValues(of: [parameter.initial])[0]).doubles()
  }

  /// Puts `array` into `parameter`.
  mutating func assign(_ array: HostArray, to parameter: Parameter) { held[parameter] = array }

  /// Computes all assignments from the current values, then makes them.
  mutating func run(_ assignments: [Assignment], feeding feeds: [Node: HostArray] = [:]) {
    var known = feeds
    for (parameter, array) in held { known[parameter.tensor.node] = array }
    let results = referenceValues(of: assignments.map(\.value), feeding: known)
    for (assignment, array) in zip(assignments, results) { held[assignment.parameter] = array }
  }
}

/// For each of `parameters` the difference between the derivative of `loss` along a random direction and a central
/// difference, relative to the larger of the derivative and 1e-2; their first values are moved off kinks.
func directionalErrors(_ loss: Tensor, _ parameters: [Parameter]) -> [Double] {
  let start = parameters.enumerated().map { index, parameter in
    let first = values(parameter.initial)
    return zip(first, numbers(first.count, seed: UInt64(100 + index))).map { $0 + 0.1 * $1 }
  }
  func evaluate(_ tensors: [Tensor], _ theta: [[Double]]) -> [[Double]] {
    let fed = zip(parameters, theta).map { ($0.tensor.node, HostArray($1, shape: $0.shape)) }
    return referenceValues(of: tensors, feeding: Dictionary(uniqueKeysWithValues: fed)).map { $0.doubles() }
  }
  let slopes = evaluate(gradients(of: loss, withRespectTo: parameters.map(\.tensor)), start)
  let step = 1e-5
  return parameters.indices.map { index in
    let direction = numbers(start[index].count, seed: UInt64(200 + index))
    let ends = [step, -step].map { step in
      var theta = start
      theta[index] = zip(theta[index], direction).map { $0 + step * $1 }
      return evaluate([loss], theta)[0][0]
    }
    let found = zip(slopes[index], direction).reduce(0) { $0 + $1.0 * $1.1 }
    return abs(found - (ends[0] - ends[1]) / (2 * step)) / max(abs(found), 1e-2)
  }
}
