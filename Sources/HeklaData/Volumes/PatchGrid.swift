import HeklaArrays

/// Patches of one size that cover a volume, each half over its neighbours, for networks that cannot take it whole.
///
/// Along an axis that is shorter than a patch there is one, which reaches beyond the volume.
public struct PatchGrid: Sendable, Equatable {
  /// The extents of the volume.
  public let extents: [Int]
  /// The extents of a patch.
  public let patch: [Int]
  /// Where each patch begins.
  public let starts: [[Int]]

  /// The patches that cover a volume.
  /// - Precondition: Both have the same number of extents, all of them positive.
  public init(covering extents: [Int], by patch: [Int]) {
    require(
      extents.count == patch.count && (extents + patch).allSatisfy { $0 > 0 },
      "PatchGrid: patches of \(patch) cannot cover \(extents)")
    self.extents = extents
    self.patch = patch
    starts = zip(extents, patch).reduce([[]]) { starts, axis in
      let (rest, step) = (max(0, axis.0 - axis.1), max(1, axis.1 / 2))
      let count = (rest + step - 1) / step
      let places = (0...count).map { count == 0 ? 0 : $0 * rest / count }
      return starts.flatMap { start in places.map { start + [$0] } }
    }
  }

  /// The volume that `patches`, in the order of `starts`, make up: the mean where they overlap, cut at its borders.
  /// - Parameter patches: Of shape `[channels] + patch` each, in row-major order.
  /// - Returns: float32 of shape `[channels] + extents`.
  public func joined(_ patches: [[Float]]) -> HostArray {
    let (count, patchCount) = (extents.reduce(1, *), patch.reduce(1, *))
    let channels = (patches.first?.count ?? 0) / patchCount
    require(
      patches.count == starts.count && patches.allSatisfy { $0.count == channels * patchCount },
      "PatchGrid: \(patches.count) patches; there are \(starts.count) of \(patch)")
    var (sums, weights) = (
      [Float](repeating: 0, count: channels * count), [Float](repeating: 0, count: count)
    )
    let (rowShape, width) = (Shape(Array(patch.dropLast())), patch[patch.count - 1])
    for (start, values) in zip(starts, patches) {
      for row in 0..<rowShape.count {
        let place = zip(start, rowShape.coordinates(ofIndex: row)).map { $0 + $1 }
        guard zip(place, extents).allSatisfy({ $0 < $1 }) else { continue }
        let (last, most) = (start[start.count - 1], extents[extents.count - 1])
        let target = zip(place, extents).reduce(0) { $0 * $1.1 + $1.0 } * most + last
        for x in 0..<min(width, most - last) {
          weights[target + x] += 1
          for channel in 0..<channels {
            sums[channel * count + target + x] += values[channel * patchCount + row * width + x]
          }
        }
      }
    }
    for index in sums.indices { sums[index] /= weights[index % count] }
    return HostArray(sums, shape: Shape([channels] + extents))
  }
}
