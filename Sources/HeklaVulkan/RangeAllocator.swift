/// Hands out stretches of a block of memory, as offsets only: touches no memory itself.
///
/// Best fit over a list of free ranges sorted by offset; freed neighbours coalesce at once, so the list
/// is as short as it can be.
struct RangeAllocator: Sendable {
  /// The size of the block in bytes.
  let capacity: Int
  /// The bytes handed out at the moment.
  private(set) var usedByteCount = 0
  /// What is free, in order, no two adjacent.
  private(set) var free: [Range<Int>]

  /// A block of `capacity` bytes, all free.
  init(capacity: Int) {
    self.capacity = capacity
    free = capacity > 0 ? [0..<capacity] : []
  }

  /// Whether nothing is handed out.
  var isEmpty: Bool { usedByteCount == 0 }

  /// Takes `byteCount` bytes whose offset is a multiple of `alignment`, or nil where no free range holds them.
  mutating func allocate(byteCount: Int, alignment: Int) -> Int? {
    var best: (index: Int, offset: Int)?
    for (index, range) in free.enumerated() {
      let offset = range.lowerBound.roundedUp(toMultipleOf: alignment)
      guard offset + byteCount <= range.upperBound else { continue }
      if let found = best, free[found.index].count <= range.count { continue }
      best = (index, offset)
    }
    guard let best else { return nil }
    let range = free[best.index]
    let left = range.lowerBound..<best.offset
    let right = best.offset + byteCount..<range.upperBound
    free.replaceSubrange(best.index...best.index, with: [left, right].filter { !$0.isEmpty })
    usedByteCount += byteCount
    return best.offset
  }

  /// Gives back what `allocate` returned for `byteCount` bytes.
  mutating func deallocate(offset: Int, byteCount: Int) {
    var range = offset..<offset + byteCount
    var index = free.partitioningIndex { $0.lowerBound >= range.upperBound }
    if index < free.count, free[index].lowerBound == range.upperBound {
      range = range.lowerBound..<free[index].upperBound
      free.remove(at: index)
    }
    if index > 0, free[index - 1].upperBound == range.lowerBound {
      range = free[index - 1].lowerBound..<range.upperBound
      index -= 1
      free.remove(at: index)
    }
    free.insert(range, at: index)
    usedByteCount -= byteCount
  }
}

extension [Range<Int>] {
  /// The first index whose element belongs to the second half, found by bisection.
  fileprivate func partitioningIndex(where belongsToSecond: (Range<Int>) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if belongsToSecond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension Int {
  /// The least multiple of `step`, which is positive, that is not less than this number.
  func roundedUp(toMultipleOf step: Int) -> Int { (self + step - 1) / step * step }
}
