import HeklaArrays
import HeklaData
import Testing

@Suite("Labeled volumes")
struct LabeledVolumeTests {
  /// Two channels of 2 x 3 x 4 voxels: 100 c + the voxel's number.
  static func volume(_ labels: [UInt8] = [UInt8](repeating: 0, count: 24)) -> LabeledVolume {
    let image = (0..<48).map { Float(100 * ($0 / 24) + $0 % 24) }
    return LabeledVolume(
      name: "v", image: HostArray(image, shape: [2, 2, 3, 4]), labels: HostArray(labels, shape: [2, 3, 4]))
  }

  @Test("Dice is twice the common share of each region; empty ones overlap by 1, or by 0 with others")
  func dice() {
    var (truth, found) = ([UInt8](repeating: 0, count: 24), [UInt8](repeating: 0, count: 24))
    // Whole: 6 and 5 voxels, 4 of them common; core: 2 and 1, 1 common; class 3 only in one of them.
    for place in 0..<6 { truth[place] = place < 2 ? 2 : 1 }
    for place in 2..<7 { found[place] = 1 }
    (truth[5], found[5]) = (2, 2)
    truth[0] = 1
    func dice(_ truth: [UInt8], _ found: [UInt8]) -> [Double] {
      Self.volume(truth).dice(of: HostArray(found, shape: [2, 3, 4]), classCount: 3)
    }
    #expect(dice(truth, found) == [8.0 / 11, 2.0 / 3, 1])
    #expect(dice(found, truth) == [8.0 / 11, 2.0 / 3, 1])
    found[6] = 3
    #expect(dice(truth, found) == [8.0 / 11, 2.0 / 4, 0])
    let none = [UInt8](repeating: 0, count: 24)
    #expect(dice(none, none) == [1, 1, 1])
    #expect(dice(none, found) == [0, 0, 0] && dice(found, none) == [0, 0, 0])
    #expect(dice(found, found) == [1, 1, 1])
    #expect(Self.volume(found).voxelCounts(classCount: 3) == [5, 2, 1])
  }

