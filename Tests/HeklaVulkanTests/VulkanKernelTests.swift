import Foundation
import HeklaDevices
import Testing

@testable import HeklaVulkan

@Suite("Vulkan kernels", vulkanIsPresent)
struct VulkanKernelTests {
  @Test("the same source gives the same kernel, other constants another")
  func caching() throws {
    try TestDevice.with { device in
      let first = try device.makeKernel("scale_and_add", constants: [3: 2], scaleAndAdd)
      #expect(try device.makeKernel("scale_and_add", constants: [3: 2], scaleAndAdd) === first)
      #expect(try device.makeKernel("scale_and_add", constants: [3: 4], scaleAndAdd) !== first)
      #expect(first.source.name == "scale_and_add")
    }
  }

  @Test("a shader that does not compile is an error with its name and line")
  func compileError() throws {
    try TestDevice.with { device in
      let error = #expect(throws: DeviceError.self) {
        try device.makeKernel("broken", "layout(local_size_x = 1) in;\nvoid main() { nonsense = 1; }")
      }
      guard case .compilation(let kernel, let log) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(kernel == "broken")
      #expect(log.contains("3") && log.contains("nonsense"))
    }
  }

  @Test("headers are found through the option")
  func include() throws {
    try TestDevice.with({ $0.include = { $0 == "seven.glsl" ? "const uint seven = 7;\n" : nil } }) { device in
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer([0, 0], through: queue)
      let kernel = try device.makeKernel(
        "including",
        """
        #extension GL_GOOGLE_include_directive : require
        #include "seven.glsl"
        layout(local_size_x = 1) in;
        layout(set = 0, binding = 0) buffer Data { uint data[]; };
        void main() { data[gl_WorkGroupID.x] = seven; }
        """)
      try queue.run([
        .dispatch(
          Dispatch(kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(2), label: "including"))
      ])
      #expect(try queue.words(of: buffer) == [7, 7])
    }
  }

  @Test("a constant that the shader does not declare is refused")
  func undeclaredConstant() throws {
    try TestDevice.with { device in
      let error = #expect(throws: DeviceError.self) {
        try device.makeKernel("scale_and_add", constants: [3: 1, 9: 1], scaleAndAdd)
      }
      #expect(error.map { "\($0)" }?.contains("declares no constant_id 9; it declares 3.") == true)
    }
  }

  @Test(
    "a kernel that is too large for the device is refused before the driver sees it",
    arguments: [
      ("layout(local_size_x_id = 0) in; void main() {}", "workgroup size along x"),
      (
        "layout(local_size_x = 1024, local_size_y = 16) in; void main() {}",
        "number of invocations in a workgroup"
      ),
      (
        """
        layout(local_size_x = 1) in;
        shared float tile[1 << 20];
        layout(set = 0, binding = 0) buffer Data { float data[]; };
        void main() { tile[gl_WorkGroupID.x] = data[0]; barrier(); data[1] = tile[5]; }
        """, "shared memory size in bytes"
      ),
      (
        """
        layout(local_size_x = 1) in;
        layout(push_constant) uniform Constants { uint words[4096]; };
        layout(set = 0, binding = 0) buffer Data { uint data[]; };
        void main() { data[0] = words[data[1]]; }
        """, "push constant size in bytes"
      ),
    ])
  func limits(text: String, limit: String) throws {
    try TestDevice.with { device in
      // The compiler has limits of its own for literal sizes, so the first one comes as a constant.
      let constants: [UInt32: UInt32] = text.contains("_id") ? [0: 1 << 20] : [:]
      let error = #expect(throws: DeviceError.self) {
        try device.makeKernel("large", constants: constants, text)
      }
      guard case .limitExceeded("vulkan:0", let found, let requested, let allowed, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(found == limit && requested > allowed)
    }
  }

  @Test("a host kernel is refused")
  func hostKernel() throws {
    try TestDevice.with { device in
      let source = HostSource(name: "on_the_host", key: "") { _ throws(DeviceError) in }
      #expect(throws: DeviceError.self) { try device.makeKernel(.host(source)) }
    }
  }

  @Test("subgroups have the size that the capabilities promise, and are full")
  func subgroups() throws {
    try TestDevice.with { device in
      guard device.capabilities.subgroupOperations.contains(.arithmetic) else { return }
      let queue = try device.makeQueue()
      let buffer = try device.makeBuffer([0, 0], through: queue)
      let kernel = try device.makeKernel(
        "subgroups",
        """
        #extension GL_KHR_shader_subgroup_arithmetic : require
        layout(local_size_x = 128) in;
        layout(set = 0, binding = 0) buffer Data { uint size; uint memberCount; };
        void main() {
          uint members = subgroupAdd(1);
          if (gl_LocalInvocationID.x == 0) size = gl_SubgroupSize;
          if (gl_LocalInvocationID.x == 127) memberCount = members;
        }
        """)
      try queue.run([
        .dispatch(
          Dispatch(kernel, bindings: [BufferSlice(buffer)], groupCount: GroupCount(1), label: "subgroups"))
      ])
      let size = UInt32(device.capabilities.subgroupSize)
      #expect(try queue.words(of: buffer) == [size, size])
    }
  }

  @Test("what a module needs and the device lacks is listed in words")
  func requirements() throws {
    try TestDevice.with { device in
      let header: [UInt32] = [0x0723_0203, 0x0001_0300, 0, 100, 0]
      let capability = { (number: UInt32) in [0x0002_0011, number] }
      let words = header + capability(1) + capability(61) + capability(5347) + [0x0003_000e, 0, 1]
      let found = ShaderRequirements(words: words)
      #expect(found.capabilities == [1, 61, 5347])
      #expect(found.usesSubgroups)
      #expect(
        found.missing(from: device.context.physical.features, device.capabilities) == ["buffer addresses"])
      var poor = device.capabilities
      poor.subgroupOperations = []
      #expect(
        found.missing(from: device.context.physical.features, poor) == ["subgroups", "buffer addresses"])
    }
  }

  @Test("what the driver compiled is kept on disk, and damage to it does no harm")
  func diskCache() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hekla-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func pipelines() throws -> [URL] {
      try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        .filter { $0.pathExtension == "pipelines" }
    }
    for _ in 0..<2 {
      try TestDevice.with({ $0.cacheDirectory = folder.path }) { device in
        _ = try device.makeKernel("scale_and_add", scaleAndAdd)
      }
      #expect(try pipelines().count == 1)
      for file in try pipelines() { try Foundation.Data("damaged".utf8).write(to: file) }
    }
    try TestDevice.with({ $0.cacheDirectory = folder.path }) { device in
      _ = try device.makeKernel("scale_and_add", scaleAndAdd)
      device.savePipelineCache()
    }
    #expect(
      try pipelines().allSatisfy { try Foundation.Data(contentsOf: $0) != Foundation.Data("damaged".utf8) })
  }
}
