import Glibc

/// How a Vulkan device is opened.
public struct VulkanOptions: Sendable {
  /// Whether the validation layer watches every call, missing barriers included; slow, for tests.
  public var validation: Bool
  /// The text of the header that `#include "name"` in a shader names, or nil when there is none.
  public var include: @Sendable (String) -> String?
  /// Where compiled shaders are kept between processes; nil keeps them in memory only.
  public var cacheDirectory: String?
  /// The most bytes that buffers may take together; nil allows all of the device's memory.
  public var memoryLimit: Int?

  /// Whether buffers on a device that shares the host's memory are treated as if it did not.
  ///
  /// For tests: software drivers share memory, and what discrete GPUs do has to be tested on them.
  var forcesStaging = false
  /// Whether timeline semaphores are used where the device has them; for tests of drivers without.
  var usesTimelineSemaphores = true
  /// Whether the device's timestamps are used where it has them; for tests of drivers without.
  var usesTimestamps = true
  /// Replaces functions of the driver; for tests of what drivers do when they fail.
  var replaceFunctions: @Sendable (inout DeviceFunctions) -> Void = { _ in }
  /// The size of a queue's staging ring in bytes; for tests, which wrap around a small one.
  var stagingByteCount = 32 << 20

  /// Options with these values.
  public init(
    validation: Bool = VulkanOptions.validationFromEnvironment,
    include: @escaping @Sendable (String) -> String? = { _ in nil }, cacheDirectory: String? = nil,
    memoryLimit: Int? = nil
  ) {
    self.validation = validation
    self.include = include
    self.cacheDirectory = cacheDirectory
    self.memoryLimit = memoryLimit
  }

  /// Whether the environment has `HEKLA_VULKAN_VALIDATION=1`.
  public static var validationFromEnvironment: Bool {
    getenv("HEKLA_VULKAN_VALIDATION").map { String(cString: $0) } == "1"
  }
}