  @Test("A patch holds what lies there, mirrored where asked, and zeros beyond the volume")
  func patches() {
    let volume = Self.volume((0..<24).map { UInt8($0) })
    let whole = volume.patch(at: [0, 0, 0], extents: [2, 3, 4])
    #expect(whole == volume)
    let inner = volume.patch(at: [1, 1, 2], extents: [1, 2, 2])
    #expect(inner.image == HostArray([18, 19, 22, 23, 118, 119, 122, 123] as [Float], shape: [2, 1, 2, 2]))
    #expect(inner.labels == HostArray([18, 19, 22, 23] as [UInt8], shape: [1, 2, 2]))
    let mirrored = volume.patch(at: [1, 1, 2], extents: [1, 2, 2], flipping: [true, true, false])
    #expect(mirrored.labels.elements(as: UInt8.self) == [22, 23, 18, 19])
    #expect(
      volume.patch(at: [0, 0, 0], extents: [2, 3, 4], flipping: [true, true, true]).labels.elements(
        as: UInt8.self)
        == (0..<24).reversed().map { UInt8($0) })
    let beyond = volume.patch(at: [1, 2, 3], extents: [2, 2, 2])
    #expect(beyond.labels.elements(as: UInt8.self) == [23, 0, 0, 0, 0, 0, 0, 0])
    #expect(beyond.image.elements(as: Float.self) == [23, 0, 0, 0, 0, 0, 0, 0, 123, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("Random patches stay inside, show a region where asked, and follow from the key")
  func randomPatches() {
    var labels = [UInt8](repeating: 0, count: 24)
    labels[23] = 1
    let volume = Self.volume(labels)
    var (starts, sums) = (Set<Float>(), 0)
    for number in 0..<40 {
      let key = RandomKey(seed: UInt64(number))
      let free = volume.randomPatch([1, 2, 2], aroundRegion: false, key: key)
      // Only the first voxel is 0, so no other zeros means that nothing lies beyond.
      #expect(free.image.elements(as: Float.self).count { $0 == 0 } <= 1)
      #expect(free == volume.randomPatch([1, 2, 2], aroundRegion: false, key: key))
      starts.insert(free.image.elements(as: Float.self).min() ?? -1)
      let centered = volume.randomPatch([1, 2, 2], aroundRegion: true, key: key)
      sums += centered.labels.elements(as: UInt8.self).reduce(0) { $0 + Int($1) }
      #expect(
        volume.randomPatch([2, 3, 4], aroundRegion: true, key: key).labels.elements(as: UInt8.self).max() == 1
      )
    }
    // All of the 2 * 2 * 3 places, with odds of 40 (11/12)^40 against missing one of them: some of them at least.
    #expect(starts.count > 8 && sums == 40)
  }

  @Test("Standardized channels have mean 0 and variance 1 where they are not 0")
  func standardization() {
    let image = (0..<48).map { Float($0 % 24 < 6 ? 0 : $0) }
    let volume = LabeledVolume(
      name: "v", image: HostArray(image, shape: [2, 2, 3, 4]),
      labels: HostArray(zeros: [2, 3, 4], of: .uint8))
    let found = volume.standardized().image.elements(as: Float.self)
    for channel in 0..<2 {
      let own = found[channel * 24..<channel * 24 + 24].map(Double.init)
      #expect(own.prefix(6).allSatisfy { $0 == 0 })
      let inside = own.dropFirst(6)
      // Eighteen float32 numbers of size 1.
      #expect(abs(inside.reduce(0, +) / 18) < 1e-6)
      #expect(abs(inside.reduce(0) { $0 + $1 * $1 } / 18 - 1) < 1e-6)
    }
    let constant = LabeledVolume(
      name: "c", image: HostArray([Float](repeating: 3, count: 24), shape: [1, 2, 3, 4]),
      labels: volume.labels)
    #expect(constant.standardized().image.elements(as: Float.self).allSatisfy { $0 == 0 })
  }

  @Test("Volumes are stacked, and slices are those of the array")
  func stacking() {
    let volume = Self.volume((0..<24).map { $0 == 13 ? 2 : $0 == 3 ? 1 : 0 })
    let both = LabeledVolume.stacked([volume, volume])
    #expect(both[0].shape == [2, 2, 2, 3, 4] && both[1].shape == [2, 2, 3, 4])
    #expect(both[0].gatheringRows([1]).reshaped(to: [2, 2, 3, 4]) == volume.image)
    #expect(both[1].gatheringRows([0]).reshaped(to: [2, 3, 4]) == volume.labels)
    #expect(volume.fullestSlice == 1 && Self.volume().fullestSlice == 1)
    #expect(
      volume.slice(1, channel: 1) == [[112, 113, 114, 115], [116, 117, 118, 119], [120, 121, 122, 123]])
    #expect(LabeledVolume.slice(1, of: volume.labels) == [[0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
  }

  @Test(
    "A grid of patches covers each voxel, and joined patches are the volume",
    arguments: [[4, 4, 4], [5, 9, 2], [1, 7, 12], [3, 8, 4]])
  func grids(extents: [Int]) {
    let count = extents.reduce(1, *)
    let volume = LabeledVolume(
      name: "v", image: HostArray((0..<2 * count).map { Float($0) }, shape: Shape([2] + extents)),
      labels: HostArray(zeros: Shape(extents), of: .uint8))
    let grid = PatchGrid(covering: extents, by: [4, 4, 4])
    #expect(grid.starts.allSatisfy { zip($0, extents).allSatisfy { $0 >= 0 && ($0 + 4 <= $1 || $0 == 0) } })
    let patches = grid.starts.map { volume.patch(at: $0, extents: [4, 4, 4]).image.elements(as: Float.self) }
    // Sums of at most 27 equal whole numbers below 2^24, divided by their count.
    #expect(grid.joined(patches) == volume.image)
    #expect(PatchGrid(covering: [8], by: [4]).starts == [[0], [2], [4]])
    #expect(PatchGrid(covering: [3], by: [4]).starts == [[0]])
  }
}
