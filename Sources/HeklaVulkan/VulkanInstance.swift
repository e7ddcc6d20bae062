import CVulkan
import Glibc
import HeklaDevices
import Synchronization

/// The process's connection to the Vulkan loader and its drivers.
///
/// Unchecked Sendable: the handles never change, and instance functions that are used here may be called from
/// any thread.
final class VulkanInstance: @unchecked Sendable {
  /// The instance itself.
  let handle: VkInstance
  /// Its functions.
  let functions: InstanceFunctions
  /// The newest version that loader and this code both know.
  let version: UInt32
  /// What the validation layer reported, or nil where it was not asked for.
  let validation: ValidationLog?
  private let messenger: VkDebugUtilsMessengerEXT?

  /// Vulkan 1.1, the least that a loader and a device must have.
  static let minimumVersion = apiVersion(1, 1)
  /// Vulkan 1.3, the newest that this code knows.
  static let newestVersion = apiVersion(1, 3)
  private static let validationLayer = "VK_LAYER_KHRONOS_validation"

  /// Makes an instance; with the validation layer where `validation` asks for it.
  init(loader: VulkanLoader, validation: Bool) throws(DeviceError) {
    let find = loader.lookup(in: nil)
    let create: PFN_vkCreateInstance = try find("vkCreateInstance")
    let found = try Self.loaderVersion(find)
    guard found >= Self.minimumVersion else {
      throw .unavailable(
        device: "vulkan", reason: "The Vulkan loader is of version 1.0; 1.1 is the least that works.",
        remedy: VulkanLoader.installRemedy)
    }
    if validation { try Self.requireValidationLayer(find) }
    version = min(found, Self.newestVersion)
    let log = validation ? ValidationLog() : nil
    self.validation = log
    (handle, functions, messenger) = try withScratch {
      (scratch) throws(DeviceError) -> (VkInstance, InstanceFunctions, VkDebugUtilsMessengerEXT?) in
      let messengerInformation = log.map { scratch.copy($0.messengerInformation) }
      var information = Self.information(
        version: min(found, Self.newestVersion), messenger: messengerInformation, in: &scratch)
      var created: VkInstance?
      let result = create(&information, nil, &created)
      if result == VK_ERROR_INCOMPATIBLE_DRIVER {
        throw .unavailable(
          device: "vulkan", reason: "No Vulkan driver is installed for the hardware of this machine.",
          remedy: VulkanLoader.installRemedy)
      }
      guard result == VK_SUCCESS, let handle = created else {
        throw .driverFailure(device: "vulkan", call: "vkCreateInstance", code: Int(result.rawValue))
      }
      let functions = try InstanceFunctions(loader.lookup(in: handle))
      var messenger: VkDebugUtilsMessengerEXT?
      if let messengerInformation, let createMessenger = functions.createDebugUtilsMessenger {
        let result = createMessenger(handle, messengerInformation, nil, &messenger)
        guard result == VK_SUCCESS else {
          functions.destroyInstance(handle, nil)
          throw .driverFailure(
            device: "vulkan", call: "vkCreateDebugUtilsMessengerEXT", code: Int(result.rawValue))
        }
      }
      return (handle, functions, messenger)
    }
  }

  /// How the instance is made; with the validation layer where there is a messenger to hear of it.
  ///
  /// The messenger hears of errors in making and ending the instance, too. Hazards between commands that no
  /// barrier separates are looked for as well: software drivers, which run commands one by one, would hide them.
  private static func information(
    version: UInt32, messenger: UnsafeMutablePointer<VkDebugUtilsMessengerCreateInfoEXT>?,
    in scratch: inout Scratch
  ) -> VkInstanceCreateInfo {
    var application = VkApplicationInfo()
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
    application.pApplicationName = scratch.copy("hekla")
    application.apiVersion = version
    var information = VkInstanceCreateInfo()
    information.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
    information.pApplicationInfo = UnsafePointer(scratch.copy(application))
    guard let messenger else { return information }
    var features = VkValidationFeaturesEXT()
    features.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT
    features.pNext = UnsafeRawPointer(messenger)
    features.enabledValidationFeatureCount = 1
    features.pEnabledValidationFeatures = UnsafePointer(
      scratch.copy(VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT))
    information.pNext = UnsafeRawPointer(scratch.copy(features))
    let extensions = ["VK_EXT_debug_utils", "VK_EXT_validation_features"]
    information.enabledLayerCount = 1
    information.ppEnabledLayerNames = scratch.copy(strings: [validationLayer])
    information.enabledExtensionCount = UInt32(extensions.count)
    information.ppEnabledExtensionNames = scratch.copy(strings: extensions)
    return information
  }

