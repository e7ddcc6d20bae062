import HeklaArrays

/// A volume of one or more channels, with the class of each voxel; classes lie inside of each other.
public struct LabeledVolume: Sendable, Equatable {
  /// What the volume is, for logs and files.
  public let name: String
  /// The channels: float32 of shape `[channels, depth, height, width]`.
  public let image: HostArray
  /// The innermost class that holds each voxel, 0 for none: uint8 of shape `[depth, height, width]`.
  public let labels: HostArray

  /// Channels and labels that belong together.
  /// - Precondition: `image` is float32 of rank 4, and `labels` uint8 of its last three extents.
  public init(name: String, image: HostArray, labels: HostArray) {
    require(
      image.elementType == .float32 && image.shape.rank == 4 && labels.elementType == .uint8
        && labels.shape.extents == Array(image.shape.extents.dropFirst()),
      "LabeledVolume: an image \(image.elementType) \(image.shape) cannot have labels \(labels.elementType) "
        + "\(labels.shape)")
    self.name = name
    self.image = image
    self.labels = labels
  }

  /// Depth, height and width.
  public var extents: [Int] { labels.shape.extents }

  /// The number of channels.
  public var channelCount: Int { image.shape[0] }

  /// The number of voxels of region k, of class k or inside of it, for k = 1...`classCount`.
  public func voxelCounts(classCount: Int) -> [Int] {
    let all = labels.elements(as: UInt8.self)
    return (1...classCount).map { k in all.count { $0 >= k } }
  }

  /// 2 |A and B| / (|A| + |B|) of the true and the predicted region k, for k = 1...`classCount`.
  ///
  /// Two empty regions overlap by 1, an empty one and another by 0.
  /// Source: Dice 1945, "Measures of the amount of ecologic association between species".
  /// - Precondition: `predicted` is uint8 of the labels' shape.
  public func dice(of predicted: HostArray, classCount: Int) -> [Double] {
    require(predicted.shape == labels.shape, "LabeledVolume: \(predicted.shape) is not \(labels.shape)")
    var (common, total) = (
      [Int](repeating: 0, count: classCount + 1), [Int](repeating: 0, count: classCount + 1)
    )
    for (truth, found) in zip(labels.elements(as: UInt8.self), predicted.elements(as: UInt8.self)) {
      let (truth, found) = (min(Int(truth), classCount), min(Int(found), classCount))
      common[min(truth, found)] += 2
      total[truth] += 1
      total[found] += 1
    }
    // What is of class k or inside of it.
    for k in (0..<classCount).reversed() {
      common[k] += common[k + 1]
      total[k] += total[k + 1]
    }
    return (1...classCount).map { total[$0] == 0 ? 1 : Double(common[$0]) / Double(total[$0]) }
  }

  /// The volume with each channel at mean 0 and variance 1 over its elements that are not 0; zeros, which are outside
  /// of what was scanned, stay.
  public func standardized() -> LabeledVolume {
    let (elements, count) = (image.elements(as: Float.self), labels.count)
    var result = elements
    for channel in 0..<channelCount {
      let range = channel * count..<(channel + 1) * count
      let inside = elements[range].filter { $0 != 0 }
      let mean = inside.reduce(0) { $0 + Double($1) } / Double(max(inside.count, 1))
      let square = inside.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      let deviation = (square / Double(max(inside.count, 1))).squareRoot()
      for place in range where elements[place] != 0 {
        result[place] = Float((Double(elements[place]) - mean) / (deviation > 0 ? deviation : 1))
      }
    }
    return LabeledVolume(name: name, image: HostArray(result, shape: image.shape), labels: labels)
  }

