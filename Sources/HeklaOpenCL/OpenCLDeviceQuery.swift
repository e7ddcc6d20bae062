import COpenCL
import HeklaArrays
import HeklaDevices
import HeklaShaderCompiler

/// One device of one platform, and the questions its driver answers.
///
/// `@unchecked Sendable`: identifiers that stay valid for the life of the process.
struct OpenCLDeviceQuery: @unchecked Sendable {
  /// The functions to ask with.
  let api: OpenCLLoader
  /// The platform the device belongs to.
  let platform: cl_platform_id
  /// The device.
  let device: cl_device_id

  /// The value of `parameter`, or `fallback` where the driver does not know it.
  func value<Value: BitwiseCopyable>(_ parameter: Int32, or fallback: Value) -> Value {
    var value = fallback
    let size = MemoryLayout<Value>.size
    let status = api.clGetDeviceInfo(device, cl_device_info(parameter), size, &value, nil)
    return status == CL_SUCCESS ? value : fallback
  }

  /// The number `parameter`, of the size the specification gives it, held at the range of `Int`.
  func number<Value: FixedWidthInteger & BitwiseCopyable>(
    _ parameter: Int32, as type: Value.Type, or fallback: Int
  ) -> Int {
    Int(clamping: value(parameter, or: Value(clamping: fallback)))
  }

  /// The text `parameter` of the device, without the blanks that some drivers put around it.
  func text(_ parameter: Int32) -> String {
    Self.text { api.clGetDeviceInfo(device, cl_device_info(parameter), $0, $1, $2) }
  }

  /// The text `parameter` of the platform.
  func platformText(_ parameter: Int32) -> String {
    Self.text { api.clGetPlatformInfo(platform, cl_platform_info(parameter), $0, $1, $2) }
  }

  /// The most invocations in a workgroup along each axis.
  private var workgroupSize: [Int] {
    let rank = number(CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS, as: cl_uint.self, or: 3)
    var sizes = [Int](repeating: 1, count: max(rank, 3))
    let byteCount = sizes.count * MemoryLayout<Int>.size
    let status = api.clGetDeviceInfo(
      device, cl_device_info(CL_DEVICE_MAX_WORK_ITEM_SIZES), byteCount, &sizes, nil)
    return status == CL_SUCCESS ? Array(sizes[..<3]) : [1, 1, 1]
  }

  private var kind: Capabilities.Kind {
    let type = value(CL_DEVICE_TYPE, or: cl_device_type(CL_DEVICE_TYPE_DEFAULT))
    if type & cl_device_type(CL_DEVICE_TYPE_CPU) != 0 { return .software }
    guard type & cl_device_type(CL_DEVICE_TYPE_GPU) != 0 else { return .other }
    return value(CL_DEVICE_HOST_UNIFIED_MEMORY, or: cl_bool(CL_FALSE)) == CL_TRUE
      ? .integratedGPU : .discreteGPU
  }

  /// Whether the device is switched on and its driver can compile kernels.
  var isUsable: Bool {
    value(CL_DEVICE_AVAILABLE, or: cl_bool(CL_FALSE)) == CL_TRUE
      && value(CL_DEVICE_COMPILER_AVAILABLE, or: cl_bool(CL_FALSE)) == CL_TRUE
  }

  /// All that the framework wants to know about the device.
  func capabilities() -> Capabilities {
    let platformName = platformText(CL_PLATFORM_NAME)
    let driverVersion = text(CL_DRIVER_VERSION)
    let extensions = Set(text(CL_DEVICE_EXTENSIONS).split(separator: " "))
    var result = Capabilities(
      interface: .opencl, kind: kind, deviceName: text(CL_DEVICE_NAME),
      driver: "\(platformName) \(driverVersion)")
    var hash = SHA256()
    for part in [
      text(CL_DEVICE_VENDOR), result.deviceName, driverVersion, text(CL_DEVICE_VERSION),
      platformText(CL_PLATFORM_VERSION),
    ] {
      hash.update(part)
    }
    // Sixteen of its bytes.
    result.uuid = String(hash.hexadecimal.prefix(32))
    result.memoryByteCount = number(CL_DEVICE_GLOBAL_MEM_SIZE, as: cl_ulong.self, or: 1 << 27)
    result.maxBufferByteCount = number(CL_DEVICE_MAX_MEM_ALLOC_SIZE, as: cl_ulong.self, or: 1 << 27)
    result.maxBindingByteCount = result.maxBufferByteCount
    // Given in bits; slices start at whole words in any case.
    result.bufferAlignment = max(number(CL_DEVICE_MEM_BASE_ADDR_ALIGN, as: cl_uint.self, or: 2048) / 8, 4)
    // All arguments of a kernel share this space; a quarter of it is kept for the push constants.
    let argumentByteCount = number(CL_DEVICE_MAX_PARAMETER_SIZE, as: Int.self, or: 1024)
    result.maxPushConstantByteCount = min(argumentByteCount / 4, 256)
    result.maxBindingCount = (argumentByteCount - result.maxPushConstantByteCount) / MemoryLayout<cl_mem>.size
    result.maxWorkgroupInvocations = number(CL_DEVICE_MAX_WORK_GROUP_SIZE, as: Int.self, or: 1)
    result.maxWorkgroupSize = workgroupSize
    // OpenCL has no limit, hardware has: NVIDIA's is the tightest known.
    result.maxGroupCount = [Int(Int32.max), 65_535, 65_535]
    result.sharedMemoryByteCount = number(CL_DEVICE_LOCAL_MEM_SIZE, as: cl_ulong.self, or: 0)
    // Bytes can be addressed and 64-bit integers computed with in any OpenCL 1.2 of the full profile.
    result.storageTypes = [.float32, .float16, .bfloat16, .int32, .uint32, .int64, .uint8, .bool]
    // Halves are memory only, whatever the device has: the translated shaders carry them as bits.
    result.arithmeticTypes = [.int64]
    if extensions.contains("cl_khr_fp64") {
      result.storageTypes.insert(.float64)
      result.arithmeticTypes.insert(.float64)
    }
    result.computeUnitCount = number(CL_DEVICE_MAX_COMPUTE_UNITS, as: cl_uint.self, or: 1)
    // Events are in nanoseconds whatever the clock's step is.
    result.timestampPeriod = 1
    return result
  }

  /// The text that `ask` gives in the manner of OpenCL: a size first, then the bytes.
  static func text(_ ask: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int) -> String {
    var byteCount = 0
    guard ask(0, nil, &byteCount) == CL_SUCCESS, byteCount > 0 else { return "" }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    guard ask(byteCount, &bytes, nil) == CL_SUCCESS else { return "" }
    let isBlank = { (byte: UInt8) in byte == 0 || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") }
    let end = bytes.lastIndex { !isBlank($0) } ?? -1
    return String(decoding: bytes[..<(end + 1)].drop(while: isBlank), as: UTF8.self)
  }
}
