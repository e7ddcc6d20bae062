import HeklaDevices
import Testing

@testable import HeklaVulkan

@Suite("Recording for Vulkan", vulkanIsPresent)
struct VulkanRecordingTests {
  /// The error of recording `commands`.
  private func error(_ queue: any Queue, _ commands: [Command]) -> DeviceError? {
    #expect(throws: DeviceError.self) { try queue.record(commands) }
  }

  @Test("a grid larger than the device allows is an error that names axis and limit")
  func groupCount() throws {
    try TestDevice.with { device in
      let queue = try device.makeQueue()
      let buffer = BufferSlice(try device.makeBuffer(byteCount: 256))
      let kernel = try device.makeKernel("scale_and_add", scaleAndAdd)
      let limits = device.capabilities.maxGroupCount
      for (groups, axis) in [(GroupCount(1, limits[1] + 1), 1), (GroupCount(1, 1, limits[2] + 1), 2)] {
        let found = error(
          queue,
          [
            .dispatch(
              Dispatch(kernel, bindings: [buffer], groupCount: groups, pushConstants: [0, 0], label: "wide"))
          ])
        guard case .limitExceeded(_, let limit, limits[axis] + 1, limits[axis], let remedy) = found else {
          Issue.record("\(String(describing: found))")
          continue
        }
        #expect(limit == "number of workgroups along \(["x", "y", "z"][axis])")
        #expect(remedy.contains("Dispatch 'wide' (command 0)"))
      }
      let none = Dispatch(
        kernel, bindings: [buffer], groupCount: GroupCount(0), pushConstants: [0, 0], label: "none")
      #expect(error(queue, [.dispatch(none)]).map { "\($0)" }?.contains("0 workgroups along x") == true)
    }
  }

  @Test("a binding larger than the device allows is an error that names the limit")
  func overRangeBinding() throws {
    try TestDevice.with { device in
      let limit = device.capabilities.maxBindingByteCount
      guard device.capabilities.maxBufferByteCount > limit + 64, limit < 1 << 30 else { return }
      let queue = try device.makeQueue()
      let kernel = try device.makeKernel("scale_and_add", scaleAndAdd)
      let large = try device.makeBuffer(byteCount: limit + 16)
      let found = error(
        queue,
        [
          .dispatch(
            Dispatch(
              kernel, bindings: [BufferSlice(large)], groupCount: GroupCount(1), pushConstants: [0, 0],
              label: "large"))
        ])
      guard case .limitExceeded(_, "bound slice in bytes", limit + 16, limit, _) = found else {
        Issue.record("\(String(describing: found))")
        return
      }
      _ = try queue.record([
        .dispatch(
          Dispatch(
            kernel, bindings: [BufferSlice(large, offset: 16, byteCount: limit)], groupCount: GroupCount(1),
            pushConstants: [0, 0], label: "just right"))
      ])
    }
  }

  @Test("arguments that do not fit the kernel or the buffer are refused in words")
  func arguments() throws {
    try TestDevice.with { device in
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer(byteCount: 1024)
      let kernel = try device.makeKernel("scale_and_add", scaleAndAdd)
      let dispatch = Dispatch(
        kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), pushConstants: [0, 0],
        label: "fine")
      let slice = { (offset: Int, byteCount: Int) in BufferSlice(buffer, offset: offset, byteCount: byteCount)
      }
      func changed(_ change: (inout Dispatch) -> Void) -> Command {
        var copy = dispatch
        change(&copy)
        return .dispatch(copy)
      }
      let cases: [(Command, String)] = [
        (changed { $0.bindings = [] }, "binds 1 buffers, 0 were given"),
        (changed { $0.bindings += $0.bindings }, "binds 1 buffers, 2 were given"),
        (changed { $0.pushConstants = [1] }, "takes 8 bytes of push constants, 4 were given"),
        (changed { $0.bindings = [slice(4, 16)] }, "offset 4 is not a multiple of"),
        (changed { $0.bindings = [slice(0, 1028)] }, "does not lie within a buffer of 1024 bytes"),
        (changed { $0.bindings = [slice(1024, 4)] }, "does not lie within a buffer of 1024 bytes"),
        (changed { $0.bindings = [slice(-16, 4)] }, "does not lie within a buffer of 1024 bytes"),
        (changed { $0.bindings = [slice(16, .max)] }, "does not lie within a buffer of 1024 bytes"),
        (changed { $0.bindings = [slice(0, 0)] }, "is empty"),
        (.fill(slice(0, 6), word: 0), "6 bytes are no whole number of 4-byte words"),
        (.fill(slice(2, 4), word: 0), "offset 2 is not a multiple of 4"),
        (.copy(from: slice(0, 8), to: slice(16, 12)), "The source has 8 bytes, the destination 12"),
        (.copy(from: slice(0, 8), to: slice(4, 8)), "Source and destination overlap"),
      ]
      for (command, reason) in cases {
        let text = error(queue, [.barrier, command]).map { "\($0)" } ?? ""
        #expect(text.contains(reason) && text.contains("(command 1)"), "\(text)")
      }
      _ = try queue.record([.dispatch(dispatch), .barrier, .copy(from: slice(0, 8), to: slice(8, 8))])
    }
  }

  @Test("what another device made is refused")
  func foreignObjects() throws {
    try TestDevice.with { device in
      try TestDevice.with { other in
        let queue = try device.makeQueue()
        let foreign = try other.makeBuffer(byteCount: 64)
        let kernel = try other.makeKernel("scale_and_add", scaleAndAdd)
        let recording = try other.makeQueue().record([.barrier])
        let dispatch = Dispatch(
          kernel, bindings: [BufferSlice(foreign)], groupCount: GroupCount(1), pushConstants: [0, 0],
          label: "a")
        let fill = error(queue, [.fill(BufferSlice(foreign), word: 0)])
        #expect(fill.map { "\($0)" }?.contains("buffer was not made by vulkan:0") == true)
        #expect(
          error(queue, [.dispatch(dispatch)]).map { "\($0)" }?.contains("kernel was not made by vulkan:0")
            == true)
        #expect(throws: DeviceError.self) { try queue.submit(recording) }
        #expect(throws: DeviceError.self) { try queue.profile(recording) }
        #expect(throws: DeviceError.self) { _ = try queue.words(of: foreign) }
      }
    }
  }
}
