import Glibc
import HeklaDevices
import Testing

@testable import HeklaHost

/// Memory that ends where a forbidden page begins: a load or store beyond its end stops the process.
final class FencedMemory {
  let bytes: UnsafeMutableRawBufferPointer
  private let pages: UnsafeMutableRawPointer
  private let pageByteCount: Int

  init(byteCount: Int) throws {
    let page = Int(getpagesize())
    let readable = (byteCount + page - 1) / page * page
    let mapped = mmap(nil, readable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    pages = try #require(mapped == MAP_FAILED ? nil : mapped)
    pageByteCount = readable + page
    bytes = UnsafeMutableRawBufferPointer(start: pages + readable - byteCount, count: byteCount)
    try #require(mprotect(pages + readable, page, PROT_NONE) == 0)
  }

  deinit { munmap(pages, pageByteCount) }
}

@Suite("The memory that the host's matrix product touches")
struct MatrixProductMemoryTests {
  @Test(
    "ends where its matrices end",
    arguments: ProductKernels.Level.allCases.filter { ProductKernels(elementSize: 4, level: $0) != nil })
  func fences(level: ProductKernels.Level) throws {
    for elementType in [0, 1] {
      let size = elementType == 0 ? 4 : 8
      for (m, n, k) in [
        (1, 1, 1), (1, 17, 5), (17, 1, 5), (5, 7, 3), (13, 31, 15), (14, 33, 17), (29, 45, 16), (60, 10, 47),
        (257, 30, 9), (9, 130, 20), (170, 259, 513),
      ] {
        for flags in 0..<4 {
          let a = try FencedMemory(byteCount: m * k * size)
          let b = try FencedMemory(byteCount: k * n * size)
          let c = try FencedMemory(byteCount: m * n * size)
          c.bytes.initializeMemory(as: UInt8.self, repeating: 0xFF)
          let product = try MatrixProduct(parameters: [elementType, 1, m, n, k, flags & 1, flags >> 1, 0, 0])
          let schedule = ProductSchedule(product, kernels: ProductKernels(elementSize: size, level: level))
          try schedule.run(bindings: [a.bytes, b.bytes, c.bytes])
          // Both factors are zero; so is the product, every byte of which was set to NaN's before.
          #expect(c.bytes.allSatisfy { $0 == 0 })
        }
      }
    }
  }

  @Test("is kept for the next product")
  func scratchIsReused() throws {
    var addresses: Set<UnsafeMutableRawPointer> = []
    for _ in 0..<10 { ProductScratch.with { addresses.insert($0.left) } }
    #expect(addresses.count < 10)
  }
}
