import Foundation
import HeklaDevices
import Testing

@testable import HeklaVulkan

@Suite("The Vulkan queue", vulkanIsPresent)
struct VulkanQueueTests {
  @Test("bytes survive the round trip at any offset and size", arguments: [false, true])
  func roundTrip(forcesStaging: Bool) throws {
    // A ring of 4 KiB, so that 10,007 bytes go round it several times.
    try TestDevice.with({
      $0.forcesStaging = forcesStaging
      $0.stagingByteCount = 4096
    }) { device in
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

  @Test("a kernel sees its specialization constants, push constants and buffer", arguments: [false, true])
  func dispatch(forcesStaging: Bool) throws {
    try TestDevice.with({ $0.forcesStaging = forcesStaging }) { device in
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
}