  deinit {
    if let messenger { functions.destroyDebugUtilsMessenger?(handle, messenger, nil) }
    functions.destroyInstance(handle, nil)
  }

  /// The devices that can run compute kernels, in the drivers' order.
  func physicalDevices() throws(DeviceError) -> [PhysicalDevice] {
    var handles: [VkPhysicalDevice?] = []
    var result = VK_INCOMPLETE
    while result == VK_INCOMPLETE {
      var count: UInt32 = 0
      _ = functions.enumeratePhysicalDevices(handle, &count, nil)
      handles = Array(repeating: nil, count: Int(count))
      result = functions.enumeratePhysicalDevices(handle, &count, &handles)
      handles.removeLast(handles.count - Int(count))
    }
    guard result == VK_SUCCESS || result == VK_ERROR_INITIALIZATION_FAILED else {
      throw .driverFailure(device: "vulkan", call: "vkEnumeratePhysicalDevices", code: Int(result.rawValue))
    }
    var devices: [PhysicalDevice] = []
    for case let handle? in handles {
      if let device = PhysicalDevice(handle, of: self, index: devices.count) { devices.append(device) }
    }
    guard !devices.isEmpty else {
      throw .unavailable(
        device: "vulkan", reason: "The Vulkan loader works, but no driver offers a compute device.",
        remedy: VulkanLoader.installRemedy)
    }
    return devices
  }

  /// `VK_MAKE_API_VERSION`, which is a macro that Swift does not see.
  static func apiVersion(_ major: UInt32, _ minor: UInt32) -> UInt32 { major << 22 | minor << 12 }

  /// The loader's version; loaders of version 1.0 lack the function that tells.
  private static func loaderVersion(_ find: FunctionLookup) throws(DeviceError) -> UInt32 {
    guard let enumerate: PFN_vkEnumerateInstanceVersion = find.optional("vkEnumerateInstanceVersion") else {
      return apiVersion(1, 0)
    }
    var version: UInt32 = 0
    let result = enumerate(&version)
    guard result == VK_SUCCESS else {
      throw .driverFailure(device: "vulkan", call: "vkEnumerateInstanceVersion", code: Int(result.rawValue))
    }
    return version
  }

  private static func requireValidationLayer(_ find: FunctionLookup) throws(DeviceError) {
    let enumerate: PFN_vkEnumerateInstanceLayerProperties = try find("vkEnumerateInstanceLayerProperties")
    var count: UInt32 = 0
    _ = enumerate(&count, nil)
    var layers = Array(repeating: VkLayerProperties(), count: Int(count))
    _ = enumerate(&count, &layers)
    guard layers.contains(where: { text(of: $0.layerName) == validationLayer }) else {
      throw .unavailable(
        device: "vulkan", reason: "Validation was asked for, but \(validationLayer) is not installed.",
        remedy: "Install vulkan-validationlayers, or switch validation off (HEKLA_VULKAN_VALIDATION=0).")
    }
  }
}

/// Collects what the validation layer reports.
///
/// Where the environment asks for validation, nobody may look here, so messages are printed as well.
final class ValidationLog: Sendable {
  private let messages = Mutex<[String]>([])
  private let printsMessages = VulkanOptions.validationFromEnvironment

  /// Later messages are of no use, and a mistake in a training step is reported at every step.
  private static let capacity = 1000

  /// Every warning and error so far, oldest first.
  var all: [String] { messages.withLock { $0 } }

  /// Adds one message.
  func append(_ message: String) {
    messages.withLock { if $0.count < Self.capacity { $0.append(message) } }
    guard printsMessages else { return }
    var line = "\(message)\n"
    _ = line.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// How Vulkan is told to report here; the log must outlive the instance.
  var messengerInformation: VkDebugUtilsMessengerCreateInfoEXT {
    var information = VkDebugUtilsMessengerCreateInfoEXT()
    information.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
    information.messageSeverity =
      VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
      | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue
    information.messageType =
      VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
      | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT.rawValue
    information.pUserData = Unmanaged.passUnretained(self).toOpaque()
    information.pfnUserCallback = { _, _, data, user in
      if let data, let user, let message = data.pointee.pMessage {
        Unmanaged<ValidationLog>.fromOpaque(user).takeUnretainedValue().append(String(cString: message))
      }
      return VkBool32(VK_FALSE)
    }
    return information
  }
}
