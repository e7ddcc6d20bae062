/// How large a part of the factors is packed at a time, so that it stays in a level of the cache.
///
/// After Goto and van de Geijn: a panel of the right factor (`depth` x two vectors) is read from the first
/// level while all tiles of the left block pass over it; the left block lives in the second level; the right
/// block in the last. The numbers were measured on a processor with 48 KiB, 1 MiB and 32 MiB of these.
enum ProductBlocking {
  /// The most of the depth in a block. It decides where a sum is cut into partial sums, so it is the same for
  /// all shapes and instruction sets.
  static let depth = 768
  /// The most rows of a left block, a multiple of every tile's rows.
  static let rows = 84
  /// The most columns of a right block, a multiple of every panel's width.
  static let columns = 1024
  /// A right factor is read where it lies, not packed, where it meets at most so many rows.
  static let directRows = 256
  /// A left factor is read where it lies, not packed, where it meets at most so many columns.
  static let directColumns = 256
  /// The same for a left factor whose rows lie apart, which costs a tile more to read.
  static let directColumnsApart = 128
  /// So many rows of a matrix are packed into all panels before the next ones: each may be a page of its own,
  /// and a processor remembers few pages at a time.
  static let packedRows = 16
  /// Operations below which a further thread costs more than it does: about four microseconds of work.
  static let operationsPerTask = 1_000_000

  /// Bytes of a packed left block of the largest elements, and a vector that packing may write past its end.
  static let leftByteCount = rows * depth * 8 + 64
  /// Bytes of a packed right block of the largest elements.
  static let rightByteCount = columns * depth * 8

  /// The number of blocks that `depth` is cut into.
  static func depthBlockCount(_ depth: Int) -> Int { (depth + Self.depth - 1) / Self.depth }

  /// Block `number` of them.
  static func depthBlock(_ number: Int, of depth: Int) -> Range<Int> {
    evenPart(number, of: depthBlockCount(depth), in: depth)
  }
}

/// Cuts `0..<count` into `parts` ranges of nearly equal length, the longer first.
func evenPart(_ index: Int, of parts: Int, in count: Int, unit: Int = 1) -> Range<Int> {
  let units = (count + unit - 1) / unit
  let length = units / parts
  let longer = units % parts
  let start = index * length + min(index, longer)
  let end = start + length + (index < longer ? 1 : 0)
  return min(start * unit, count)..<min(end * unit, count)
}
