/// A 128-bit hash that is the same in every process: for names of things that outlive one.
///
/// Two FNV-1a hashes of 64 bits from different starts. It tells accidents apart, not attacks.
///
/// Source: Fowler, Noll and Vo, "The FNV non-cryptographic hash algorithm" (RFC 9923).
struct StableHash {
  private var first: UInt64 = 0xcbf2_9ce4_8422_2325
  private var second: UInt64 = 0x6c62_272e_07bb_0142

  /// The hash of `parts`, each ended so that neighbours do not run together.
  init(_ parts: [String]) {
    for part in parts {
      for byte in part.utf8 { absorb(byte) }
      // No byte of UTF-8 text.
      absorb(0xff)
    }
  }

  private mutating func absorb(_ byte: UInt8) {
    first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
    second = (second ^ UInt64(byte)) &* 0x100_0000_01b3
    second ^= second >> 29
  }

  /// The hash as 32 hexadecimal digits.
  var hexadecimal: String {
    [first, second].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
