import HeklaDevices
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL queues", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLQueueTests {
  @Test("A recording submitted a thousand times runs a thousand times, in step with writes between")
  func replay() throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let kernel = try device.makeKernel(OpenCLFixture.affine, name: "affine")
    let addition = try device.makeKernel(OpenCLFixture.addition, name: "addition")
    let buffer = try device.makeBuffer(byteCount: 256)
    let (step, sum) = (try device.makeBuffer(byteCount: 128), try device.makeBuffer(byteCount: 128))
    let recording = try queue.record([
      .dispatch(
        Dispatch(
          kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), pushConstants: [3, 1],
          label: "count")),
      .dispatch(
        Dispatch(
          addition, bindings: [sum, sum, step, sum].map { BufferSlice($0) }, groupCount: GroupCount(1),
          label: "add")),
    ])
    try queue.run([.fill(BufferSlice(buffer), word: 0), .fill(BufferSlice(sum), word: 0)])
    var expected: UInt32 = 0
    for round in 0..<1000 {
      try queue.write([Float](repeating: Float(round), count: 32), to: step)
      try queue.submit(recording)
      expected = expected &* 3 &+ 1
    }
    #expect(try queue.read(64, from: buffer, initial: UInt32.max) == Array(repeating: expected, count: 64))
    // Whole numbers below 2^24: exact in float32.
    #expect(try queue.read(32, from: sum, initial: Float.nan) == Array(repeating: 499_500, count: 32))
  }

  @Test("A device that falls far behind is waited for, and nothing is lost or done twice")
  func backlog() throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let kernel = try device.makeKernel(OpenCLFixture.affine, name: "affine")
    let (counter, bulk) = (try device.makeBuffer(byteCount: 256), try device.makeBuffer(byteCount: 65_536))
    let step = Dispatch(
      kernel, bindings: [BufferSlice(counter)], groupCount: GroupCount(1), pushConstants: [1, 1],
      label: "step")
    let recording = try queue.record([.dispatch(step)])
    try queue.run([.fill(BufferSlice(counter), word: 0)])
    // 64 MiB of writes that are copied aside: twice what may be on its way at one time.
    let words = [UInt32](repeating: 3, count: 16_384)
    for _ in 0..<1024 {
      try queue.write(words, to: bulk)
      try queue.submit(recording)
    }
    #expect(try queue.read(64, from: counter, initial: UInt32.max) == Array(repeating: 1024, count: 64))
    #expect(try queue.read(16_384, from: bulk, initial: UInt32.max) == words)
  }

  @Test(
    "A write returns while the device is at work, keeps its place in the order, and is done with its source")
  func writeBesideWork() throws {
    let device = try OpenCLFixture.device()
    let queue = try #require(try device.makeQueue() as? OpenCLQueue)
    let kernel = try device.makeKernel(OpenCLFixture.slow, name: "slow")
    let counter = try device.makeBuffer(byteCount: 4 * 64 * 64)
    let wordCount = 1 << 18
    let (input, before, after) = (
      try device.makeBuffer(byteCount: 4 * wordCount), try device.makeBuffer(byteCount: 4 * wordCount),
      try device.makeBuffer(byteCount: 4 * wordCount)
    )
    // The first write makes the staging memory, and waits until it is mapped.
    try queue.write([UInt32](repeating: 1, count: wordCount), to: input)
    try queue.run([.fill(BufferSlice(counter), word: 1)])
    try queue.submit(
      queue.record([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(counter)], groupCount: GroupCount(64), pushConstants: [1 << 20],
            label: "slow")),
        .copy(from: BufferSlice(input), to: BufferSlice(before)),
      ]))
    let last = queue.state.withLock { $0.lastEvent }
    let work = try #require(last)
    var words = [UInt32](repeating: 2, count: wordCount)
    try queue.write(words, to: input)
    #expect(try queue.context.executionStatus(of: work) > 0, "the write waited for the work before it")
    for index in words.indices { words[index] = 3 }
    try queue.submit(queue.record([.copy(from: BufferSlice(input), to: BufferSlice(after))]))
    #expect(try queue.read(wordCount, from: before, initial: UInt32.max).allSatisfy { $0 == 1 })
    #expect(try queue.read(wordCount, from: after, initial: UInt32.max).allSatisfy { $0 == 2 })
  }

  @Test("Bytes survive the round trip, be they few or more than can be on their way")
  func roundTrip() throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let byteCount = 40 << 20
    let buffer = try device.makeBuffer(byteCount: byteCount)
    for (offset, count) in [(0, byteCount), (8, 3), (4096, 65_537), (1 << 20, 32 << 20), (byteCount - 4, 1)] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ offset) }
      try queue.write(bytes, to: buffer, offset: offset)
      #expect(try queue.read(count, from: buffer, offset: offset, initial: UInt8.max) == bytes)
    }
  }

  @Test("Two threads may use one queue; each command runs whole")
  func threads() async throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let kernel = try device.makeKernel(OpenCLFixture.affine, name: "affine")
    let shared = try device.makeBuffer(byteCount: 256)
    try queue.run([.fill(BufferSlice(shared), word: 0)])
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for thread in 0..<2 {
        group.addTask {
          let own = try device.makeBuffer(byteCount: 256)
          let dispatches = [own, shared].map { buffer in
            Command.dispatch(
              Dispatch(
                kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), pushConstants: [1, 1],
                label: "thread \(thread)"))
          }
          try queue.run([.fill(BufferSlice(own), word: 0)])
          for _ in 0..<100 { try queue.submit(try queue.record(dispatches)) }
          return try queue.read(64, from: own, initial: UInt32.max) == Array(repeating: 100, count: 64)
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
    #expect(try queue.read(64, from: shared, initial: UInt32.max) == Array(repeating: 200, count: 64))
  }

  @Test("A profile has a time for each dispatch, copy and fill, and runs them once")
  func profile() throws {
    let device = try OpenCLFixture.device()
    let queue = try device.makeQueue()
    let kernel = try device.makeKernel(OpenCLFixture.affine, name: "affine")
    let (buffer, copy) = (
      try device.makeBuffer(byteCount: 1 << 16), try device.makeBuffer(byteCount: 1 << 16)
    )
    let recording = try queue.record([
      .fill(BufferSlice(buffer), word: 20), .barrier,
      .dispatch(
        Dispatch(
          kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(256), pushConstants: [2, 2],
          label: "affine")),
      .barrier, .copy(from: BufferSlice(buffer), to: BufferSlice(copy)),
    ])
    let timings = try queue.profile(recording)
    #expect(timings.map(\.label) == ["fill", "affine", "copy"])
    // More than nothing and less than a minute: any unit but nanoseconds falls outside for one of the three.
    #expect(timings.allSatisfy { $0.nanoseconds > 0 && $0.nanoseconds < 60e9 })
    #expect(timings[0].start == 0 && zip(timings, timings.dropFirst()).allSatisfy { $0.start < $1.start })
    #expect(try queue.read(1 << 14, from: copy, initial: UInt32.max).allSatisfy { $0 == 42 })
  }

  @Test("Nothing recorded is nothing to do, and a foreign recording is an error")
  func emptyAndForeign() throws {
    let queue = try OpenCLFixture.device().makeQueue()
    let empty = try queue.record([.barrier])
    #expect(empty.commandCount == 0)
    try queue.submit(empty)
    try queue.waitUntilIdle()
    #expect(try queue.profile(empty).isEmpty)
    #expect(throws: DeviceError.self) { try queue.submit(ForeignRecording()) }
    #expect(throws: DeviceError.self) { try queue.profile(ForeignRecording()) }
  }
}

/// A recording that no OpenCL queue made.
private final class ForeignRecording: Recording {
  let commandCount = 0
}
