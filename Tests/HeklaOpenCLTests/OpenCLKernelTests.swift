import HeklaDevices
import HeklaShaderCompiler
import Testing

@testable import HeklaOpenCL

@Suite("OpenCL kernels", .enabled(if: OpenCLFixture.isPresent, OpenCLFixture.absence))
struct OpenCLKernelTests {
  @Test("A kernel that does not compile is an error with the compiler's log")
  func buildLog() throws {
    let device = try OpenCLFixture.device()
    let program = OpenCLProgram(
      text: "__kernel void broken(__global float *x) { x[0] = undeclared; }", entryPoint: "broken",
      bindings: [0],
      pushConstantByteCount: 0, workgroupSize: GroupCount(1), sharedMemoryByteCount: 0)
    let error = #expect(throws: DeviceError.self) { try device.makeKernel(program, name: "broken") }
    guard case .compilation("broken", let log) = error else {
      Issue.record("not a compilation error: \(String(describing: error))")
      return
    }
    #expect(log.contains("undeclared"))
  }

  @Test("A workgroup or shared memory larger than the device's is an error before anything is built")
  func limits() throws {
    let device = try OpenCLFixture.device()
    let allowed = device.capabilities.maxWorkgroupInvocations
    var error = #expect(throws: DeviceError.self) {
      try device.makeKernel(Self.empty(workgroupSize: GroupCount(allowed, 2)), name: "wide")
    }
    #expect(error.map { "\($0)" }?.contains("workgroup size of at most \(allowed), \(2 * allowed)") == true)
    let shared = device.capabilities.sharedMemoryByteCount
    error = #expect(throws: DeviceError.self) {
      try device.makeKernel(Self.empty(sharedMemoryByteCount: shared + 4), name: "greedy")
    }
    #expect(error.map { "\($0)" }?.contains("shared memory in bytes of at most \(shared)") == true)
    let constants = device.capabilities.maxPushConstantByteCount
    error = #expect(throws: DeviceError.self) {
      try device.makeKernel(Self.empty(pushConstantByteCount: constants + 4), name: "wordy")
    }
    #expect(error.map { "\($0)" }?.contains("push constant block in bytes of at most \(constants)") == true)
  }

  @Test("A host kernel is refused by name")
  func hostKernel() throws {
    let device = try OpenCLFixture.device()
    let source = HostSource(name: "on the host", key: "") { _ throws(DeviceError) in }
    let error = #expect(throws: DeviceError.self) { try device.makeKernel(.host(source)) }
    #expect(error.map { "\($0)" }?.contains("on the host") == true)
  }

  /// A kernel that claims these sizes and does nothing.
  static func empty(
    workgroupSize: GroupCount = GroupCount(1), sharedMemoryByteCount: Int = 0, pushConstantByteCount: Int = 0
  ) -> OpenCLProgram {
    OpenCLProgram(
      text: "__kernel void empty() {}", entryPoint: "empty", bindings: [],
      pushConstantByteCount: pushConstantByteCount, workgroupSize: workgroupSize,
      sharedMemoryByteCount: sharedMemoryByteCount)
  }
}
