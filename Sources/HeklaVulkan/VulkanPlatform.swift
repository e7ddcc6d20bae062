import Glibc
import HeklaDevices
import Synchronization

/// The Vulkan devices of this machine.
public enum VulkanPlatform {
  /// What each device can do, in the drivers' order: the first is `vulkan:0`.
  ///
  /// - Throws: `DeviceError.unavailable` when there is no loader or no driver, with what to install.
  public static func capabilities() throws(DeviceError) -> [Capabilities] {
    try instance(validation: VulkanOptions.validationFromEnvironment).physicalDevices().map(\.capabilities)
  }

  /// The device at `index` of `capabilities()`.
  ///
  /// Each is opened once per process, with the options of the first call; later calls return the same device.
  ///
  /// - Throws: `DeviceError.unavailable` as `capabilities()` does, `.unknownDevice` for an index that is not
  ///   there, and what goes wrong in the driver.
  public static func device(
    at index: Int, options: VulkanOptions = VulkanOptions()
  ) throws(DeviceError) -> VulkanDevice {
    try registry.withLock { (registry) throws(DeviceError) -> VulkanDevice in
      if let device = registry.devices[index] { return device }
      let instance = try registry.instance(validation: options.validation)
      let device = try VulkanDevice(at: index, of: instance, options: options)
      if registry.devices.isEmpty { atexit { VulkanPlatform.savePipelineCaches() } }
      registry.devices[index] = device
      return device
    }
  }

  private static let registry = Mutex(Registry())

  /// What the process has opened.
  private struct Registry: Sendable {
    var devices: [Int: VulkanDevice] = [:]
    private var instances: [Bool: VulkanInstance] = [:]

    /// The one instance; a second one only where validation is asked for after it was made without.
    mutating func instance(validation: Bool) throws(DeviceError) -> VulkanInstance {
      if let known = instances[true] ?? instances[validation] { return known }
      let instance = try VulkanInstance(loader: VulkanLoader(), validation: validation)
      instances[validation] = instance
      return instance
    }
  }

  /// The process's instance, made at the first call.
  static func instance(validation: Bool) throws(DeviceError) -> VulkanInstance {
    try registry.withLock { (registry) throws(DeviceError) -> VulkanInstance in
      try registry.instance(validation: validation)
    }
  }

  /// Keeps what drivers compiled; registered devices live until the process ends, so nothing else would.
  private static func savePipelineCaches() {
    let devices = registry.withLock { Array($0.devices.values) }
    for device in devices { device.savePipelineCache() }
  }
}
