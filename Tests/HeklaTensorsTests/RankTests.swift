import Foundation
import HeklaArrays
import HeklaTensors
import Testing

@Suite struct RankTests {
  static let values = spread(24, seed: 31).map { ($0 * 4).rounded() }

  @Test(arguments: [1, 3, 6], [false, true])
  func `A mask of the largest elements takes the first of equals`(count: Int, smallest: Bool) {
    let found = numbers(of: Tensor(Self.values, shape: [4, 6]).topKMask(count, smallest: smallest))
    for row in 0..<4 {
      let own = Array(Self.values[(row * 6)..<(row * 6 + 6)])
      let order = own.indices.sorted {
        smallest ? (own[$0], $0) < (own[$1], $1) : (-own[$0], $0) < (-own[$1], $1)
      }
      let chosen = Set(order.prefix(count))
      let wanted = own.indices.map { chosen.contains($0) ? 1.0 : 0 }
      #expect(Array(found[(row * 6)..<(row * 6 + 6)]) == wanted)
    }
  }

  @Test func `A mask of the largest takes numbers before NaN, along any axis, and none where none is wanted`()
  {
    let x = Tensor([Double.nan, 2, .nan, -5, 1, .nan], shape: [3, 2])
    #expect(numbers(of: x.topKMask(2, along: 0)) == [1, 1, 0, 1, 1, 0])
    #expect(numbers(of: x.topKMask(0)) == [0, 0, 0, 0, 0, 0])
    #expect(numbers(of: Tensor([3, 1, 2] as [Int32]).topKMask(2)) == [1, 0, 1])
  }

  @Test func `Quantiles lie between elements in proportion`() {
    let shares = [0, 0.25, 0.5, 0.9, 1]
    let found = numbers(of: Tensor(Self.values, shape: [4, 6]).quantiles(shares, along: 0))
    var wanted = [Double](repeating: 0, count: 30)
    for column in 0..<6 {
      let sorted = (0..<4).map { Self.values[$0 * 6 + column] }.sorted()
      for (index, share) in shares.enumerated() {
        let place = share * 3
        let below = Int(place)
        let above = min(below + 1, 3)
        wanted[index * 6 + column] = sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
      }
    }
    #expect(agree(found, wanted, within: 1e-14))
    #expect(gradientError(at: spread(12, seed: 3), [3, 4]) { $0.quantiles(shares) } < 1e-8)
  }

  @Test func `a quantile at an infinite end is the end, and its neighbours are not drawn along`() {
    let above = Tensor([1.0, 2, .infinity]).quantiles([0, 0.5, 0.75, 1])
    #expect(numbers(of: above) == [1, 2, .infinity, .infinity])
    let below = Tensor([-Double.infinity, 1]).quantiles([0, 0.5, 1])
    #expect(numbers(of: below) == [-.infinity, -.infinity, 1])
  }

  @Test func `Equal elements share the mean of their ranks`() {
    let found = numbers(of: Tensor(Self.values, shape: [2, 3, 4]).ranks(along: 1))
    for index in 0..<24 {
      let (outer, inner) = (index / 12, index % 4)
      let own = (0..<3).map { Self.values[outer * 12 + $0 * 4 + inner] }
      let (below, equal) = (
        own.filter { $0 < Self.values[index] }.count, own.filter { $0 == Self.values[index] }.count
      )
      #expect(found[index] == Double(below) + Double(equal + 1) / 2)
    }
  }

  @Test func `Different numbers are counted`() {
    let found = numbers(of: Tensor(Self.values, shape: [4, 6]).distinctCount(along: 0))
    let wanted = (0..<6).map { column -> Double in
      let own = (0..<4).map { Self.values[$0 * 6 + column] }
      return Double(Set(own).count)
    }
    #expect(found == wanted)
    #expect(numbers(of: Tensor.zeros([2, 0]).distinctCount(keepingAxes: true)) == [0, 0])
  }

  @Test func `Draws without replacement are different, and as likely as they should be`() {
    // The first draw has the probabilities themselves; both have p(a) p(b) / (1 - p(a)).
    let p = [0.5, 0.3, 0.15, 0.05]
    let count = 2000
    let logits = Tensor(p.map { log($0) }).broadcast(to: [count, 4])
    let found = numbers(of: .categorical(2, withoutReplacementFrom: logits, key: RandomKey(seed: 5)))
    let pairs = (0..<count).map { [Int(found[2 * $0]), Int(found[2 * $0 + 1])] }
    for first in 0..<4 {
      for second in 0..<4 {
        let share = Double(pairs.filter { $0 == [first, second] }.count) / Double(count)
        let expected = first == second ? 0 : p[first] * p[second] / (1 - p[first])
        // Four and a half standard deviations.
        #expect(abs(share - expected) <= 4.5 * (expected * (1 - expected) / Double(count)).squareRoot())
      }
    }
    let all = numbers(of: .categorical(4, withoutReplacementFrom: logits, key: RandomKey(seed: 6)))
    #expect((0..<count).allSatisfy { Set(all[($0 * 4)..<($0 * 4 + 4)]) == [0, 1, 2, 3] })
    let excluded = Tensor([0, -Double.infinity, 0]).broadcast(to: [50, 3])
    #expect(
      !numbers(of: .categorical(2, withoutReplacementFrom: excluded, key: RandomKey(seed: 7))).contains(1))
  }
}
