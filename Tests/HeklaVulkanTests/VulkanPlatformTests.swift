import CVulkan
import HeklaDevices
import HeklaShaders
import Testing

@testable import HeklaVulkan

@Suite("Finding Vulkan")
struct VulkanLoaderTests {
  @Test("a missing loader is an error that names the packages to install")
  func missingLoader() {
    let error = #expect(throws: DeviceError.self) { try VulkanLoader(path: "libno-such-vulkan.so.1") }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("libno-such-vulkan.so.1 cannot be opened"))
    #expect(text.contains("libvulkan1") && text.contains("mesa-vulkan-drivers"))
  }

  @Test("a library that is no loader is an error that says so")
  func otherLibrary() {
    let error = #expect(throws: DeviceError.self) { try VulkanLoader(path: "libm.so.6") }
    #expect(error.map { "\($0)" }?.contains("libm.so.6 has no vkGetInstanceProcAddr") == true)
  }
}

@Suite("The Vulkan platform", vulkanIsPresent)
struct VulkanPlatformTests {
  @Test("an index that is not there is an error that lists the devices")
  func unknownIndex() throws {
    let known = try VulkanPlatform.capabilities().indices.map { "vulkan:\($0)" }
    for index in [-1, known.count, 99] {
      #expect(throws: DeviceError.unknownDevice(name: "vulkan:\(index)", known: known)) {
        try VulkanPlatform.device(at: index)
      }
    }
  }

  @Test("a device is opened once per process")
  func oncePerProcess() throws {
    // The first to open it may be this test, and other modules' tests include headers.
    let options = VulkanOptions(include: { ShaderLibrary.include(named: $0) })
    let first = try VulkanPlatform.device(at: 0, options: options)
    let second = try VulkanPlatform.device(at: 0, options: VulkanOptions(memoryLimit: 1))
    #expect(first === second)
    #expect(first.name == "vulkan:0")
    #expect(first.capabilities == (try VulkanPlatform.capabilities())[0])
  }

  @Test("capabilities hold at least what Vulkan 1.1 guarantees")
  func capabilities() throws {
    for record in try VulkanPlatform.capabilities() {
      let least = Capabilities(interface: .vulkan, kind: .other, deviceName: "", driver: "")
      #expect(record.interface == .vulkan)
      #expect(!record.deviceName.isEmpty && !record.driver.isEmpty)
      #expect(record.uuid.count == 32 && record.uuid != least.uuid)
      #expect(record.memoryByteCount > 0)
      #expect(record.maxBindingByteCount >= least.maxBindingByteCount)
      #expect(record.maxBindingCount >= least.maxBindingCount)
      #expect(record.maxPushConstantByteCount >= least.maxPushConstantByteCount)
      #expect(record.maxWorkgroupInvocations >= least.maxWorkgroupInvocations)
      #expect(zip(record.maxGroupCount, least.maxGroupCount).allSatisfy { $0 >= $1 })
      #expect(record.sharedMemoryByteCount >= least.sharedMemoryByteCount)
      #expect([16, 32, 64, 128, 256].contains(record.bufferAlignment))
      #expect(record.subgroupOperations.contains(.basic))
      #expect(record.storageTypes.isSuperset(of: least.storageTypes))
    }
  }

  @Test("lavapipe is a software device with the features it is known for")
  func lavapipe() throws {
    guard let record = try VulkanPlatform.capabilities().first(where: { $0.deviceName.hasPrefix("llvmpipe") })
    else { try Test.cancel("lavapipe is not installed") }
    #expect(record.kind == .software && !record.kind.isGPU)
    #expect(record.driver.hasPrefix("llvmpipe Mesa"))
    #expect(record.storageTypes.isSuperset(of: [.float16, .bfloat16, .float64, .int64, .uint8, .bool]))
    #expect(record.arithmeticTypes.isSuperset(of: [.float64, .int64]))
    #expect(record.hasAtomicFloatAdd)
    #expect(record.timestampPeriod > 0)
    #expect(record.matrixShapes.isEmpty)
  }

  @Test("the validation layer is at work in these tests")
  func validationReports() throws {
    let instance = try VulkanInstance(loader: VulkanLoader(), validation: true)
    let device = try VulkanDevice(at: 0, of: instance, options: VulkanOptions(validation: true))
    #expect(device.validationMessages.isEmpty)
    // A command pool with a flag that there is not.
    var information = VkCommandPoolCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
    information.flags = 0x4000_0000
    let context = device.context
    let pool = try context.make("vkCreateCommandPool", destroy: context.functions.destroyCommandPool) {
      context.functions.createCommandPool(context.handle, &information, nil, $0)
    }
    #expect(device.validationMessages.contains { $0.contains("VkCommandPoolCreateInfo") })
    _ = consume pool
  }

  @Test(
    "a missing barrier is found by the validation layer, a barrier satisfies it", arguments: [false, true])
  func hazards(hasBarrier: Bool) throws {
    let instance = try VulkanInstance(loader: VulkanLoader(), validation: true)
    let device = try VulkanDevice(at: 0, of: instance, options: VulkanOptions(validation: true))
    let queue = try device.makeQueue()
    let buffers = try (0..<2).map { _ in BufferSlice(try device.makeBuffer(byteCount: 64)) }
    let middle: [Command] = hasBarrier ? [.barrier] : []
    try queue.run([.fill(buffers[0], word: 1)] + middle + [.copy(from: buffers[0], to: buffers[1])])
    #expect(device.validationMessages.contains { $0.contains("READ_AFTER_WRITE") } == !hasBarrier)
  }
}
