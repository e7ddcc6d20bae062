/// Guards files against damage, and mixes identities into short keys; nothing depends on it being secure.
enum Checksum {
  /// The 64-bit FNV-1a hash of `bytes` (Fowler, Noll and Vo).
  static func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
