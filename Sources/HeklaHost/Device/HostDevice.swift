import CHostLoops
import Glibc
import HeklaArrays
import HeklaDevices
import Synchronization

/// The process's own processor as a device, named `cpu`: always there.
///
/// It runs host bodies: loops compiled by `LoopKernel` and the kernels of `HostKernels`. Shaders are for other
/// devices. A queue runs what is submitted on the calling thread, which the pool's workers join.
public final class HostDevice: Device {
  /// `cpu`.
  public let name = "cpu"

  /// The processor's name, the level of vector instructions in use, and the machine's memory.
  public let capabilities: Capabilities

  private let memory: HostMemory
  private let kernels = Mutex<[KernelSource: HostKernel]>([:])

  /// The processor, of whose memory buffers take at most `memoryLimit` bytes, or all of it.
  public init(memoryLimit: Int? = nil) {
    let machineByteCount = max(sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), 1 << 30)
    let byteCount = max(0, min(memoryLimit ?? machineByteCount, machineByteCount))
    memory = HostMemory(deviceName: name, limit: byteCount)
    var capabilities = Capabilities(
      interface: .host, kind: .processor, deviceName: Self.processorName,
      driver: "Hekla host loops (\(BlockLibrary.best.name))")
    capabilities.uuid = Self.identifier(of: capabilities.deviceName + capabilities.driver)
    capabilities.memoryByteCount = byteCount
    capabilities.maxBufferByteCount = byteCount
    capabilities.maxBindingByteCount = byteCount
    capabilities.bufferAlignment = HostMemory.alignment
    capabilities.maxBindingCount = 1 << 16
    capabilities.maxPushConstantByteCount = 1 << 16
    capabilities.maxGroupCount = [Int(Int32.max), Int(Int32.max), Int(Int32.max)]
    capabilities.storageTypes = Set(ElementType.allCases)
    capabilities.arithmeticTypes = [.float64, .int64]
    capabilities.computeUnitCount = ThreadPool.shared.threadCount
    self.capabilities = capabilities
  }

  /// Makes `byteCount` bytes of memory, reused where a buffer of about the size was freed.
  public func makeBuffer(byteCount: Int) throws(DeviceError) -> any Buffer {
    guard byteCount >= 1 else {
      throw .invalidArgument(
        call: "makeBuffer", reason: "a buffer has at least 1 byte, \(byteCount) were asked for.")
    }
    return HostBuffer(byteCount: byteCount, block: try memory.take(byteCount), memory: memory)
  }

  /// Makes a host body ready, which is only to remember it.
  public func makeKernel(_ source: KernelSource) throws(DeviceError) -> any Kernel {
    guard case .host(let body) = source else {
      throw .unsupported(
        device: name, feature: "the shader '\(source.name)'",
        remedy:
          "The cpu device runs host bodies: use LoopKernel or HostKernels, or another device with --device.")
    }
    return kernels.withLock { kernels in
      if let kernel = kernels[source] { return kernel }
      let kernel = HostKernel(source: source, body: body.body)
      kernels[source] = kernel
      return kernel
    }
  }

  /// Makes a queue that runs what is submitted before `submit` returns.
  public func makeQueue() throws(DeviceError) -> any Queue { HostQueue() }

  /// The model name that Linux reports, or the architecture.
  private static var processorName: String {
    guard let file = fopen("/proc/cpuinfo", "r") else { return "processor" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let parts = text.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].hasPrefix("model name") else { continue }
      return String(parts[1].drop { $0 == " " }.prefix { $0 != "\n" })
    }
    return "processor"
  }

  /// Sixteen bytes in hexadecimal that depend on `text`: FNV-1a, 64 bits, from two starts.
  private static func identifier(of text: String) -> String {
    [0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4].map { (start: UInt64) in
      let hash = text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
