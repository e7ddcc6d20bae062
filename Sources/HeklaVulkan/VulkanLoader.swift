import CVulkan
import Glibc
import HeklaDevices

/// The Vulkan loader, opened at run time so that a program starts on machines that have none.
///
/// Unchecked Sendable: holds one C function, which the specification lets any thread call.
struct VulkanLoader: @unchecked Sendable {
  /// What the dynamic linker is asked for.
  static let defaultPath = "libvulkan.so.1"

  /// The entry point from which all others are found.
  let instanceFunction: PFN_vkGetInstanceProcAddr

  /// Opens the library `path`; it stays open for the life of the process, as drivers start threads in it.
  init(path: String = VulkanLoader.defaultPath) throws(DeviceError) {
    guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason was given"
      throw .unavailable(
        device: "vulkan", reason: "The Vulkan loader \(path) cannot be opened (\(reason)).",
        remedy: Self.installRemedy)
    }
    guard let entry = dlsym(library, "vkGetInstanceProcAddr") else {
      throw .unavailable(
        device: "vulkan", reason: "\(path) has no vkGetInstanceProcAddr, so it is not a Vulkan loader.",
        remedy: Self.installRemedy)
    }
    instanceFunction = unsafeBitCast(entry, to: PFN_vkGetInstanceProcAddr.self)
  }

  /// What to install where something is missing; the names are those of Debian and its relatives.
  static let installRemedy =
    "Install libvulkan1 and a driver: the GPU vendor's own, or mesa-vulkan-drivers (AMD, Intel and the "
    + "software driver lavapipe)."

  /// Finds global functions (`instance` nil) or those of `instance`.
  func lookup(in instance: VkInstance?) -> FunctionLookup {
    FunctionLookup { name in self.instanceFunction(instance, name) }
  }
}

/// Finds Vulkan functions by name.
struct FunctionLookup {
  private let find: (String) -> PFN_vkVoidFunction?

  /// Asks `find` for each name.
  init(_ find: @escaping (String) -> PFN_vkVoidFunction?) { self.find = find }

  /// The function `name` as the C type that the caller stores it in, which has to be the right one.
  func callAsFunction<Function>(_ name: String) throws(DeviceError) -> Function {
    guard let function: Function = optional(name) else {
      throw .unavailable(
        device: "vulkan", reason: "The driver lacks \(name), which every Vulkan 1.1 driver has.",
        remedy: VulkanLoader.installRemedy)
    }
    return function
  }

  /// The function `name`, or nil where the driver does not have it.
  func optional<Function>(_ name: String) -> Function? {
    find(name).map { unsafeBitCast($0, to: Function.self) }
  }
}
