import Foundation
import HeklaDevices
import HeklaHost
import HeklaOpenCL
import HeklaShaders
import HeklaVulkan
import Synchronization

/// The devices of this machine, by name: the one place that knows which kinds there are.
///
/// `cpu` is always there. `vulkan:N` and `opencl:N` count a loader's devices in its own order. `auto` is the
/// fastest real GPU, else `cpu`; drivers that run shaders on the processor are used only when named.
public final class DeviceCatalog: Sendable {
  /// The catalog of this process.
  public static let shared = DeviceCatalog()

  /// One device, or an interface that cannot be used.
  public struct Entry: Sendable {
    /// What `--device` takes, such as `vulkan:0`; the interface's name where there is a problem.
    public let name: String
    /// What the device can do; nil where there is a problem.
    public let capabilities: Capabilities?
    /// Why the interface cannot be used.
    public let problem: DeviceError?

    /// A device with its capabilities, or an interface with its problem.
    public init(name: String, capabilities: Capabilities? = nil, problem: DeviceError? = nil) {
      self.name = name
      self.capabilities = capabilities
      self.problem = problem
    }
  }

  /// What a device is opened with.
  public struct Options: Sendable {
    /// The most bytes that its buffers may take together; nil for what the device has.
    public var memoryLimit: Int?
    /// The folder where compiled kernels are kept; nil keeps none.
    public var cacheDirectory: String?
    /// Whether Vulkan's validation layer watches; a missing layer is an error then.
    public var validatesVulkan: Bool

    /// No memory limit; caches in `HEKLA_CACHE`, or none where that is empty, else in the user's cache folder; validation
    /// when `HEKLA_VULKAN_VALIDATION` is 1.
    public init() {
      let environment = ProcessInfo.processInfo.environment
      memoryLimit = nil
      let folder =
        environment["HEKLA_CACHE"]
        ?? environment["XDG_CACHE_HOME"].map { $0 + "/hekla" }
        ?? environment["HOME"].map { $0 + "/.cache/hekla" }
      cacheDirectory = folder == "" ? nil : folder
      validatesVulkan = environment["HEKLA_VULKAN_VALIDATION"] == "1"
    }
  }

  private let devices = Mutex<[String: any Device]>([:])

  private init() {}

  /// All devices, `cpu` first, and for each interface that cannot be used why not.
  public func survey() -> [Entry] {
    var entries = [cpuEntry]
    entries += Self.entries("vulkan", { () throws(DeviceError) in try VulkanPlatform.capabilities() })
    entries += Self.entries("opencl", { () throws(DeviceError) in try OpenCLPlatform.capabilities() })
    return entries
  }

  private var cpuEntry: Entry {
    do throws(DeviceError) {
      return Entry(name: "cpu", capabilities: try device(named: "cpu").capabilities, problem: nil)
    } catch {
      return Entry(name: "cpu", capabilities: nil, problem: error)
    }
  }

  private static func entries(_ interface: String, _ list: () throws(DeviceError) -> [Capabilities])
    -> [Entry]
  {
    do throws(DeviceError) {
      return try list().enumerated().map { index, capabilities in
        Entry(name: "\(interface):\(index)", capabilities: capabilities, problem: nil)
      }
    } catch {
      return [Entry(name: interface, capabilities: nil, problem: error)]
    }
  }

  /// The device called `name`: `cpu`, `auto`, `vulkan:N` or `opencl:N`; opened at the first call, shared later.
  ///
  /// - Throws: `DeviceError.unknownDevice` or `.unavailable`, with what is there and how to get what is missing.
  ///   Never another device than the one asked for.
  public func device(named name: String, options: Options = Options()) throws(DeviceError) -> any Device {
    let name = name == "auto" ? fastestName : name
    if let known = devices.withLock({ $0[name] }) { return known }
    let made = try open(name, options)
    return devices.withLock { devices in
      if let known = devices[name] { return known }
      devices[name] = made
      return made
    }
  }

  private func open(_ name: String, _ options: Options) throws(DeviceError) -> any Device {
    if name == "cpu" { return HostDevice(memoryLimit: options.memoryLimit) }
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[1]), index >= 0, String(index) == parts[1] else {
      throw unknown(name)
    }
    switch parts[0] {
    case "vulkan":
      guard index < (try VulkanPlatform.capabilities().count) else { throw unknown(name) }
      var own = VulkanOptions()
      own.include = { ShaderLibrary.include(named: $0) }
      own.cacheDirectory = options.cacheDirectory
      own.memoryLimit = options.memoryLimit
      own.validation = options.validatesVulkan
      return try VulkanPlatform.device(at: index, options: own)
    case "opencl":
      guard index < (try OpenCLPlatform.capabilities().count) else { throw unknown(name) }
      let own = OpenCLOptions(
        include: { ShaderLibrary.include(named: $0) }, cacheDirectory: options.cacheDirectory,
        memoryLimit: options.memoryLimit)
      return try OpenCLPlatform.device(at: index, options: own)
    default: throw unknown(name)
    }
  }

  private func unknown(_ name: String) -> DeviceError {
    .unknownDevice(name: name, known: ["auto"] + survey().filter { $0.problem == nil }.map(\.name))
  }

  /// What `auto` stands for: discrete before integrated before virtual GPUs, Vulkan before OpenCL, else `cpu`.
  private var fastestName: String {
    let ranks: [Capabilities.Kind] = [.discreteGPU, .integratedGPU, .virtualGPU]
    let gpus = survey().compactMap { entry -> (rank: Int, name: String)? in
      guard let kind = entry.capabilities?.kind, let rank = ranks.firstIndex(of: kind) else { return nil }
      return (rank, entry.name)
    }
    return gpus.enumerated().min { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }?.element.name
      ?? "cpu"
  }
}
