import Dispatch
import HeklaDevices
import Synchronization
import Testing

@testable import HeklaVulkan

/// What a driver may be like: each way is taken here on whatever driver there is.
enum Driver: String, CaseIterable, Sendable {
  case sharesMemory, hasOwnMemory, hasOnlyFences

  /// Makes a device behave like this driver; the ring is small, so that larger copies go round it.
  func apply(to options: inout VulkanOptions) {
    options.forcesStaging = self != .sharesMemory
    options.usesTimelineSemaphores = self != .hasOnlyFences
    options.stagingByteCount = 4096
  }
}

@Suite("The Vulkan queue", vulkanIsPresent)
struct VulkanQueueTests {
  @Test("bytes survive the round trip at any offset and size", arguments: Driver.allCases)
  func roundTrip(driver: Driver) throws {
    try TestDevice.with(driver.apply) { device in
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer(byteCount: 10_007)
      for (offset, count) in [(0, 10_007), (4, 1), (8, 3), (1000, 1021), (9996, 11), (0, 0)] {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ offset) }
        let slice = BufferSlice(buffer, offset: offset, byteCount: max(count, 1))
        try bytes.withUnsafeBytes { try queue.write($0, to: slice) }
        var back = [UInt8](repeating: 0xee, count: count)
        try back.withUnsafeMutableBytes { try queue.read(slice, into: $0) }
        #expect(back == bytes)
      }
    }
  }

  @Test("a kernel sees its specialization constants, push constants and buffer", arguments: Driver.allCases)
  func dispatch(driver: Driver) throws {
    try TestDevice.with(driver.apply) { device in
      let queue = try device.makeQueue()
      let words = (0..<1000).map { UInt32($0) }
      let buffer = try device.makeBuffer(words, through: queue)
      let kernel = try device.makeKernel("scale_and_add", constants: [3: 7], scaleAndAdd)
      try queue.run([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(16), pushConstants: [5, 990],
            label: "scale and add"))
      ])
      #expect(try queue.words(of: buffer) == words.map { $0 < 990 ? $0 * 7 + 5 : $0 })
    }
  }

  @Test("a bound slice is all that a kernel sees of a buffer")
  func slices() throws {
    try TestDevice.with { device in
      let queue = try device.makeQueue()
      let step = device.capabilities.bufferAlignment
      let buffer = try device.makeBuffer([UInt32](repeating: 1, count: step), through: queue)
      let kernel = try device.makeKernel(
        "length",
        """
        layout(local_size_x = 1) in;
        layout(set = 0, binding = 0) buffer Data { uint data[]; };
        void main() { data[0] = data.length(); }
        """)
      try queue.run([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(buffer, offset: step, byteCount: 2 * step)],
            groupCount: GroupCount(1), label: "length"))
      ])
      var expected = [UInt32](repeating: 1, count: step)
      expected[step / 4] = UInt32(2 * step / 4)
      #expect(try queue.words(of: buffer) == expected)
    }
  }

  @Test("a kernel reads texels of the slice that is bound, and of whole texels only")
  func texels() throws {
    try TestDevice.with { device in
      let queue = try device.makeQueue()
      let step = max(device.capabilities.bufferAlignment, Int(device.context.physical.texelLimits.alignment))
      let words = (0..<(step / 4 + 16)).map { Float($0).bitPattern }
      let source = try device.makeBuffer(words, through: queue)
      let result = try device.makeBuffer(byteCount: 64)
      let kernel = try device.makeKernel(
        "reverse",
        """
        layout(local_size_x = 4) in;
        layout(set = 0, binding = 0) uniform samplerBuffer texels;
        layout(set = 0, binding = 1) buffer Result { vec4 result[]; };
        void main() { result[gl_LocalInvocationID.x] = texelFetch(texels, 3 - int(gl_LocalInvocationID.x)); }
        """)
      func dispatch(byteCount: Int) -> Command {
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(source, offset: step, byteCount: byteCount), BufferSlice(result)],
            groupCount: GroupCount(1), label: "reverse"))
      }
      try queue.run([dispatch(byteCount: 64)])
      let expected = [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3].map { words[step / 4 + $0] }
      #expect(try queue.words(of: result) == expected)
      #expect(throws: DeviceError.self) { _ = try queue.record([dispatch(byteCount: 56)]) }
    }
  }

  @Test("barriers order kernels, copies and fills, in recordings longer than a command buffer")
  func order() throws {
    try TestDevice.with { device in
      let queue = try device.makeQueue()
      let count = 1024
      let first = try device.makeBuffer((0..<count).map { UInt32($0) }, through: queue)
      let second = try device.makeBuffer(byteCount: count * 4)
      // Every word comes from another workgroup's, so a missing barrier loses a step.
      let kernel = try device.makeKernel(
        "shift",
        """
        layout(local_size_x = 64) in;
        layout(set = 0, binding = 0) readonly buffer From { uint source[]; };
        layout(set = 0, binding = 1) writeonly buffer To { uint target[]; };
        void main() {
          uint i = gl_GlobalInvocationID.x;
          target[i] = source[(i + 64) % 1024] + 1;
        }
        """)
      let shift = { (from: any Buffer, to: any Buffer) in
        Command.dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(from), BufferSlice(to)], groupCount: GroupCount(16), label: "shift"
          ))
      }
      let roundCount = 150
      var commands: [Command] = []
      for _ in 0..<roundCount {
        commands += [shift(first, second), .barrier]
        commands += [.copy(from: BufferSlice(second), to: BufferSlice(first)), .barrier]
      }
      #expect(commands.count > 2 * VulkanRecording.commandBufferCapacity)
      let recording = try queue.record(commands)
      #expect(recording.commandCount == 2 * roundCount)
      try queue.submit(recording)
      let expected = (0..<count).map { UInt32(($0 + 64 * roundCount) % count + roundCount) }
      #expect(try queue.words(of: first) == expected)
    }
  }

  @Test("fills set their words and no others; copies move any number of bytes")
  func fillAndCopy() throws {
    try TestDevice.with { device in
      let queue = try device.makeQueue()
      let source = try device.makeBuffer([UInt32](repeating: 0x0101_0101, count: 8), through: queue)
      let target = try device.makeBuffer([UInt32](repeating: 0, count: 8), through: queue)
      try queue.run([
        .fill(BufferSlice(source, offset: 8, byteCount: 12), word: 0x1234_5678),
        .barrier,
        .copy(
          from: BufferSlice(source, offset: 4, byteCount: 7),
          to: BufferSlice(target, offset: 16, byteCount: 7)),
      ])
      let ones: UInt32 = 0x0101_0101
      let word: UInt32 = 0x1234_5678
      #expect(try queue.words(of: source) == [ones, ones, word, word, word, ones, ones, ones])
      #expect(try queue.words(of: target) == [0, 0, 0, 0, ones, 0x0034_5678, 0, 0])
    }
  }

  @Test(
    "a recording can be replayed a thousand times, each seeing the one before", arguments: Driver.allCases)
  func replay(driver: Driver) throws {
    try TestDevice.with(driver.apply) { device in
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer([UInt32](repeating: 0, count: 64), through: queue)
      let kernel = try device.makeKernel("scale_and_add", scaleAndAdd)
      let recording = try queue.record([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), pushConstants: [3, 64],
            label: "add"))
      ])
      for _ in 0..<1000 { try queue.submit(recording) }
      #expect(try queue.words(of: buffer) == [UInt32](repeating: 3000, count: 64))
    }
  }

  @Test("writes fall between the submissions around them, without waiting", arguments: Driver.allCases)
  func writesInOrder(driver: Driver) throws {
    try TestDevice.with(driver.apply) { device in
      let queue = try device.makeQueue()
      let input = try device.makeBuffer(byteCount: 4)
      let output = try device.makeBuffer(byteCount: 400)
      let recordings = try (0..<100).map { index in
        try queue.record([
          .copy(from: BufferSlice(input), to: BufferSlice(output, offset: 4 * index, byteCount: 4))
        ])
      }
      for (index, recording) in recordings.enumerated() {
        try [UInt32(index * index)].withUnsafeBytes { try queue.write($0, to: BufferSlice(input)) }
        try queue.submit(recording)
      }
      #expect(try queue.words(of: output) == (0..<100).map { UInt32($0 * $0) })
    }
  }

  @Test(
    "a write does not wait for the work before it, and is done with its source", arguments: Driver.allCases)
  func writeBesideWork(driver: Driver) throws {
    try TestDevice.with(driver.apply) { device in
      let queue = try device.makeQueue()
      let counter = try device.makeBuffer(byteCount: 64 * 1024 * 4)
      // More than a chunk, less than the ring.
      let wordCount = 600
      let input = try device.makeBuffer([UInt32](repeating: 1, count: wordCount), through: queue)
      let (before, after) = (
        try device.makeBuffer(byteCount: 4 * wordCount), try device.makeBuffer(byteCount: 4 * wordCount)
      )
      // Each step has to wait for the one before. Short enough for drivers that end long loops.
      let kernel = try device.makeKernel(
        "slow",
        """
        layout(local_size_x = 64) in;
        layout(set = 0, binding = 0) buffer Data { uint data[]; };
        void main() {
          uint value = data[gl_GlobalInvocationID.x];
          for (uint k = 0; k < 10000; ++k) value = value * 1664525 + 1013904223;
          data[gl_GlobalInvocationID.x] = value;
        }
        """)
      let slow = try queue.record([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(counter)], groupCount: GroupCount(1024), label: "slow")),
        .barrier, .copy(from: BufferSlice(input), to: BufferSlice(before)),
      ])
      let copy = try queue.record([.copy(from: BufferSlice(input), to: BufferSlice(after))])
      // The driver compiles the kernel first.
      try queue.submit(slow)
      try queue.waitUntilIdle()

      let start = ContinuousClock.now
      try queue.submit(slow)
      var words = [UInt32](repeating: 2, count: wordCount)
      try words.withUnsafeBytes { try queue.write($0, to: BufferSlice(input)) }
      let written = ContinuousClock.now - start
      for index in words.indices { words[index] = 3 }
      try queue.submit(copy)
      try queue.waitUntilIdle()
      let whole = ContinuousClock.now - start
      #expect(written < whole / 2)
      #expect(try queue.words(of: before) == [UInt32](repeating: 1, count: wordCount))
      #expect(try queue.words(of: after) == [UInt32](repeating: 2, count: wordCount))
    }
  }

  @Test("several threads may use one queue, and several queues one device")
  func threads() throws {
    try TestDevice.with { device in
      let kernel = try device.makeKernel("scale_and_add", scaleAndAdd)
      let shared = try device.makeQueue()
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { thread in
        do {
          let queue = thread < 2 ? shared : try device.makeQueue()
          let buffer = try device.makeBuffer([UInt32](repeating: 0, count: 64), through: queue)
          // Every thread also asks for a kernel that others ask for at the same time.
          let other = try device.makeKernel("scale_and_add", constants: [3: 1], scaleAndAdd)
          let recordings = try [kernel, other].map { kernel in
            try queue.record([
              .dispatch(
                Dispatch(
                  kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1),
                  pushConstants: [UInt32(thread + 1), 64], label: "add"))
            ])
          }
          for round in 1...50 {
            for recording in recordings { try queue.submit(recording) }
            let found = try queue.words(of: buffer)
            if found != [UInt32](repeating: UInt32(2 * round * (thread + 1)), count: 64) {
              failures.withLock { $0.append("thread \(thread), round \(round): \(found[0])") }
            }
          }
        } catch {
          failures.withLock { $0.append("thread \(thread): \(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
    }
  }

  @Test("a profile lists dispatches, copies and fills in order, with times", arguments: [true, false])
  func profile(usesTimestamps: Bool) throws {
    try TestDevice.with({ $0.usesTimestamps = usesTimestamps }) { device in
      let queue = try device.makeQueue()
      let count = 1 << 16
      let buffer = try device.makeBuffer([UInt32](repeating: 1, count: count), through: queue)
      let copy = try device.makeBuffer(byteCount: count * 4)
      let kernel = try device.makeKernel("scale_and_add", scaleAndAdd)
      let dispatch = { (groups: Int, label: String) in
        Command.dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(groups),
            pushConstants: [1, UInt32(count)], label: label))
      }
      let recording = try queue.record([
        dispatch(1, "small"), .barrier, dispatch(count / 64, "large"), .barrier,
        .copy(from: BufferSlice(buffer), to: BufferSlice(copy)), .barrier,
        .fill(BufferSlice(buffer), word: 0),
      ])
      try queue.submit(recording)
      let profiles = try (0..<3).map { _ in try queue.profile(recording) }
      for profile in profiles {
        #expect(profile.map(\.label) == ["small", "large", "copy", "fill"])
        #expect(profile.allSatisfy { $0.nanoseconds > 0 && $0.nanoseconds < 60e9 })
        #expect(profile[0].start == 0 && zip(profile, profile.dropFirst()).allSatisfy { $0.start < $1.start })
      }
      // Submitted, the kernels made 1 a 3 and the fill a 0; profiled, they made that a 2.
      #expect(try queue.words(of: copy)[0] == 2)
    }
  }

  @Test("what was made on a device works on when the device itself was let go")
  func children() throws {
    let instance = try VulkanInstance(loader: VulkanLoader(), validation: true)
    func make() throws -> (any Queue, any Recording, any Buffer) {
      let device = try VulkanDevice(at: 0, of: instance, options: VulkanOptions(validation: true))
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer([1, 2], through: queue)
      let kernel = try device.makeKernel("scale_and_add", constants: [3: 10], scaleAndAdd)
      let recording = try queue.record([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), pushConstants: [1, 2],
            label: "scale and add"))
      ])
      return (queue, recording, buffer)
    }
    func use() throws {
      let (queue, recording, buffer) = try make()
      try queue.submit(recording)
      #expect(try queue.words(of: buffer) == [11, 21])
    }
    try use()
    #expect(instance.validation?.all == [])
  }
}
