import HeklaArrays
import HeklaNN
import Testing

@Suite struct PruningMaskTests {
  private func floats(_ array: HostArray) -> [Float] { array.elements(as: Float.self) }

  @Test func `A mask that keeps all has ones of the layers' shapes`() {
    let mask = PruningMask(keepingAllOf: [[2, 3], [4]])
    #expect(mask.layers.map(\.shape) == [[2, 3], [4]])
    #expect(mask.counts == [6, 4])
    #expect(mask.density == 1)
  }

  @Test func `The largest magnitudes stay, whatever their sign`() {
    let weights = HostArray([0.1, -5, 3, -0.2, 4, 0] as [Float], shape: [2, 3])
    let mask = PruningMask(keepingAllOf: [[2, 3]]).keepingLargest([3], of: [weights])
    #expect(floats(mask.layers[0]) == [0, 1, 1, 0, 1, 0])
    #expect(mask.layers[0].shape == [2, 3])
    #expect(mask.density == 0.5)
  }

  @Test func `Of equal magnitudes the first stay`() {
    let weights = HostArray([1, -1, 2, 1, -1] as [Float])
    let all = PruningMask(keepingAllOf: [[5]])
    #expect(floats(all.keepingLargest([3], of: [weights]).layers[0]) == [1, 1, 1, 0, 0])
    #expect(floats(all.keepingLargest([4], of: [weights]).layers[0]) == [1, 1, 1, 1, 0])
  }

  @Test func `What was pruned once never returns, however large it has become`() {
    let all = PruningMask(keepingAllOf: [[4]])
    let first = all.keepingLargest([2], of: [HostArray([4, 3, 2, 1] as [Float])])
    let second = first.keepingLargest([1], of: [HostArray([1, 2, 8, 9] as [Float])])
    #expect(floats(second.layers[0]) == [0, 1, 0, 0])
  }

  @Test func `NaN goes first, and a zero that remains is a weight like others`() {
    let weights = HostArray([.nan, 0, 1, -.infinity] as [Float])
    let all = PruningMask(keepingAllOf: [[4]])
    #expect(floats(all.keepingLargest([3], of: [weights]).layers[0]) == [0, 1, 1, 1])
    #expect(floats(all.keepingLargest([1], of: [weights]).layers[0]) == [0, 0, 0, 1])
  }

  @Test func `Layers are ranked apart, and arrays after them are not read`() {
    let weights = [HostArray([1, 2] as [Float]), HostArray([9, 8] as [Float]), HostArray([7] as [Int32])]
    let mask = PruningMask(keepingAllOf: [[2], [2]]).keepingLargest([1, 1], of: weights)
    #expect(mask.layers.map(floats) == [[0, 1], [1, 0]])
  }

  @Test func `Random masks have the counts that were asked for, and follow from the key`() {
    let shapes: [Shape] = [[8, 16], [16, 4], [7]]
    let counts = [13, 64, 0]
    let mask = PruningMask(keeping: counts, atRandomOf: shapes, key: RandomKey(seed: 3))
    #expect(mask.counts == counts)
    #expect(mask.layers.map(\.shape) == shapes)
    #expect(mask == PruningMask(keeping: counts, atRandomOf: shapes, key: RandomKey(seed: 3)))
    #expect(mask != PruningMask(keeping: counts, atRandomOf: shapes, key: RandomKey(seed: 4)))
  }

  @Test func `A random mask favours no position`() {
    // Of 400 masks that keep 5 of 10, each position is kept 200 times with a standard deviation of 10.
    var kept = [Float](repeating: 0, count: 10)
    for seed in 0..<400 {
      let mask = PruningMask(keeping: [5], atRandomOf: [[10]], key: RandomKey(seed: UInt64(seed)))
      kept = zip(kept, floats(mask.layers[0])).map(+)
    }
    #expect(kept.allSatisfy { abs($0 - 200) < 50 }, "\(kept)")
  }

  @Test func `Applying a mask gives positive zeros and leaves survivors and biases bit for bit`() {
    let weights = HostArray([-1.5, .nan, 0.1, -0.0] as [Float], shape: [2, 2])
    let bias = HostArray([3, 4] as [Float])
    let mask = PruningMask(keepingAllOf: [[2, 2]]).keepingLargest(
      [2], of: [HostArray([0, 0, 1, 1] as [Float])])
    let applied = mask.applied(to: [weights, bias])
    // Equality of arrays is equality of bits, so -0 would differ from 0.
    #expect(applied == [HostArray([0, 0, 0.1, -0.0] as [Float], shape: [2, 2]), bias])
  }

  @Test func `A mask cannot keep more weights than are left`() async {
    await #expect(processExitsWith: .failure) {
      let all = PruningMask(keepingAllOf: [[3]])
      let weights = [HostArray([1, 2, 3] as [Float])]
      _ = all.keepingLargest([1], of: weights).keepingLargest([2], of: weights)
    }
  }
}
