import TestSupport
import Testing

@testable import HeklaDevices

@Suite("The staging ring")
struct StagingRingTests {
  @Test("stretches that are lent at the same time never overlap", arguments: 0..<4)
  func randomLoans(seed: UInt64) throws {
    var random = RandomNumbers(seed: seed)
    var ring = StagingRing(capacity: 4096)
    var live: [(range: Range<Int>, submission: UInt64)] = []
    var refused = 0
    for submission in 1...UInt64(2000) {
      let byteCount = random.below(1024) + 1
      while true {
        if let offset = ring.reserve(byteCount: byteCount, until: submission) {
          // Every now and then the submission fails, and is tried again.
          if random.below(7) == 0 {
            ring.cancelLatest()
            continue
          }
          let range = offset..<offset + byteCount
          #expect(range.upperBound <= ring.capacity)
          #expect(live.allSatisfy { !$0.range.overlaps(range) })
          live.append((range, submission))
          break
        }
        refused += 1
        let oldest = try #require(ring.oldestSubmission)
        #expect(oldest == live.first?.submission)
        ring.release(upTo: oldest)
        live.removeAll { $0.submission <= oldest }
      }
    }
    #expect(refused > 0)
  }

  @Test("an empty ring has room for all of its capacity, and for no more")
  func capacity() {
    var ring = StagingRing(capacity: 256)
    #expect(ring.reserve(byteCount: 257, until: 1) == nil)
    #expect(ring.reserve(byteCount: 256, until: 1) == 0)
    #expect(ring.reserve(byteCount: 1, until: 2) == nil)
    ring.release(upTo: 1)
    #expect(ring.reserve(byteCount: 200, until: 3) == 0)
  }
}
