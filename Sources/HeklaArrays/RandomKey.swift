/// The seed of a stream of random numbers: a value that is split, never advanced.
///
/// Numbers are a pure function of key and position (Threefry-2x32 with 20 rounds), so they are the same
/// on every device, in any order and however a plan is fused. Use a key once; `split` or `folded(in:)`
/// makes independent ones.
///
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.
public struct RandomKey: Sendable, Hashable, Codable {
  /// The two words of the key.
  public let words: SIMD2<UInt32>

  /// The key made of these two words.
  public init(words: SIMD2<UInt32>) { self.words = words }

  /// The key of a seed, as a person gives it.
  public init(seed: UInt64) {
    words = SIMD2(UInt32(truncatingIfNeeded: seed >> 32), UInt32(truncatingIfNeeded: seed))
  }

  /// An independent key for each of `0..<count`.
  public func split(into count: Int) -> [RandomKey] { (0..<count).map { folded(in: UInt64($0)) } }

  /// An independent key for `number`; the same number gives the same key.
  public func folded(in number: UInt64) -> RandomKey {
    let counter = SIMD2(UInt32(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number))
    // The high bit of the first counter word keeps derived keys apart from numbers drawn with this key.
    return RandomKey(words: block(at: SIMD2(counter.x ^ 0x8000_0000, counter.y)))
  }

  /// An independent key for `name`, such as a parameter's path; the same name gives the same key.
  public func folded(in name: String) -> RandomKey {
    // FNV-1a, 64 bits.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return folded(in: hash)
  }

  /// The two random words at `counter`: Threefry-2x32, 20 rounds.
  public func block(at counter: SIMD2<UInt32>) -> SIMD2<UInt32> {
    let keys = [words.x, words.y, 0x1BD1_1BDA ^ words.x ^ words.y]
    let rotations: [[UInt32]] = [[13, 15, 26, 6], [17, 29, 16, 24]]
    var x = SIMD2(counter.x &+ keys[0], counter.y &+ keys[1])
    for group in 0..<5 {
      for rotation in rotations[group % 2] {
        x.x = x.x &+ x.y
        x.y = (x.y << rotation | x.y >> (32 - rotation)) ^ x.x
      }
      x.x = x.x &+ keys[(group + 1) % 3]
      x.y = x.y &+ keys[(group + 2) % 3] &+ UInt32(group + 1)
    }
    return x
  }

  /// The random word of element `index`: the first word of the block whose counter is `[0, index]`.
  ///
  /// - Precondition: `index` is in `0..<2^32`.
  public func word(at index: Int) -> UInt32 { block(at: SIMD2(0, UInt32(index))).x }

  /// A uniform number in `[0, 1)` with 24 random bits, for element `index`.
  public func uniform(at index: Int) -> Float { Float(word(at: index) >> 8) * 0x1p-24 }

  /// A random order of `0..<count`, every order equally likely up to the 32 random bits per element.
  public func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      // The upper half of a 64-bit product: uniform up to a bias below count / 2^32.
      let other = Int((UInt64(word(at: last)) * UInt64(last + 1)) >> 32)
      order.swapAt(last, other)
    }
    return order
  }
}
