import HeklaArrays

/// Random numbers one after the other, the same for the same seed on every machine.
public struct RandomNumbers: RandomNumberGenerator, Sendable {
  private let key: RandomKey
  private var position = 0

  /// The numbers of `seed`.
  public init(seed: UInt64) { key = RandomKey(seed: seed) }

  /// Sixty-four random bits.
  public mutating func next() -> UInt64 {
    defer { position += 1 }
    let block = key.block(at: SIMD2(0, UInt32(truncatingIfNeeded: position)))
    return UInt64(block.x) << 32 | UInt64(block.y)
  }

  /// A whole number in `0..<bound`.
  public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  /// A real number in `range`.
  public mutating func real(in range: ClosedRange<Double>) -> Double {
    Double.random(in: range, using: &self)
  }

  /// Whether a coin that shows heads in one of `times` throws does so now.
  public mutating func oneIn(_ times: Int) -> Bool { below(times) == 0 }
}
