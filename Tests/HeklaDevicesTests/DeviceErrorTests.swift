import HeklaDevices
import Testing

@Suite struct DeviceErrorTests {
  @Test(arguments: [
    (
      DeviceError.unavailable(
        device: "vulkan", reason: "libvulkan.so.1 is missing.", remedy: "Install libvulkan1."),
      "Device vulkan is not available: libvulkan.so.1 is missing. Install libvulkan1."
    ),
    (
      .unknownDevice(name: "vulkan:9", known: ["auto", "cpu"]),
      "There is no device 'vulkan:9'. Devices on this machine: auto, cpu. "
        + "'hekla devices' describes them and says what is missing for others."
    ),
    (
      .outOfMemory(device: "cpu", purpose: "the arena", requestedByteCount: 100, availableByteCount: 60),
      "Out of memory on cpu: the arena needs 100 bytes, 60 are available. "
        + "Use a smaller batch or model, or another device with --device."
    ),
    (
      .outOfMemory(device: "cpu", purpose: "the arena", requestedByteCount: 100, availableByteCount: nil),
      "Out of memory on cpu: the arena needs 100 bytes. "
        + "Use a smaller batch or model, or another device with --device."
    ),
    (
      .limitExceeded(device: "llvmpipe", limit: "buffer size", requested: 9, allowed: 8, remedy: "Split it."),
      "llvmpipe allows a buffer size of at most 8, 9 was asked for. Split it."
    ),
    (
      .compilation(kernel: "map", log: "map:3: error"),
      "Kernel 'map' does not compile:\nmap:3: error"
    ),
    (
      .unsupported(device: "PoCL", feature: "arrays of float16", remedy: "Use float32."),
      "PoCL does not support arrays of float16. Use float32."
    ),
    (
      .deviceLost(device: "vulkan:0", during: "step 3"),
      "Device vulkan:0 was lost during step 3: the driver reset it or it was removed. "
        + "Start the program again; if it happens again at the same place, the kernel named here is the suspect."
    ),
    (
      .driverFailure(device: "opencl:0", call: "clFinish", code: -5),
      "opencl:0: clFinish failed with code -5. Check that the driver is installed for this hardware and up to date."
    ),
    (.invalidArgument(call: "run", reason: "the step takes 1 argument."), "run: the step takes 1 argument."),
    (
      .indexOutOfRange(operation: "gather", index: 5, bound: 3),
      "gather: index 5 is outside 0..<3. Check the indices that were given."
    ),
  ])
  func `an error says what went wrong and how to mend it`(error: DeviceError, text: String) {
    #expect("\(error)" == text)
  }
}
