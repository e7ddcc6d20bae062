import Foundation
import HeklaArrays
import Testing

@Suite struct RandomKeyTests {
  /// Source: the file of known answers of Random123, "threefry2x32 20".
  @Test(arguments: [
    (SIMD2<UInt32>(0, 0), SIMD2<UInt32>(0, 0), SIMD2<UInt32>(0x6b20_0159, 0x99ba_4efe)),
    (SIMD2(~0, ~0), SIMD2(~0, ~0), SIMD2(0x1cb9_96fc, 0xbb00_2be7)),
    (SIMD2(0x13198a2e, 0x0370_7344), SIMD2(0x243f_6a88, 0x85a3_08d3), SIMD2(0xc492_3a9c, 0x483d_f7a0)),
  ])
  func `blocks are those of Threefry-2x32 with 20 rounds`(
    key: SIMD2<UInt32>, counter: SIMD2<UInt32>, block: SIMD2<UInt32>
  ) {
    #expect(RandomKey(words: key).block(at: counter) == block)
  }

  @Test func `a seed fills both words`() {
    #expect(RandomKey(seed: 0x0123_4567_89AB_CDEF).words == SIMD2(0x0123_4567, 0x89AB_CDEF))
  }

  @Test func `keys that are split, folded or named all differ, and differ from what the key draws`() {
    let key = RandomKey(seed: 42)
    var words = Set(key.split(into: 1000).map(\.words))
    #expect(words.count == 1000)
    #expect(key.split(into: 3)[2] == key.folded(in: UInt64(2)))
    for name in ["weight", "bias", "weight.0", ""] { words.insert(key.folded(in: name).words) }
    for child in key.split(into: 10) {
      for grandchild in child.split(into: 100) { words.insert(grandchild.words) }
    }
    for index in 0..<1000 { words.insert(key.block(at: SIMD2(0, UInt32(index)))) }
    #expect(words.count == 1000 + 4 + 1000 + 1000)
    #expect(key.folded(in: "weight") == key.folded(in: "weight"))
  }

  @Test func `streams of sibling keys are not correlated`() {
    // Of 4096 independent pairs the correlation has the standard deviation 1/64; five of them is 0.08.
    let keys = RandomKey(seed: 7).split(into: 4)
    let streams = keys.map { key in (0..<4096).map { Double(key.uniform(at: $0)) - 0.5 } }
    for first in 0..<4 {
      for second in 0..<first {
        let covariance = zip(streams[first], streams[second]).reduce(0) { $0 + $1.0 * $1.1 } / 4096
        #expect(abs(covariance * 12) < 0.08)
      }
    }
  }

  @Test func `uniform numbers lie in 0..<1 and fill it evenly`() {
    let key = RandomKey(seed: 11)
    var counts = [Int](repeating: 0, count: 64)
    for index in 0..<64_000 {
      let number = key.uniform(at: index)
      #expect(number >= 0 && number < 1)
      counts[Int(number * 64)] += 1
    }
    #expect(chiSquare(counts, expected: 1000) < 63 + 5 * (2.0 * 63).squareRoot())
  }

  @Test func `a key as an array is its two words`() {
    let key = RandomKey(words: SIMD2(7, 0xffff_fff0))
    #expect(HostArray(key) == HostArray([7, 0xffff_fff0] as [UInt32]))
  }

  @Test(arguments: [0, 1, 2, 3, 100, 4097])
  func `a permutation holds every number once`(count: Int) {
    #expect(RandomKey(seed: 3).permutation(of: count).sorted() == Array(0..<count))
  }

  @Test func `the 24 orders of four are equally frequent`() {
    var counts: [[Int]: Int] = [:]
    for key in RandomKey(seed: 5).split(into: 24_000) { counts[key.permutation(of: 4), default: 0] += 1 }
    #expect(counts.count == 24)
    #expect(chiSquare(Array(counts.values), expected: 1000) < 23 + 5 * (2.0 * 23).squareRoot())
  }

  /// Has the mean and half the variance of its degrees of freedom; the tests allow five standard deviations.
  private func chiSquare(_ counts: [Int], expected: Double) -> Double {
    counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}
