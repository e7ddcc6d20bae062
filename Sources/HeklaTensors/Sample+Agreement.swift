import HeklaArrays

extension Sample.Tolerance {
  /// Where a result lies further from what is wanted than allowed, in words; nil where it agrees.
  ///
  /// - Parameters:
  ///   - got: A device's result.
  ///   - wanted: The reference, in float64 or whole numbers.
  ///   - magnitude: For sums, the reference on absolute inputs: the sum of the terms' absolute values.
  ///   - factor: How many times the tolerance each element may be off.
  package func disagreement(
    of got: HostArray, with wanted: HostArray, magnitude: HostArray? = nil, allowing factor: Double = 1
  ) -> String? {
    guard got.shape == wanted.shape else { return "shape \(got.shape), not \(wanted.shape)" }
    let (values, wants, magnitudes) = (got.doubles(), wanted.doubles(), magnitude?.doubles() ?? [])
    let largest = wants.reduce(0) { $1.isFinite ? Swift.max($0, abs($1)) : $0 }
    for (index, (value, want)) in zip(values, wants).enumerated() {
      if value == want || (value.isNaN && want.isNaN) { continue }
      let allowed =
        factor
        * allowedError(
          at: want, in: got.elementType,
          magnitude: index < magnitudes.count ? magnitudes[index] : abs(want), largest: largest)
      if !(abs(value - want) <= allowed) {
        let place = got.shape.coordinates(ofIndex: index)
        // Poison, for the most part, whose bits say nothing more.
        if value.isNaN { return "at \(place): NaN, not \(want)" }
        return "at \(place): \(value), not \(want); off by \(abs(value - want)), allowed is \(allowed)"
      }
    }
    return nil
  }
}
