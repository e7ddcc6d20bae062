import HeklaDevices
import Testing

@testable import HeklaVulkan

@Suite("The memory of a Vulkan device", vulkanIsPresent)
struct DeviceMemoryTests {
  @Test("buffers share blocks, and everything is given back")
  func sharing() throws {
    try TestDevice.with { device in
      var buffers: [any Buffer] = []
      for count in 1...100 { buffers.append(try device.makeBuffer(byteCount: count * 1000)) }
      #expect(device.memory.usedByteCount >= 5_050_000)
      #expect(device.memory.reservedByteCount == DeviceMemory.blockByteCount)
      buffers.append(try device.makeBuffer(byteCount: DeviceMemory.blockByteCount + 5))
      #expect(device.memory.reservedByteCount >= 2 * DeviceMemory.blockByteCount + 5)
      buffers.removeAll()
      #expect(device.memory.usedByteCount == 0)
      // The shared block stays as a spare, the large one went back to the driver.
      #expect(device.memory.reservedByteCount == DeviceMemory.blockByteCount)
    }
  }

  @Test("the memory limit is kept, and the error names the bytes")
  func limit() throws {
    try TestDevice.with({ $0.memoryLimit = 1 << 20 }) { device in
      let first = try device.makeBuffer(byteCount: 700_000)
      let used = device.memory.usedByteCount
      let error = #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: 400_000) }
      #expect(
        error
          == .outOfMemory(
            device: "vulkan:0", purpose: "a buffer of 400000 bytes", requestedByteCount: 400_000,
            availableByteCount: (1 << 20) - used))
      // A failed request takes nothing, and what is given back can be had again.
      #expect(device.memory.usedByteCount == used)
      withExtendedLifetime(first) {}
    }
    try TestDevice.with({ $0.memoryLimit = 1 << 20 }) { device in
      for _ in 0..<4 { _ = try device.makeBuffer(byteCount: 1 << 20) }
    }
  }

  @Test("buffers larger than the device allows, and empty ones, are refused")
  func impossibleSizes() throws {
    try TestDevice.with { device in
      let error = #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: .max) }
      guard case .limitExceeded(_, let limit, .max, let allowed, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(limit == "buffer size in bytes" && allowed == device.capabilities.maxBufferByteCount)
      #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: 0) }
      #expect(throws: DeviceError.self) { try device.makeBuffer(byteCount: -4) }
    }
  }

  @Test("a buffer that its owner drops lives on until the work in flight is done", arguments: [false, true])
  func dropInFlight(forcesStaging: Bool) throws {
    try TestDevice.with({ $0.forcesStaging = forcesStaging }) { device in
      let queue = try device.makeQueue()
      for round in 0..<50 {
        let buffer = try device.makeBuffer(byteCount: 1 << 16)
        try [UInt32(round)].withUnsafeBytes { try queue.write($0, to: BufferSlice(buffer)) }
        try queue.submit(try queue.record([.fill(BufferSlice(buffer), word: UInt32(round))]))
      }
      try queue.waitUntilIdle()
      #expect(device.memory.usedByteCount == 0)
    }
  }
}
