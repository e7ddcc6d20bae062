import Foundation
import HeklaArrays

/// Random volumes like scans of a head with a tumour: deformed ellipsoids inside of each other, in several channels.
///
/// Inside an ellipsoidal head lies smooth random tissue; in it a deformed ellipsoid (class 1), in that another (class
/// 2), in that a third (class 3), which is absent in some volumes. Each class shifts the means of some channels by less
/// than tissue and noise vary, its boundary blurred over a voxel or two; a smooth field multiplies each channel. What
/// is outside of the head is 0. Labels are nested by construction, and class 3 fills at most 4% of a volume.
public struct NestedEllipsoids: Sendable {
  /// Depth, height and width.
  public var extent = 32
  /// The share of volumes without class 3.
  public var absence = 0.1
  /// The standard deviation of each voxel's noise, where tissue is about 1.
  public var noise = 0.2
  /// How much classes shift their channels.
  public var contrast = 0.5

  /// What class 1, 2 and 3 add to each of the four channels, in units of `contrast`, on top of what is around them.
  private static let shifts: [[Double]] = [
    [-0.3, 0, 0.6, 1], [-0.5, -0.4, 0.6, -0.3], [0.3, 1.4, -0.3, 0],
  ]

  /// The number of channels.
  public static var channelCount: Int { shifts[0].count }
  /// The number of classes without the background.
  public static var classCount: Int { shifts.count }

  /// The generator with these defaults.
  public init() {}

  /// A volume, standardized.
  /// - Precondition: The extent is positive.
  public func volume(key: RandomKey) -> LabeledVolume {
    let (n, channels) = (extent, Self.channelCount)
    let head = Region(
      center: .zero,
      radii: SIMD3(uniform(0.75...0.95, key, 0), uniform(0.75...0.95, key, 1), uniform(0.75...0.95, key, 2)),
      key: key.folded(in: "head"))
    let regions = self.regions(key: key.folded(in: "regions"))
    let gains = (0..<3).map { uniform(0.7...1.3, key, 3 + $0) * contrast }
    let fields = (0..<channels).map { channel in
      (
        tissue: SmoothField(cells: 6, key: key.folded(in: "tissue \(channel)")),
        bias: SmoothField(cells: 2, key: key.folded(in: "bias \(channel)"))
      )
    }
    let noiseKeys = (0..<channels).map { key.folded(in: "noise \($0)") }
    var image = [Float](repeating: 0, count: channels * n * n * n)
    var labels = [UInt8](repeating: 0, count: n * n * n)
    for place in labels.indices {
      let u =
        2 * (SIMD3(Double(place / n / n), Double(place / n % n), Double(place % n)) + 0.5) / Double(n) - 1
      guard head.level(at: u) < 1 else { continue }
      var membership = 1.0
      var shares: [Double] = []
      for (k, region) in regions.enumerated() {
        let level = region.level(at: u)
        // A voxel is of class k only where it is of all classes before.
        if level < 1, Int(labels[place]) == k { labels[place] = UInt8(k + 1) }
        membership *= 1 / (1 + exp((level - 1) / region.blur))
        shares.append(membership)
      }
      for channel in 0..<channels {
        var value = 1 + 0.3 * fields[channel].tissue.value(at: u)
        for (k, share) in shares.enumerated() { value += share * gains[k] * Self.shifts[k][channel] }
        value *= exp(0.25 * fields[channel].bias.value(at: u))
        value += noise * noiseKeys[channel].normal(at: place)
        image[channel * labels.count + place] = Float(value)
      }
    }
    return LabeledVolume(
      name: "generated", image: HostArray(image, shape: [channels, n, n, n]),
      labels: HostArray(labels, shape: [n, n, n])
    ).standardized()
  }

  /// The regions from the outermost in, two where class 3 is absent.
  private func regions(key: RandomKey) -> [Region] {
    var (center, radii) = (SIMD3<Double>.zero, SIMD3<Double>.zero)
    let count = Double(key.uniform(at: 0)) < absence ? 2 : 3
    return (0..<count).map { k in
      let own = key.folded(in: UInt64(k))
      let drawn = SIMD3(uniform(-1...1, own, 0), uniform(-1...1, own, 1), uniform(-1...1, own, 2))
      if k == 0 {
        center = 0.3 * drawn
        radii = SIMD3(
          uniform(0.35...0.55, own, 3), uniform(0.35...0.55, own, 4), uniform(0.35...0.55, own, 5))
      } else {
        // Off the center by at most what the smaller radii leave.
        center += 0.15 * radii * drawn
        radii *= SIMD3(
          uniform(0.65...0.8, own, 3), uniform(0.65...0.8, own, 4), uniform(0.65...0.8, own, 5))
      }
      return Region(center: center, radii: radii, key: own.folded(in: "shape"))
    }
  }

  private func uniform(_ range: ClosedRange<Double>, _ key: RandomKey, _ index: Int) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double(key.uniform(at: index))
  }
}

/// An ellipsoid with dents and bumps.
private struct Region {
  let center, radii: SIMD3<Double>
  private let deformation: SmoothField

  init(center: SIMD3<Double>, radii: SIMD3<Double>, key: RandomKey) {
    self.center = center
    self.radii = radii
    deformation = SmoothField(cells: 5, key: key)
  }

  /// How wide the boundary is, as a level: some 0.06 of the volume's half.
  var blur: Double { 0.03 / radii.min() }

  /// Below 1 inside; between 0.85 and 1.15 of the ellipsoid's own level.
  func level(at u: SIMD3<Double>) -> Double {
    let v = (u - center) / radii
    return (v * v).sum().squareRoot() * (1 + 0.15 * deformation.value(at: u))
  }
}

/// Numbers drawn at the corners of a grid over the cube from -1 to 1, and a smooth function between them.
private struct SmoothField {
  private let cells: Int
  private let corners: [Double]

  /// A field of `cells` along each axis.
  init(cells: Int, key: RandomKey) {
    self.cells = cells
    let count = (cells + 1) * (cells + 1) * (cells + 1)
    corners = (0..<count).map { 2 * Double(key.uniform(at: $0)) - 1 }
  }

  /// Between -1 and 1, with a continuous slope.
  func value(at u: SIMD3<Double>) -> Double {
    let place = ((u + 1) / 2 * Double(cells)).clamped(
      lowerBound: .zero, upperBound: SIMD3(repeating: Double(cells) - 1e-9))
    let cell = place.rounded(.down)
    let share = place - cell
    let t = share * share * (3 - 2 * share)
    let side = cells + 1
    let first = (Int(cell.x) * side + Int(cell.y)) * side + Int(cell.z)
    func along(_ start: Int) -> Double { corners[start] + t.z * (corners[start + 1] - corners[start]) }
    func across(_ start: Int) -> Double {
      let near = along(start)
      return near + t.y * (along(start + side) - near)
    }
    let near = across(first)
    return near + t.x * (across(first + side * side) - near)
  }
}

extension RandomKey {
  /// A number of the standard normal distribution, by the Box-Muller transform.
  fileprivate func normal(at index: Int) -> Double {
    let words = block(at: SIMD2(0, UInt32(index)))
    let (u, v) = (Double(words.x >> 8) * 0x1p-24, Double(words.y >> 8) * 0x1p-24)
    return (-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v)
  }
}
