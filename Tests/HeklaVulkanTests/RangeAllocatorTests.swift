import Testing

@testable import HeklaVulkan

@Suite("The allocator of ranges")
struct RangeAllocatorTests {
  @Test("slices of random lifetimes never overlap, stay aligned, and leave one free range", arguments: 0..<8)
  func randomLifetimes(seed: UInt64) {
    var random = SplitMix(state: seed)
    var allocator = RangeAllocator(capacity: 1 << 16)
    var live: [(offset: Int, byteCount: Int)] = []
    var refused = 0
    for _ in 0..<2000 {
      if live.isEmpty || random.next() % 5 < 3 {
        let byteCount = Int(random.next() % 3000) + 1
        let alignment = 1 << Int(random.next() % 9)
        guard let offset = allocator.allocate(byteCount: byteCount, alignment: alignment) else {
          refused += 1
          let slice = live.remove(at: Int(random.next() % UInt64(live.count)))
          allocator.deallocate(offset: slice.offset, byteCount: slice.byteCount)
          continue
        }
        #expect(offset.isMultiple(of: alignment))
        #expect(offset >= 0 && offset + byteCount <= allocator.capacity)
        #expect(live.allSatisfy { offset + byteCount <= $0.offset || $0.offset + $0.byteCount <= offset })
        live.append((offset, byteCount))
      } else {
        let slice = live.remove(at: Int(random.next() % UInt64(live.count)))
        allocator.deallocate(offset: slice.offset, byteCount: slice.byteCount)
      }
      #expect(allocator.usedByteCount == live.reduce(0) { $0 + $1.byteCount })
      #expect(allocator.free.reduce(0) { $0 + $1.count } == allocator.capacity - allocator.usedByteCount)
      let free = allocator.free
      #expect(zip(free, free.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
    }
    // A run that never filled the block would not have tried what matters.
    #expect(refused > 0)
    for slice in live { allocator.deallocate(offset: slice.offset, byteCount: slice.byteCount) }
    #expect(allocator.isEmpty)
    #expect(allocator.free == [0..<1 << 16])
  }

  @Test("the smallest free range that fits is taken")
  func bestFit() throws {
    var allocator = RangeAllocator(capacity: 1000)
    var slices: [Int] = []
    for byteCount in [300, 100, 100, 100, 400] {
      let offset = allocator.allocate(byteCount: byteCount, alignment: 1)
      slices.append(try #require(offset))
    }
    allocator.deallocate(offset: slices[0], byteCount: 300)
    allocator.deallocate(offset: slices[2], byteCount: 100)
    #expect(allocator.allocate(byteCount: 90, alignment: 1) == slices[2])
    #expect(allocator.allocate(byteCount: 301, alignment: 1) == nil)
    #expect(allocator.allocate(byteCount: 300, alignment: 1) == 0)
  }

  @Test("what alignment skips stays free")
  func padding() {
    var allocator = RangeAllocator(capacity: 512)
    #expect(allocator.allocate(byteCount: 1, alignment: 1) == 0)
    #expect(allocator.allocate(byteCount: 256, alignment: 256) == 256)
    #expect(allocator.free == [1..<256])
    #expect(allocator.allocate(byteCount: 255, alignment: 1) == 1)
    #expect(allocator.free.isEmpty)
  }
}

/// A small deterministic generator (Steele, Lea and Flood 2014).
struct SplitMix: RandomNumberGenerator {
  /// Where the sequence stands.
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
