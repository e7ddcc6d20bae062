import CHostLoops
import Foundation
import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

@Suite struct HostDeviceTests {
  let device = HostDevice()

  /// A kernel that adds its push constant to every int32 of its binding.
  static let adding = KernelSource.host(
    HostSource(name: "add", key: "") { (arguments: HostArguments) throws(DeviceError) in
      for index in arguments.bindings[0].bindMemory(to: Int32.self).indices {
        arguments.bindings[0].bindMemory(to: Int32.self)[index] += Int32(
          bitPattern: arguments.pushConstants[0])
      }
    })

  func slice(_ values: [Int32], _ queue: any Queue) throws -> BufferSlice {
    let slice = BufferSlice(try device.makeBuffer(byteCount: values.count * 4))
    try values.withUnsafeBytes { try queue.write($0, to: slice) }
    return slice
  }

  func values(_ slice: BufferSlice, _ queue: any Queue) throws -> [Int32] {
    var values = [Int32](repeating: -1, count: slice.byteCount / 4)
    try values.withUnsafeMutableBytes { try queue.read(slice, into: $0) }
    return values
  }

  /// In a process of its own: what it refuses would be told to whatever runs beside it.
  @Test("A task that finds no memory to work in is an error of the submission")
  func refusedScratch() async {
    await #expect(processExitsWith: .success) {
      let device = HostDevice()
      let greedy = HostSource(name: "greedy", key: "") { (_: HostArguments) throws(DeviceError) in
        // More than an address can tell apart.
        ThreadPool.shared.parallel(count: 4) { task in _ = host_thread_scratch(task == 3 ? 1 << 56 : 64) }
      }
      let queue = try device.makeQueue()
      let recording = try queue.record([
        .dispatch(
          Dispatch(
            try device.makeKernel(.host(greedy)), bindings: [], groupCount: GroupCount(1), label: "greedy"))
      ])
      let error = #expect(throws: DeviceError.self) { try queue.submit(recording) }
      guard case .outOfMemory("cpu", let purpose, 1 << 56, nil) = error, purpose.contains("greedy") else {
        exit(1)
      }
    }
  }

  @Test("The device describes the processor")
  func capabilities() {
    let capabilities = device.capabilities
    #expect(device.name == "cpu" && capabilities.interface == .host && capabilities.kind == .processor)
    #expect(!capabilities.deviceName.isEmpty && capabilities.driver.contains(BlockLibrary.best.name))
    #expect(capabilities.uuid.count == 32 && capabilities.uuid.allSatisfy(\.isHexDigit))
    #expect(capabilities.memoryByteCount > 1 << 20 && capabilities.bufferAlignment == 64)
    #expect(capabilities.storageTypes == Set(ElementType.allCases))
    #expect(HostDevice(memoryLimit: 1000).capabilities.memoryByteCount == 1000)
  }

  @Test("Buffers are aligned, freed memory is reused, and the limit holds")
  func buffers() throws {
    let device = HostDevice(memoryLimit: 1 << 20)
    var address: UnsafeMutableRawPointer?
    do {
      let buffer = try #require(try device.makeBuffer(byteCount: 100_000) as? HostBuffer)
      #expect(buffer.byteCount == 100_000 && Int(bitPattern: buffer.address) % 64 == 0)
      address = buffer.address
    }
    let again = try #require(try device.makeBuffer(byteCount: 99_999) as? HostBuffer)
    #expect(again.address == address && again.byteCount == 99_999)
    let rest = try device.makeBuffer(byteCount: (1 << 20) - 120_000)
    #expect(rest.byteCount == (1 << 20) - 120_000)
    #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: 100_000) }
    #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: 0) }
    do throws(DeviceError) {
      _ = try device.makeBuffer(byteCount: 2 << 20)
      Issue.record("the limit was exceeded")
    } catch {
      guard case .outOfMemory("cpu", _, 2_097_152, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("Memory that is kept for reuse makes way for what needs it")
  func reclaiming() throws {
    let device = HostDevice(memoryLimit: 1 << 20)
    for _ in 0..<3 { _ = try device.makeBuffer(byteCount: 200_000) }
    let large = try device.makeBuffer(byteCount: 1 << 20)
    #expect(large.byteCount == 1 << 20)
  }

  @Test("Size classes hold what was asked for and waste at most an eighth")
  func sizeClasses() {
    for byteCount in [1, 63, 64, 65, 511, 512, 513, 1000, 1024, 1025, 99_999, 1 << 20, (1 << 20) + 1] {
      let size = HostMemory.sizeClass(byteCount)
      #expect(size >= byteCount && HostMemory.sizeClass(size) == size)
      if byteCount > 512 { #expect(size - byteCount <= byteCount / 8) }
    }
  }

  @Test("A recording runs its commands in order, as often as it is submitted")
  func recording() throws {
    let queue = try device.makeQueue()
    let kernel = try device.makeKernel(Self.adding)
    #expect(try device.makeKernel(Self.adding) === kernel)
    let a = try slice([1, 2, 3, 4], queue)
    let b = try slice([0, 0, 0, 0], queue)
    let dispatch = Dispatch(
      kernel, bindings: [a], groupCount: GroupCount(1), pushConstants: [10], label: "add ten")
    let half = BufferSlice(b.buffer, offset: 8, byteCount: 8)
    let recording = try queue.record([
      .dispatch(dispatch), .barrier, .copy(from: a, to: b), .fill(half, word: 7),
    ])
    #expect(recording.commandCount == 3)
    try queue.submit(recording)
    try queue.submit(recording)
    try queue.waitUntilIdle()
    #expect(try values(a, queue) == [21, 22, 23, 24])
    #expect(try values(b, queue) == [21, 22, 7, 7])
    let timings = try queue.profile(recording)
    #expect(
      timings.map(\.label) == ["add ten", "copy", "fill"] && timings.allSatisfy { $0.nanoseconds >= 0 })
    #expect(timings[0].start == 0 && zip(timings, timings.dropFirst()).allSatisfy { $0.start < $1.start })
    #expect(try values(a, queue)[0] == 31)
  }

  @Test("A recording keeps its buffers alive")
  func lifetime() throws {
    let queue = try device.makeQueue()
    let target = try slice([0, 0], queue)
    let recording = try queue.record([.copy(from: try slice([5, 6], queue), to: target)])
    // Memory of the source's size, were it free, would be handed out here.
    let other = try slice([8, 9], queue)
    try queue.submit(recording)
    #expect(try values(target, queue) == [5, 6])
    #expect(try values(other, queue) == [8, 9])
  }

  @Test("Large copies and fills reach every byte")
  func largeCopies() throws {
    let queue = try device.makeQueue()
    let count = (3 << 20) / 4 + 5
    let a = try slice((0..<Int32(count)).map { $0 }, queue)
    let b = try slice([Int32](repeating: 0, count: count), queue)
    let c = try slice([Int32](repeating: 0, count: count), queue)
    try queue.submit(try queue.record([.copy(from: a, to: b), .fill(c, word: 3)]))
    #expect(try values(b, queue) == (0..<Int32(count)).map { $0 })
    #expect(try values(c, queue) == [Int32](repeating: 3, count: count))
  }

  @Test("What does not fit together is an error before anything runs")
  func errors() throws {
    let queue = try device.makeQueue()
    let kernel = try device.makeKernel(Self.adding)
    let a = try slice([Int32](repeating: 0, count: 64), queue)
    let shader = KernelSource.glsl(GLSLSource(name: "shader", text: "#version 450"))
    #expect(throws: DeviceError.self) { try device.makeKernel(shader) }
    func dispatch(_ slice: BufferSlice, _ groups: GroupCount = GroupCount(1)) -> Command {
      .dispatch(Dispatch(kernel, bindings: [slice], groupCount: groups, pushConstants: [1], label: "add"))
    }
    let outside = BufferSlice(a.buffer, offset: 64, byteCount: 256)
    let crooked = BufferSlice(a.buffer, offset: 4, byteCount: 64)
    let commands: [Command] = [
      dispatch(outside), dispatch(crooked), dispatch(a, GroupCount(0)), .copy(from: a, to: outside),
      .copy(
        from: BufferSlice(a.buffer, offset: 0, byteCount: 128),
        to: BufferSlice(a.buffer, offset: 64, byteCount: 128)),
      .copy(
        from: BufferSlice(a.buffer, offset: 0, byteCount: 8),
        to: BufferSlice(a.buffer, offset: 64, byteCount: 4)),
      .fill(BufferSlice(a.buffer, offset: 0, byteCount: 6), word: 0),
    ]
    for command in commands {
      #expect(throws: DeviceError.self) { try queue.record([dispatch(a), command]) }
    }
    #expect(try values(a, queue)[0] == 0)
    let bytes = [UInt8](repeating: 0, count: 300)
    #expect(throws: DeviceError.self) { try bytes.withUnsafeBytes { try queue.write($0, to: a) } }
  }

  @Test("What a kernel throws comes out of submit, and the queue goes on")
  func kernelErrors() throws {
    let queue = try device.makeQueue()
    let failing = try device.makeKernel(
      .host(
        HostSource(name: "fail", key: "") { (_: HostArguments) throws(DeviceError) in
          throw .indexOutOfRange(operation: "test", index: 9, bound: 3)
        }))
    let a = try slice([1], queue)
    let recording = try queue.record([
      .dispatch(Dispatch(failing, bindings: [a], groupCount: GroupCount(1), label: "fail")),
      .fill(a, word: 4),
    ])
    #expect(throws: DeviceError.indexOutOfRange(operation: "test", index: 9, bound: 3)) {
      try queue.submit(recording)
    }
    #expect(try values(a, queue) == [1])
  }
}
