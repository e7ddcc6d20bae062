import HeklaArrays
import HeklaTensors

/// Where a device's result lies further from the reference than allowed, in words; nil where it agrees.
/// - Parameters:
///   - got: The device's result.
///   - wanted: The reference, in float64 or whole numbers.
///   - tolerance: How far each element may be off.
///   - magnitude: For sums, the reference on absolute inputs: the sum of the terms' absolute values.
public func disagreement(
  _ got: HostArray, _ wanted: HostArray, tolerance: Sample.Tolerance, magnitude: HostArray? = nil
) -> String? {
  tolerance.disagreement(of: got, with: wanted, magnitude: magnitude)
}

/// Where two results lie further apart than `absolute` anywhere; nil where they agree.
public func disagreement(_ got: HostArray, _ wanted: HostArray, within absolute: Double) -> String? {
  guard got.shape == wanted.shape else { return "shape \(got.shape), not \(wanted.shape)" }
  for (index, (value, want)) in zip(got.doubles(), wanted.doubles()).enumerated() {
    if value == want || (value.isNaN && want.isNaN) { continue }
    if !(abs(value - want) <= absolute) {
      return "at \(got.shape.coordinates(ofIndex: index)): \(value), not \(want)"
    }
  }
  return nil
}
