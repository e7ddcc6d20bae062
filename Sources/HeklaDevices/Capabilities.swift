import HeklaArrays

/// Everything the framework knows about one device, as found by asking its driver.
///
/// The one record that chooses shader variants, skips tests and fills messages: no code asks the driver
/// again, and none keeps a table of device names.
public struct Capabilities: Sendable, Hashable, Codable {
  /// The interface through which a device is driven.
  public enum Interface: String, Sendable, Hashable, Codable {
    /// The process's own processor.
    case host
    /// Vulkan 1.1 or later.
    case vulkan
    /// OpenCL 1.2 or later.
    case opencl
  }

  /// What the hardware behind the device is.
  public enum Kind: String, Sendable, Hashable, Codable {
    /// A GPU with its own memory.
    case discreteGPU = "discrete GPU"
    /// A GPU that shares the processor's memory.
    case integratedGPU = "integrated GPU"
    /// A GPU lent by a hypervisor.
    case virtualGPU = "virtual GPU"
    /// A driver that runs shaders on the processor: for tests, not for speed.
    case software = "software"
    /// The processor itself, through the host device.
    case processor = "processor"
    /// None of these.
    case other

    /// Whether this is real GPU hardware, which `auto` may choose.
    public var isGPU: Bool { self == .discreteGPU || self == .integratedGPU || self == .virtualGPU }
  }

  /// Groups of operations between the invocations of a subgroup.
  public enum SubgroupOperation: String, Sendable, Hashable, Codable, CaseIterable {
    case basic, vote, arithmetic, ballot, shuffle, shuffleRelative, clustered, quad
  }

  /// One shape of the device's matrix instruction: `[m, k] x [k, n]`.
  public struct MatrixShape: Sendable, Hashable, Codable {
    /// Rows of the left matrix.
    public var m: Int
    /// Columns of the right matrix.
    public var n: Int
    /// Columns of the left matrix.
    public var k: Int
    /// The element type of both factors.
    public var input: ElementType
    /// The element type of the sum.
    public var accumulator: ElementType

    /// The instruction `m` x `n` x `k` on `input` into `accumulator`.
    public init(m: Int, n: Int, k: Int, input: ElementType, accumulator: ElementType) {
      self.m = m
      self.n = n
      self.k = k
      self.input = input
      self.accumulator = accumulator
    }
  }

  /// How the device is driven.
  public var interface: Interface
  /// What hardware is behind it.
  public var kind: Kind
  /// The hardware's name as the driver gives it.
  public var deviceName: String
  /// The driver's name and version.
  public var driver: String
  /// Sixteen bytes in hexadecimal that tell this device and driver from others; part of cache keys.
  public var uuid: String
  /// Device memory in bytes.
  public var memoryByteCount: Int
  /// The largest buffer in bytes.
  public var maxBufferByteCount: Int
  /// The largest stretch of a buffer that one binding can see, in bytes.
  public var maxBindingByteCount: Int
  /// What the offset of a bound slice must be a multiple of, in bytes.
  public var bufferAlignment: Int
  /// The most storage buffers that one kernel can bind.
  public var maxBindingCount: Int
  /// The most push constant bytes.
  public var maxPushConstantByteCount: Int
  /// The most invocations in a workgroup.
  public var maxWorkgroupInvocations: Int
  /// The most invocations in a workgroup along x, y and z.
  public var maxWorkgroupSize: [Int]
  /// The most workgroups along x, y and z.
  public var maxGroupCount: [Int]
  /// Memory shared within a workgroup, in bytes.
  public var sharedMemoryByteCount: Int
  /// The number of invocations in a subgroup, or 1 where there are none.
  public var subgroupSize: Int
  /// What the invocations of a subgroup can do together.
  public var subgroupOperations: Set<SubgroupOperation>
  /// Element types that storage buffers can hold.
  public var storageTypes: Set<ElementType>
  /// Element types that kernels can compute with, beyond `float32`, `int32`, `uint32` and `bool`.
  public var arithmeticTypes: Set<ElementType>
  /// Whether kernels can add to a `float32` in a buffer atomically.
  public var hasAtomicFloatAdd: Bool
  /// The shapes of the matrix instruction; empty where there is none.
  public var matrixShapes: [MatrixShape]
  /// The number of compute units, or of processor cores.
  public var computeUnitCount: Int
  /// Nanoseconds per tick of the device's timestamps, or 0 where it has none.
  public var timestampPeriod: Double

  /// How many iterations of loops an invocation may come to, all its loops together; those of fewer than 32 constant
  /// iterations, which compilers unroll, do not count.
  ///
  /// Mesa's driver for processors leaves all loops for good after so many (`LP_MAX_TGSI_LOOP_ITERATIONS`), and says
  /// nothing: kernels whose loops could be longer there are split, or do not apply.
  public var loopIterationLimit: Int { interface == .vulkan && kind == .software ? 65_535 : .max }

  /// A record with the least that Vulkan 1.1 guarantees; a device raises what it has more of.
  public init(interface: Interface, kind: Kind, deviceName: String, driver: String) {
    self.interface = interface
    self.kind = kind
    self.deviceName = deviceName
    self.driver = driver
    uuid = String(repeating: "0", count: 32)
    memoryByteCount = 0
    maxBufferByteCount = 1 << 27
    maxBindingByteCount = 1 << 27
    bufferAlignment = 256
    maxBindingCount = 4
    maxPushConstantByteCount = 128
    maxWorkgroupInvocations = 128
    maxWorkgroupSize = [128, 128, 64]
    maxGroupCount = [65_535, 65_535, 65_535]
    sharedMemoryByteCount = 16_384
    subgroupSize = 1
    subgroupOperations = []
    storageTypes = [.float32, .int32, .uint32]
    arithmeticTypes = []
    hasAtomicFloatAdd = false
    matrixShapes = []
    computeUnitCount = 1
    timestampPeriod = 0
  }
}
