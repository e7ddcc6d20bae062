import HeklaDevices
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL platforms")
struct OpenCLPlatformTests {
  @Test("A missing loader is unavailable, and the error names the packages")
  func missingLoader() {
    let error = #expect(throws: DeviceError.self) {
      try OpenCLInstallation(libraries: ["libHeklaHasNoSuchLibrary.so"])
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasPrefix("Device opencl is not available"))
    #expect(text.contains("libHeklaHasNoSuchLibrary.so"))
    #expect(text.contains("ocl-icd-libopencl1"))
    #expect(text.contains("pocl-opencl-icd"))
  }

  @Test("A library without OpenCL's functions is unavailable, and the error names the function")
  func foreignLibrary() {
    let error = #expect(throws: DeviceError.self) { try OpenCLInstallation(libraries: ["libm.so.6"]) }
    #expect(error.map { "\($0)" }?.contains("clGetPlatformIDs") == true)
  }

  @Test(
    "An index that no device has is an error that lists those there are",
    .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
  func unknownIndex() throws {
    let known = try OpenCLPlatform.capabilities().indices.map { "opencl:\($0)" }
    for index in [-1, known.count, Int.max] {
      #expect(throws: DeviceError.unknownDevice(name: "opencl:\(index)", known: known)) {
        try OpenCLPlatform.device(at: index)
      }
    }
  }

  @Test(
    "Capabilities hold together and are the same for each device made",
    .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
  func capabilities() throws {
    let capabilities = try #require(try OpenCLPlatform.capabilities().first)
    #expect(capabilities.interface == .opencl)
    #expect(!capabilities.deviceName.isEmpty)
    #expect(capabilities.uuid.count == 32)
    #expect(capabilities.uuid.allSatisfy { $0.isHexDigit })
    #expect(capabilities.memoryByteCount >= capabilities.maxBufferByteCount)
    #expect(capabilities.maxBufferByteCount >= 1 << 27)
    #expect(capabilities.bufferAlignment >= 4)
    #expect(capabilities.bufferAlignment.nonzeroBitCount == 1)
    // What the full profile of OpenCL 1.2 guarantees: 1 KiB of arguments, 32 KiB of local memory.
    #expect(capabilities.maxBindingCount >= 96)
    #expect(capabilities.maxPushConstantByteCount >= 128)
    #expect(capabilities.sharedMemoryByteCount >= 32_768)
    #expect(capabilities.maxWorkgroupSize.count == 3)
    #expect(capabilities.maxWorkgroupInvocations >= 1)
    #expect(capabilities.computeUnitCount >= 1)
    #expect(try OpenCLPlatform.device(at: 0).capabilities == capabilities)
    #expect(try OpenCLPlatform.device(at: 0).name == "opencl:0")
  }
}
