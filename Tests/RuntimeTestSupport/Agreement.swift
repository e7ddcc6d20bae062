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
  guard got.shape == wanted.shape else { return "shape \(got.shape), not \(wanted.shape)" }
  let magnitudes = magnitude?.doubles() ?? []
  let roundoff = got.elementType == .float64 ? 0x1p-53 : 0x1p-24
  let largest = wanted.doubles().reduce(0) { $1.isFinite ? Swift.max($0, abs($1)) : $0 }
  for (index, (value, want)) in zip(got.doubles(), wanted.doubles()).enumerated() {
    if value == want || (value.isNaN && want.isNaN) { continue }
    let allowed: Double =
      switch tolerance {
      case .exact: 0
      // A device may flush results below the least normal number to 0.
      case .ulps(let count):
        Swift.max(count * got.elementType.unit(at: want), Double(Float.leastNormalMagnitude))
      case .normwise(let count): count * roundoff * largest
      case .sum(let count):
        Double(count) * roundoff * (index < magnitudes.count ? magnitudes[index] : abs(want))
      }
    if !(abs(value - want) <= allowed) {
      let place = got.shape.coordinates(ofIndex: index)
      return "at \(place): \(value), not \(want); off by \(abs(value - want)), allowed is \(allowed)"
    }
  }
  return nil
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

extension ElementType {
  /// The unit in the last place of numbers of this type near `value`.
  fileprivate func unit(at value: Double) -> Double {
    switch self {
    case .float64: value.magnitude.ulp
    case .float16: Double(Float16(value).magnitude.ulp)
    // The first 16 bits of a float32.
    case .bfloat16: Double(Float(value).magnitude.ulp) * 0x1p16
    default: Double(Float(value).magnitude.ulp)
    }
  }
}
