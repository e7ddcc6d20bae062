import COpenCL
import HeklaDevices

/// Memory of an OpenCL device.
public final class OpenCLBuffer: Buffer {
  /// The size in bytes.
  public let byteCount: Int
  let context: OpenCLContext
  private let reference: OpenCLReference
  private let budget: MemoryBudget

  /// Makes `byteCount` bytes within `budget`.
  init(byteCount: Int, in context: OpenCLContext, budget: MemoryBudget) throws(DeviceError) {
    guard byteCount > 0 else {
      throw .invalidArgument(
        call: "makeBuffer", reason: "a buffer has at least 1 byte, \(byteCount) were asked for.")
    }
    guard byteCount <= context.capabilities.maxBufferByteCount else {
      throw .limitExceeded(
        device: context.name, limit: "buffer size in bytes", requested: byteCount,
        allowed: context.capabilities.maxBufferByteCount, remedy: "Use a smaller batch, or split the array.")
    }
    try context.checkPresence()
    try budget.take(byteCount, on: context.name)
    var status = cl_int(CL_SUCCESS)
    let handle = context.api.clCreateBuffer(
      context.handle, cl_mem_flags(CL_MEM_READ_WRITE), byteCount, nil, &status)
    do {
      reference = try context.reference(
        handle, status, "clCreateBuffer", for: "a buffer", byteCount: byteCount,
        release: context.api.clReleaseMemObject, origin: context)
    } catch {
      budget.giveBack(byteCount)
      throw error
    }
    self.byteCount = byteCount
    self.context = context
    self.budget = budget
  }

  deinit { budget.giveBack(byteCount) }

  /// The memory object.
  var handle: cl_mem { reference.handle }

  /// The stretch of `byteCount` bytes from `offset` on as a memory object of its own; it keeps the buffer alive.
  /// - Precondition: The stretch lies in the buffer and `offset` is a multiple of the device's alignment.
  func region(offset: Int, byteCount: Int) throws(DeviceError) -> OpenCLReference {
    var region = cl_buffer_region(origin: offset, size: byteCount)
    var status = cl_int(CL_SUCCESS)
    let subBuffer = context.api.clCreateSubBuffer(
      handle, cl_mem_flags(CL_MEM_READ_WRITE), cl_buffer_create_type(CL_BUFFER_CREATE_TYPE_REGION), &region,
      &status)
    return try context.reference(
      subBuffer, status, "clCreateSubBuffer", for: "a slice of a buffer", byteCount: byteCount,
      release: context.api.clReleaseMemObject, origin: self)
  }
}
