import COpenCL
import HeklaDevices
import Synchronization

/// The OpenCL of this machine: a loader, the devices of all its platforms, and a context on each that is used.
final class OpenCLInstallation: Sendable {
  /// What the machine has, asked once; or why it has nothing.
  static let shared = Result { () throws(DeviceError) in try OpenCLInstallation() }

  /// What each device can do, in order.
  let capabilities: [Capabilities]
  private let queries: [OpenCLDeviceQuery]
  private let contexts = Mutex<[Int: OpenCLContext]>([:])

  /// Asks the first loader of `libraries` for its devices.
  init(libraries: [String] = OpenCLLoader.systemLibraries) throws(DeviceError) {
    let api = try OpenCLLoader(libraries: libraries)
    queries = Self.platforms(api).flatMap { platform in
      Self.devices(platform, api).map { OpenCLDeviceQuery(api: api, platform: platform, device: $0) }
    }
    guard !queries.isEmpty else {
      throw .unavailable(
        device: "opencl", reason: "the OpenCL loader is there but knows no driver with a device.",
        remedy: OpenCLLoader.remedy)
    }
    capabilities = queries.map { $0.capabilities() }
  }

  /// The process's context on device `index`.
  func context(at index: Int) throws(DeviceError) -> OpenCLContext {
    guard queries.indices.contains(index) else {
      throw .unknownDevice(name: "opencl:\(index)", known: queries.indices.map { "opencl:\($0)" })
    }
    return try contexts.withLock { (contexts) throws(DeviceError) in
      if let context = contexts[index] { return context }
      let context = try OpenCLContext(
        queries[index], name: "opencl:\(index)", capabilities: capabilities[index])
      contexts[index] = context
      return context
    }
  }

  private static func platforms(_ api: OpenCLLoader) -> [cl_platform_id] {
    var count = cl_uint(0)
    guard api.clGetPlatformIDs(0, nil, &count) == CL_SUCCESS, count > 0 else { return [] }
    var platforms = [cl_platform_id?](repeating: nil, count: Int(count))
    guard api.clGetPlatformIDs(count, &platforms, nil) == CL_SUCCESS else { return [] }
    return platforms.compactMap { $0 }
  }

  private static func devices(_ platform: cl_platform_id, _ api: OpenCLLoader) -> [cl_device_id] {
    let type = cl_device_type(CL_DEVICE_TYPE_ALL)
    var count = cl_uint(0)
    guard api.clGetDeviceIDs(platform, type, 0, nil, &count) == CL_SUCCESS, count > 0 else { return [] }
    var devices = [cl_device_id?](repeating: nil, count: Int(count))
    guard api.clGetDeviceIDs(platform, type, count, &devices, nil) == CL_SUCCESS else { return [] }
    return devices.compactMap { $0 }
  }
}
