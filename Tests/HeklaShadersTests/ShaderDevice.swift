import Glibc
import HeklaDevices
import HeklaOpenCL
import HeklaShaders
import HeklaVulkan
import Testing

/// The interfaces whose first device runs the kernels.
enum ShaderDevice: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case vulkan, opencl

  var testDescription: String { rawValue }

  private static let vulkanDevice = Result { () throws(DeviceError) -> any Device in
    try VulkanPlatform.device(at: 0, options: VulkanOptions(include: { ShaderLibrary.include(named: $0) }))
  }
  private static let openCLDevice = Result { () throws(DeviceError) -> any Device in
    try OpenCLPlatform.device(at: 0, options: OpenCLOptions(include: { ShaderLibrary.include(named: $0) }))
  }

  /// The device; the test is skipped where there is none, except on continuous integration, where it fails.
  func device() throws -> any Device {
    let device =
      switch self {
      case .vulkan: Self.vulkanDevice
      case .opencl: Self.openCLDevice
      }
    do {
      return try device.get()
    } catch {
      if getenv("CI").map({ String(cString: $0) }) == "true" { throw error }
      try Test.cancel("\(error)")
    }
  }
}
