import TestSupport
import Testing

@testable import HeklaRuntime

@Suite struct AllocationTests {
  private func requests(seed: UInt64) -> [Allocation.Request] {
    var random = RandomNumbers(seed: seed)
    return (0..<(1 + random.below(60))).map { _ in
      let first = random.below(40)
      return Allocation.Request(
        byteCount: 4 * (1 + random.below(2000)), lifetime: first...(first + random.below(8)))
    }
  }

  @Test(arguments: 0..<100)
  func `values that live at once never share a byte, and every place is aligned and in its arena`(seed: Int) {
    let requests = requests(seed: UInt64(seed))
    for (alignment, maxByteCount, reuses) in [(64, 1 << 20, true), (256, 20_000, true), (16, 20_000, false)] {
      let allocation = Allocation(requests, alignment: alignment, maxByteCount: maxByteCount, reuses: reuses)
      for (index, place) in allocation.places.enumerated() {
        #expect(place.offset % alignment == 0)
        #expect(place.offset + requests[index].byteCount <= allocation.arenaByteCounts[place.arena])
        for other in 0..<index where allocation.places[other].arena == place.arena {
          guard !reuses || requests[other].lifetime.overlaps(requests[index].lifetime) else { continue }
          let start = allocation.places[other].offset
          let isApart =
            start + requests[other].byteCount <= place.offset
            || place.offset + requests[index].byteCount <= start
          #expect(isApart, "requests \(other) and \(index)")
        }
      }
      #expect(allocation.arenaByteCounts.allSatisfy { $0 <= maxByteCount })
    }
  }

  @Test func `reuse saves memory, down to what lives at once for a chain`() {
    let chain = (0..<10).map { Allocation.Request(byteCount: 1024, lifetime: $0...($0 + 1)) }
    func total(_ reuses: Bool) -> Int {
      Allocation(chain, alignment: 64, maxByteCount: 1 << 20, reuses: reuses).arenaByteCounts.reduce(0, +)
    }
    #expect(total(true) == 2 * 1024)
    #expect(total(false) == 10 * 1024)
  }

  @Test func `what is larger than an arena may be gets one of its own`() {
    let requests = [1000, 5000, 900].map { Allocation.Request(byteCount: $0, lifetime: 0...1) }
    let allocation = Allocation(requests, alignment: 16, maxByteCount: 2048, reuses: true)
    #expect(allocation.arenaByteCounts == [5008, 1920])
    #expect(allocation.places.map(\.arena) == [1, 0, 1])
  }
}
