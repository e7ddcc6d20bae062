import HeklaArrays
import HeklaTensors

/// The values of one tensor by the float64 reference.
func numbers(of tensor: Tensor, feeding feeds: [Node: HostArray] = [:]) -> [Double] {
  referenceValues(of: [tensor], feeding: feeds)[0].doubles()
}

/// Numbers spread over [-1, 1) without pattern.
func spread(_ count: Int, seed: UInt64) -> [Double] {
  (0..<count).map { Double(RandomKey(seed: seed).uniform(at: $0)) * 2 - 1 }
}

/// Whether all numbers agree to a share of `tolerance` of their size, or of 1 where they are smaller.
func agree(_ found: [Double], _ expected: [Double], within tolerance: Double) -> Bool {
  found.count == expected.count
    && zip(found, expected).allSatisfy { $0 == $1 || abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

/// The largest difference between the gradient that the rules give and central differences, relative to the
/// largest entry of the latter.
///
/// The outputs are weighted without pattern, so that no error cancels. With a step of 1e-5 the error of a
/// central difference in float64 is about 1e-10 of the third derivative, and 1e-11 of the value by rounding.
func gradientError(at start: [Double], _ shape: Shape, _ body: (Tensor) -> Tensor) -> Double {
  let x = Tensor.input(0, Signature(shape, .float64))
  let output = body(x)
  let weights = Tensor(spread(output.shape.count, seed: 99), shape: output.shape)
  let loss = (output * weights).sum()
  func evaluate(_ tensor: Tensor, _ values: [Double]) -> [Double] {
    numbers(of: tensor, feeding: [x.node: HostArray(values, shape: shape)])
  }
  let found = evaluate(gradients(of: loss, withRespectTo: [x])[0], start)
  let step = 1e-5
  let expected = start.indices.map { index -> Double in
    var (upper, lower) = (start, start)
    upper[index] += step
    lower[index] -= step
    return (evaluate(loss, upper)[0] - evaluate(loss, lower)[0]) / (2 * step)
  }
  let scale = expected.map(abs).max() ?? 1
  let errors = zip(found, expected).map { abs($0 - $1) }
  return errors.contains { $0.isNaN } ? .nan : (errors.max() ?? 0) / max(scale, 1e-3)
}
