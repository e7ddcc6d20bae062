import CVulkan
import HeklaDevices
import Synchronization
import Testing

@testable import HeklaVulkan

/// Each test takes one function of the driver's and lets it fail; that nothing leaks then is what the validation
/// layer says at the device's end.
@Suite("A Vulkan driver that fails", vulkanIsPresent)
struct DriverFailureTests {
  @Test("the loss of the device is the same error from every later call")
  func deviceLost() throws {
    try TestDevice.with({
      $0.replaceFunctions = { $0.queueSubmit = { _, _, _, _ in VK_ERROR_DEVICE_LOST } }
    }) { device in
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer([1], through: queue)
      let recording = try queue.record([.fill(BufferSlice(buffer), word: 2)])
      let lost = DeviceError.deviceLost(device: "vulkan:0", during: "vkQueueSubmit")
      #expect(throws: lost) { try queue.submit(recording) }
      device.context.markLost(during: "something later")
      #expect(throws: lost) { try queue.submit(recording) }
      #expect(throws: lost) { try queue.waitUntilIdle() }
      #expect(throws: lost) { try queue.words(of: buffer) }
      #expect(throws: lost) { try queue.record([.barrier]) }
      #expect(throws: lost) { try queue.profile(recording) }
      #expect(throws: lost) { try device.makeBuffer([1], through: queue) }
      #expect(throws: lost) { try device.makeKernel("scale_and_add", scaleAndAdd) }
      #expect(throws: lost) { try device.makeQueue() }
    }
  }

  @Test("a submission that fails leaves the queue as it was", arguments: Driver.allCases)
  func failedSubmission(driver: Driver) throws {
    try TestDevice.with({
      driver.apply(to: &$0)
      $0.replaceFunctions = { $0.queueSubmit = { _, _, _, _ in VK_ERROR_OUT_OF_HOST_MEMORY } }
    }) { device in
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer(byteCount: 64)
      let recording = try queue.record([.fill(BufferSlice(buffer), word: 2)])
      let failure = DeviceError.driverFailure(
        device: "vulkan:0", call: "vkQueueSubmit", code: Int(VK_ERROR_OUT_OF_HOST_MEMORY.rawValue))
      for _ in 0..<3 { #expect(throws: failure) { try queue.submit(recording) } }
      if driver != .sharesMemory {
        // More than the ring holds: what failed must not stay lent for ever.
        for _ in 0..<100 { #expect(throws: failure) { try queue.words(of: buffer) } }
      }
      try queue.waitUntilIdle()
    }
  }

  @Test("where the driver has little memory, small buffers do without the block they would share")
  func littleMemory() throws {
    try TestDevice.with({
      $0.replaceFunctions = { functions in
        Self.allocateMemory.withLock { $0 = functions.allocateMemory }
        functions.allocateMemory = { device, information, allocator, memory in
          guard let information, information.pointee.allocationSize <= 1 << 20,
            let allocate = DriverFailureTests.allocateMemory.withLock({ $0 })
          else { return VK_ERROR_OUT_OF_DEVICE_MEMORY }
          return allocate(device, information, allocator, memory)
        }
      }
    }) { device in
      let small = try device.makeBuffer(byteCount: 1000)
      #expect(device.memory.reservedByteCount < 2000)
      let failure = DeviceError.outOfMemory(
        device: "vulkan:0", purpose: "a buffer of 2000000 bytes", requestedByteCount: 2_000_000,
        availableByteCount: nil)
      let used = device.memory.usedByteCount
      #expect(throws: failure) { try device.makeBuffer(byteCount: 2_000_000) }
      #expect(device.memory.usedByteCount == used)
      #expect(small.byteCount == 1000)
    }
  }

  /// The driver's own function, for the one that replaces it, which cannot capture it.
  private static let allocateMemory = Mutex<PFN_vkAllocateMemory?>(nil)

  @Test("a pipeline that the driver does not make is an error that names the kernel, and can be tried again")
  func failedPipeline() throws {
    try TestDevice.with({
      $0.replaceFunctions = { $0.createComputePipelines = { _, _, _, _, _, _ in VK_ERROR_UNKNOWN } }
    }) { device in
      let failure = DeviceError.driverFailure(
        device: "vulkan:0", call: "vkCreateComputePipelines(scale_and_add)",
        code: Int(VK_ERROR_UNKNOWN.rawValue))
      for _ in 0..<2 { #expect(throws: failure) { try device.makeKernel("scale_and_add", scaleAndAdd) } }
    }
  }
}
