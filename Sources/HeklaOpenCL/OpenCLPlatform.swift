import HeklaDevices

/// The OpenCL devices of this machine.
public enum OpenCLPlatform {
  /// What all devices of all platforms can do, in the order of their indices.
  ///
  /// - Throws: `DeviceError.unavailable` where there is no loader or no driver, naming the packages.
  public static func capabilities() throws(DeviceError) -> [Capabilities] {
    try OpenCLInstallation.shared.get().capabilities
  }

  /// Opens device `index`.
  ///
  /// All devices made for one index share one context, so their buffers may be mixed; kernels, their cache and
  /// the memory limit belong to the device.
  /// - Throws: `DeviceError.unavailable` without OpenCL; `.unknownDevice` where there is no such index.
  public static func device(
    at index: Int, options: OpenCLOptions = OpenCLOptions()
  ) throws(DeviceError) -> OpenCLDevice {
    OpenCLDevice(try OpenCLInstallation.shared.get().context(at: index), options: options)
  }
}

/// How an OpenCL device is to be used.
public struct OpenCLOptions: Sendable {
  /// Gives the text of an included shader file by its name; nil where there is none.
  public var include: @Sendable (String) -> String?
  /// The folder where compiled kernels are kept between runs; nil keeps none.
  public var cacheDirectory: String?
  /// The most bytes that the device's buffers may take together; nil allows all of the device's memory.
  public var memoryLimit: Int?

  /// Options with no includes, no cache and no limit unless they are given.
  public init(
    include: @escaping @Sendable (String) -> String? = { _ in nil }, cacheDirectory: String? = nil,
    memoryLimit: Int? = nil
  ) {
    self.include = include
    self.cacheDirectory = cacheDirectory
    self.memoryLimit = memoryLimit
  }
}
