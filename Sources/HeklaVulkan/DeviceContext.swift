import CVulkan
import HeklaDevices
import Synchronization

/// An open device: its handle, functions and single queue; everything made on the device keeps it alive.
///
/// Unchecked Sendable: the handles never change, and calls that the specification wants serialized go through
/// `submission`.
final class DeviceContext: @unchecked Sendable {
  /// What people select the device by.
  let name: String
  /// What the driver said about it.
  let physical: PhysicalDevice
  /// The logical device.
  let handle: VkDevice
  /// Its functions.
  let functions: DeviceFunctions
  /// The one queue; all of the framework's queues share it.
  let queue: VkQueue
  /// Held while something is submitted to `queue`.
  let submission = Mutex<Void>(())
  private let loss = Mutex<DeviceError?>(nil)

  /// Opens `physical`; its functions are the driver's but for what `replaceFunctions` changes.
  init(
    _ physical: PhysicalDevice, name: String, replaceFunctions: (inout DeviceFunctions) -> Void
  ) throws(DeviceError) {
    let instance = physical.instance
    let handle = try Self.open(physical, name: name)
    do throws(DeviceError) {
      var functions = try DeviceFunctions(
        FunctionLookup { instance.functions.getDeviceProcAddr(handle, $0) })
      replaceFunctions(&functions)
      self.functions = functions
    } catch {
      if let destroy = instance.functions.getDeviceProcAddr(handle, "vkDestroyDevice") {
        unsafeBitCast(destroy, to: PFN_vkDestroyDevice.self)(handle, nil)
      }
      throw error
    }
    var queue: VkQueue?
    functions.getDeviceQueue(handle, physical.queueFamily, 0, &queue)
    guard let queue else {
      functions.destroyDevice(handle, nil)
      throw .driverFailure(device: name, call: "vkGetDeviceQueue", code: 0)
    }
    self.queue = queue
    self.name = name
    self.physical = physical
    self.handle = handle
  }

  deinit { functions.destroyDevice(handle, nil) }

  private static func open(_ physical: PhysicalDevice, name: String) throws(DeviceError) -> VkDevice {
    try withScratch { (scratch) throws(DeviceError) -> VkDevice in
      let functions = physical.instance.functions
      let chain = FeatureChain(
        in: &scratch, version: physical.version, extensions: physical.extensions)
      functions.getPhysicalDeviceFeatures2(physical.handle, chain.head)
      chain.keepWhatKernelsUse()
      var queue = VkDeviceQueueCreateInfo()
      queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
      queue.queueFamilyIndex = physical.queueFamily
      queue.queueCount = 1
      queue.pQueuePriorities = UnsafePointer(scratch.copy(Float(1)))
      var information = VkDeviceCreateInfo()
      information.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
      information.pNext = UnsafeRawPointer(chain.head)
      information.queueCreateInfoCount = 1
      information.pQueueCreateInfos = UnsafePointer(scratch.copy(queue))
      information.enabledExtensionCount = UInt32(chain.extensions.count)
      information.ppEnabledExtensionNames = scratch.copy(strings: chain.extensions)
      var handle: VkDevice?
      let result = functions.createDevice(physical.handle, &information, nil, &handle)
      guard result == VK_SUCCESS, let handle else {
        throw .driverFailure(device: name, call: "vkCreateDevice", code: Int(result.rawValue))
      }
      return handle
    }
  }

  /// What the device can do.
  var capabilities: Capabilities { physical.capabilities }

  /// Throws the loss again once the device was lost.
  func checkAlive() throws(DeviceError) {
    if let error = loss.withLock({ $0 }) { throw error }
  }

  /// Throws what `result`, of `call`, stands for where it is an error; remembers the loss of the device.
  func check(_ result: VkResult, _ call: String) throws(DeviceError) {
    if result.rawValue >= 0 { return }
    if result == VK_ERROR_DEVICE_LOST { throw markLost(during: call) }
    throw .driverFailure(device: name, call: call, code: Int(result.rawValue))
  }

  /// Makes the loss of the device stick, and returns the error that every call throws from now on.
  @discardableResult
  func markLost(during call: String) -> DeviceError {
    loss.withLock { loss in
      let error = loss ?? .deviceLost(device: name, during: call)
      loss = error
      return error
    }
  }

  /// Waits for all queues, whatever the outcome; for the end of things, where no error can be thrown.
  func waitUntilIdle() {
    _ = submission.withLock { _ in functions.deviceWaitIdle(handle) }
  }

  /// Makes one object through `create`; `destroy` ends it with the value returned.
  func make(
    _ call: String, destroy: @escaping OwnedHandle.Destroy,
    _ create: (UnsafeMutablePointer<OpaquePointer?>) -> VkResult
  ) throws(DeviceError) -> OwnedHandle {
    var handle: OpaquePointer?
    try check(create(&handle), call)
    guard let handle else { throw .driverFailure(device: name, call: call, code: 0) }
    return OwnedHandle(handle, context: self, destroy: destroy)
  }
}

/// A child of a device together with the call that destroys it; keeps the device open as long.
struct OwnedHandle: ~Copyable {
  /// The shape that all of Vulkan's destroy functions have.
  typealias Destroy =
    @convention(c) (VkDevice?, OpaquePointer?, UnsafePointer<VkAllocationCallbacks>?) -> Void

  /// The object.
  let handle: OpaquePointer
  private let context: DeviceContext
  private let destroy: Destroy

  /// Takes over `handle`.
  init(_ handle: OpaquePointer, context: DeviceContext, destroy: @escaping Destroy) {
    self.handle = handle
    self.context = context
    self.destroy = destroy
  }

  deinit { destroy(context.handle, handle, nil) }
}
