/// Hands out stretches of a staging buffer in a circle, and takes them back as submissions complete.
///
/// As offsets only: touches no memory itself. Each stretch is lent until a submission number has passed.
package struct StagingRing: Sendable {
  /// The size of the buffer in bytes.
  package let capacity: Int
  private var lent: [Loan] = []
  private var next = 0

  private struct Loan {
    var offset: Int
    var submission: UInt64
  }

  /// Stretches start at multiples of this, so that a copy of whole cache lines stays one.
  private static let alignment = 64

  /// A ring over `capacity` bytes, all free.
  package init(capacity: Int) {
    self.capacity = capacity
  }

  /// The submission that the longest-lent stretch waits for.
  package var oldestSubmission: UInt64? { lent.first?.submission }

  /// Lends `byteCount` bytes until `submission` completes, or returns nil until older ones are released.
  package mutating func reserve(byteCount: Int, until submission: UInt64) -> Int? {
    let count = (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
    guard let tail = lent.first?.offset else {
      guard count <= capacity else { return nil }
      return lend(offset: 0, count, submission)
    }
    if next > tail {
      if capacity - next >= count { return lend(offset: next, count, submission) }
      return tail >= count ? lend(offset: 0, count, submission) : nil
    }
    // Here the free bytes lie between `next` and `tail`; none are left where the two meet.
    return tail - next >= count ? lend(offset: next, count, submission) : nil
  }

  /// Takes back what was lent until `submission` or an earlier one.
  package mutating func release(upTo submission: UInt64) {
    let kept = lent.firstIndex { $0.submission > submission } ?? lent.count
    lent.removeFirst(kept)
    if lent.isEmpty { next = 0 }
  }

  /// Takes back the stretch that was lent last, because its submission did not come about.
  package mutating func cancelLatest() {
    if let loan = lent.popLast() { next = lent.isEmpty ? 0 : loan.offset }
  }

  private mutating func lend(offset: Int, _ count: Int, _ submission: UInt64) -> Int {
    lent.append(Loan(offset: offset, submission: submission))
    next = offset + count
    return offset
  }
}
