import HeklaArrays
import HeklaData
import Testing

@Suite("Nested ellipsoids")
struct NestedEllipsoidsTests {
  private static let volumes = {
    var generator = NestedEllipsoids()
    generator.extent = 16
    generator.absence = 0.3
    return (0..<30).map { generator.volume(key: RandomKey(seed: 5).folded(in: UInt64($0))) }
  }()

  @Test("The same key gives the same volume, another key another")
  func determinism() {
    var generator = NestedEllipsoids()
    generator.extent = 8
    let first = generator.volume(key: RandomKey(seed: 1))
    #expect(generator.volume(key: RandomKey(seed: 1)) == first)
    #expect(generator.volume(key: RandomKey(seed: 2)) != first)
    #expect(first.image.shape == [4, 8, 8, 8])
  }

  @Test("The innermost class fills at most 4% of a volume, the others more, and it is absent in some")
  func sizes() {
    let counts = Self.volumes.map { $0.voxelCounts(classCount: 3) }
    #expect(counts.allSatisfy { $0[0] > $0[1] && $0[1] > $0[2] && $0[0] > 0 })
    #expect(counts.allSatisfy { Double($0[2]) <= 0.04 * 16 * 16 * 16 })
    // 9 of 30 with a standard deviation of 2.5, and very small regions may hold no voxel's center.
    let absent = counts.count { $0[2] == 0 }
    #expect((2...18).contains(absent))
    #expect(counts.contains { $0[2] > 10 })
  }

  @Test("Classes lie inside of each other and inside of the head, outside of which all is 0")
  func nesting() {
    for volume in Self.volumes {
      let (labels, image) = (volume.labels.elements(as: UInt8.self), volume.image.elements(as: Float.self))
      let isHead = labels.indices.map { image[$0] != 0 }
      #expect(labels.indices.allSatisfy { labels[$0] == 0 || isHead[$0] })
      #expect(labels.indices.allSatisfy { (image[labels.count + $0] != 0) == isHead[$0] })
      #expect(!isHead[0] && isHead.contains(true))
      // Each region has its middle inside of the one before.
      func middle(_ k: Int) -> [Double]? {
        let places = labels.indices.filter { labels[$0] >= k }.map {
          volume.labels.shape.coordinates(ofIndex: $0)
        }
        guard !places.isEmpty else { return nil }
        return (0..<3).map { axis in places.reduce(0) { $0 + Double($1[axis]) } / Double(places.count) }
      }
      for k in 2...3 {
        guard let inner = middle(k) else { continue }
        let place = inner.map { Int($0.rounded()) }
        #expect(labels[(place[0] * 16 + place[1]) * 16 + place[2]] >= k - 1)
      }
    }
  }

  @Test("Channels tell classes apart on average, and overlap voxel by voxel")
  func intensities() {
    // The last channel for the outermost class against tissue, the second for the innermost against its surroundings.
    for (channel, inner, outer) in [(3, 1, 0), (1, 3, 2)] {
      var values: [UInt8: [Float]] = [:]
      for volume in Self.volumes {
        let (labels, image) = (volume.labels.elements(as: UInt8.self), volume.image.elements(as: Float.self))
        for place in labels.indices where image[place] != 0 {
          values[labels[place], default: []].append(image[channel * labels.count + place])
        }
      }
      func mean(_ k: Int) -> Float {
        (values[UInt8(k)] ?? []).reduce(0, +) / Float(values[UInt8(k)]?.count ?? 1)
      }
      #expect(mean(inner) > mean(outer) + 0.3)
      let threshold = (mean(inner) + mean(outer)) / 2
      let wrong = (values[UInt8(inner)] ?? []).count { $0 < threshold }
      #expect(Double(wrong) > 0.02 * Double(values[UInt8(inner)]?.count ?? 0))
    }
  }
}