  /// A part of the volume, mirrored along some axes.
  /// - Parameters:
  ///   - start: The first voxel, along each axis.
  ///   - extents: How far the part reaches; beyond the volume it holds zeros of class 0.
  ///   - flips: Along which axes it is mirrored.
  public func patch(
    at start: [Int], extents: [Int], flipping flips: [Bool] = [false, false, false]
  ) -> LabeledVolume {
    let own = self.extents
    let (count, channels) = (extents.reduce(1, *), channelCount)
    var image = [Float](repeating: 0, count: channels * count)
    var labels = [UInt8](repeating: 0, count: count)
    self.image.withUnsafeBytes { bytes in
      let elements = bytes.bindMemory(to: Float.self)
      self.labels.withUnsafeBytes { classes in
        for z in 0..<extents[0] {
          for y in 0..<extents[1] {
            let (sourceZ, sourceY) = (
              start[0] + (flips[0] ? extents[0] - 1 - z : z), start[1] + (flips[1] ? extents[1] - 1 - y : y)
            )
            guard (0..<own[0]).contains(sourceZ), (0..<own[1]).contains(sourceY) else { continue }
            let (target, source) = ((z * extents[1] + y) * extents[2], (sourceZ * own[1] + sourceY) * own[2])
            for x in 0..<extents[2] {
              let sourceX = start[2] + (flips[2] ? extents[2] - 1 - x : x)
              guard (0..<own[2]).contains(sourceX) else { continue }
              labels[target + x] = classes[source + sourceX]
              for channel in 0..<channels {
                image[channel * count + target + x] = elements[channel * classes.count + source + sourceX]
              }
            }
          }
        }
      }
    }
    return LabeledVolume(
      name: name, image: HostArray(image, shape: Shape([channels] + extents)),
      labels: HostArray(labels, shape: Shape(extents)))
  }

  /// A patch at a random place, mirrored at random along each axis.
  /// - Parameters:
  ///   - extents: How far it reaches; along an axis where that is more than the volume's, it begins where that does.
  ///   - isCentered: Whether a voxel of some class lies in its middle, as far as the volume's border allows; where
  ///     there is none, and where the patch holds all of the volume, the place is like any other.
  ///   - key: What decides.
  public func randomPatch(_ extents: [Int], aroundRegion isCentered: Bool, key: RandomKey) -> LabeledVolume {
    let room = zip(self.extents, extents).map { max(0, $0 - $1) }
    var start = room.enumerated().map { Int(key.word(at: $0)) % ($1 + 1) }
    if isCentered, room.contains(where: { $0 > 0 }) {
      let places = labels.elements(as: UInt8.self).enumerated().filter { $0.element > 0 }.map(\.offset)
      if !places.isEmpty {
        let middle = labels.shape.coordinates(ofIndex: places[Int(key.word(at: 3)) % places.count])
        start = middle.indices.map { min(max(0, middle[$0] - extents[$0] / 2), room[$0]) }
      }
    }
    return patch(at: start, extents: extents, flipping: (4..<7).map { key.word(at: $0) % 2 == 1 })
  }

  /// Volumes of one shape as two arrays: float32 `[count, channels, depth, height, width]` and uint8 without channels.
  /// - Precondition: There is a volume, and all have the shape of the first.
  public static func stacked(_ volumes: [LabeledVolume]) -> [HostArray] {
    require(
      !volumes.isEmpty && volumes.allSatisfy { $0.image.shape == volumes[0].image.shape },
      "LabeledVolume: volumes \(volumes.map(\.image.shape)) cannot be stacked")
    return [
      HostArray(
        volumes.flatMap { $0.image.elements(as: Float.self) },
        shape: Shape([volumes.count] + volumes[0].image.shape.extents)),
      HostArray(
        volumes.flatMap { $0.labels.elements(as: UInt8.self) },
        shape: Shape([volumes.count] + volumes[0].extents)),
    ]
  }

  // MARK: Slices

  /// The slice with the most voxels of the innermost class that is there, the first of several; the middle one of a
  /// volume without classes.
  public var fullestSlice: Int {
    let all = labels.elements(as: UInt8.self)
    guard let innermost = all.max(), innermost > 0 else { return extents[0] / 2 }
    let size = extents[1] * extents[2]
    let counts = (0..<extents[0]).map { z in all[z * size..<(z + 1) * size].count { $0 == innermost } }
    return counts.firstIndex(of: counts.max() ?? 0) ?? 0
  }

  /// A slice of one channel, row by row.
  public func slice(_ z: Int, channel: Int) -> [[Double]] {
    let (all, height, width) = (image.elements(as: Float.self), extents[1], extents[2])
    return (0..<height).map { y in
      let start = ((channel * extents[0] + z) * height + y) * width
      return all[start..<start + width].map(Double.init)
    }
  }

  /// A slice of labels, uint8 of shape `[depth, height, width]`, row by row.
  public static func slice(_ z: Int, of labels: HostArray) -> [[Int]] {
    let (all, height, width) = (labels.elements(as: UInt8.self), labels.shape[1], labels.shape[2])
    return (0..<height).map { y in
      let start = (z * height + y) * width
      return all[start..<start + width].map(Int.init)
    }
  }
}
