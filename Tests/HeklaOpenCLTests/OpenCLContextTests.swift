import COpenCL
import HeklaDevices
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL contexts", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLContextTests {
  @Test("One index has one context in a process, whatever the options")
  func oneContext() throws {
    let (first, second) = (try OpenCLFixture.device(), try OpenCLPlatform.device(at: 0))
    #expect(first.context === second.context)
  }

  @Test("A lost device throws the same error from then on, whatever is asked of it")
  func deviceLost() throws {
    // An installation of its own, so that the loss stays in this test.
    let device = OpenCLDevice(try OpenCLInstallation().context(at: 0), options: OpenCLOptions())
    let queue = try device.makeQueue()
    let buffer = try device.makeBuffer(byteCount: 4)
    let recording = try queue.record([.fill(BufferSlice(buffer), word: 1)])
    try queue.submit(recording)
    try queue.waitUntilIdle()

    let loss = DeviceError.deviceLost(device: "opencl:0", during: "softmax")
    #expect(throws: loss) {
      try device.context.check(CL_OUT_OF_RESOURCES, "clFinish", for: "softmax", isExecuting: true)
    }
    #expect(throws: loss) { try queue.submit(recording) }
    #expect(throws: loss) { try queue.waitUntilIdle() }
    #expect(throws: loss) { try queue.record([]) }
    #expect(throws: loss) { try queue.profile(recording) }
    #expect(throws: loss) { try queue.write([UInt32(1)], to: buffer) }
    #expect(throws: loss) { try queue.read(1, from: buffer, initial: UInt32(0)) }
    #expect(throws: loss) { try device.makeBuffer(byteCount: 4) }
    #expect(throws: loss) { try device.makeQueue() }
    #expect(throws: loss) { try device.makeKernel(OpenCLFixture.affine, name: "affine") }
    // A second loss does not replace the first, and other contexts are as they were.
    #expect(throws: loss) { try device.context.check(CL_DEVICE_NOT_AVAILABLE, "clFlush", for: "matmul") }
    try OpenCLFixture.device().makeQueue().waitUntilIdle()
  }

  @Test("Codes of the driver become the errors that name their remedy")
  func errorCodes() throws {
    let context = try OpenCLFixture.device().context
    #expect(
      throws: DeviceError.outOfMemory(
        device: "opencl:0", purpose: "matmul", requestedByteCount: 12, availableByteCount: nil)
    ) {
      try context.check(
        CL_MEM_OBJECT_ALLOCATION_FAILURE, "clEnqueueNDRangeKernel", for: "matmul", byteCount: 12)
    }
    // While it is only enqueued, a lack of resources is the command's, not the end of the device.
    #expect(
      throws: DeviceError.driverFailure(
        device: "opencl:0", call: "clEnqueueNDRangeKernel", code: Int(CL_OUT_OF_RESOURCES))
    ) { try context.check(CL_OUT_OF_RESOURCES, "clEnqueueNDRangeKernel", for: "matmul") }
    try context.check(CL_SUCCESS, "clFinish", for: "matmul", isExecuting: true)
    try context.checkPresence()
  }
}
