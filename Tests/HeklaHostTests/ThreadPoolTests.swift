import Foundation
import Synchronization
import Testing

@testable import HeklaHost

@Suite struct ThreadPoolTests {
  @Test("Every iteration runs exactly once, whatever the number of threads", arguments: [1, 2, 3, 5])
  func coverage(threads: Int) {
    let pool = ThreadPool(threadCount: threads)
    #expect(pool.threadCount == threads)
    for count in [0, 1, 2, 7, 100, 10_000] {
      let hits = UnsafeMutablePointer<Int>.allocate(capacity: max(count, 1))
      defer { hits.deallocate() }
      hits.initialize(repeating: 0, count: max(count, 1))
      nonisolated(unsafe) let shared = hits
      for _ in 0..<20 { pool.parallel(count: count) { shared[$0] += 1 } }
      #expect((0..<count).allSatisfy { hits[$0] == 20 })
    }
  }

  @Test("A loop inside a loop runs, on the same thread")
  func nesting() {
    let pool = ThreadPool(threadCount: 3)
    let total = Atomic(0)
    pool.parallel(count: 10) { _ in
      let thread = Thread.current
      pool.parallel(count: 10) { _ in
        if Thread.current === thread { total.wrappingAdd(1, ordering: .relaxed) }
      }
    }
    #expect(total.load(ordering: .relaxed) == 100)
  }

  @Test("Callers on several threads all get their loops done")
  func concurrentCallers() async {
    let pool = ThreadPool(threadCount: 2)
    let totals = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let total = Atomic(0)
          for _ in 0..<200 { pool.parallel(count: 17) { total.wrappingAdd($0, ordering: .relaxed) } }
          return total.load(ordering: .relaxed)
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(totals == [Int](repeating: 200 * 136, count: 4))
  }

  @Test("Workers that fell asleep wake up for the next loop")
  func sleeping() {
    let pool = ThreadPool(threadCount: 2)
    for _ in 0..<3 {
      // Longer than workers spin.
      usleep(20_000)
      // Two iterations that wait for each other can only end on two threads.
      let arrived = Atomic(0)
      let deadline = Date(timeIntervalSinceNow: 20)
      pool.parallel(count: 2) { _ in
        arrived.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while arrived.load(ordering: .sequentiallyConsistent) < 2, Date() < deadline { usleep(100) }
      }
      #expect(Date() < deadline)
    }
  }

  @Test("A pool that goes ends its threads")
  func ending() {
    for _ in 0..<50 {
      let pool = ThreadPool(threadCount: 4)
      let total = Atomic(0)
      pool.parallel(count: 9) { total.wrappingAdd($0, ordering: .relaxed) }
      #expect(total.load(ordering: .relaxed) == 36)
    }
  }
}
