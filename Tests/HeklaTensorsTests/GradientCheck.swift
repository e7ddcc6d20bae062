import HeklaArrays
import HeklaTensors
import TestSupport
import Testing

/// Expects that the gradients of `loss` agree with central differences, in float64 through the references.
///
/// Along random directions, each of which moves every element at once, and along single elements.
/// - Parameters:
///   - loss: Of rank 0.
///   - leaves: What `loss` is computed from, with the values to check at.
///   - label: What a failure is called.
func checkGradients(
  of loss: Tensor, at leaves: [(tensor: Tensor, values: HostArray)], label: String, seed: UInt64 = 1,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let floating = leaves.indices.filter { leaves[$0].tensor.elementType.isFloating }
  let gradients = gradients(of: loss, withRespectTo: floating.map { leaves[$0].tensor })
  var feed: [Node: HostArray] = [:]
  for leaf in leaves { feed[leaf.tensor.node] = leaf.values }
  let slopes = referenceValues(of: gradients, feeding: feed).map { $0.doubles() }
  for (slope, position) in zip(gradients, floating) {
    #expect(slope.signature == leaves[position].tensor.signature, "\(label)", sourceLocation: sourceLocation)
  }
  let size = abs(referenceValues(of: [loss], feeding: feed)[0].doubles()[0])
  var random = RandomNumbers(seed: seed)
  for trial in 0..<6 {
    // Three random directions, then three single elements.
    var direction = floating.map { [Double](repeating: 0, count: leaves[$0].tensor.shape.count) }
    if trial < 3 {
      direction = direction.map { $0.map { _ in random.real(in: -1...1) } }
    } else {
      let input = random.below(floating.count)
      guard !direction[input].isEmpty else { continue }
      direction[input][random.below(direction[input].count)] = 1
    }
    let step = 1e-5
    func value(_ distance: Double) -> Double {
      var moved = feed
      for (number, position) in floating.enumerated() {
        let (tensor, values) = leaves[position]
        let shifted = zip(values.doubles(), direction[number]).map { $0 + distance * $1 }
        moved[tensor.node] = HostArray(shifted, shape: tensor.shape)
      }
      return referenceValues(of: [loss], feeding: moved)[0].doubles()[0]
    }
    let difference = (value(step) - value(-step)) / (2 * step)
    let terms = zip(slopes, direction).flatMap { zip($0, $1).map { $0 * $1 } }
    let slope = terms.reduce(0, +)
    // Truncation leaves about step^2 of the third derivative, rounding 2^-53 / step of the loss: both lie below
    // 1e-9 of what is summed here, and a wrong rule is off by about 1.
    let scale = max(1, terms.reduce(0) { $0 + abs($1) }, size)
    #expect(
      abs(slope - difference) <= 1e-6 * scale, "\(label), direction \(trial): \(slope), not \(difference)",
      sourceLocation: sourceLocation)
  }
}

/// Random values of `shape` in `range`, the same for the same seed.
func randomArray(_ shape: Shape, in range: ClosedRange<Double> = -1...1, seed: UInt64) -> HostArray {
  var random = RandomNumbers(seed: seed)
  return HostArray((0..<shape.count).map { _ in random.real(in: range) }, shape: shape)
}
