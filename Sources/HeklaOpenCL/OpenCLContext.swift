import COpenCL
import HeklaDevices
import Synchronization

/// The process's one context on a device: what buffers, programs and queues are made in.
///
/// Contexts are not closed while the process runs: drivers have been seen to fail when they are made again.
final class OpenCLContext: Sendable {
  /// The functions of the loader.
  let api: OpenCLLoader
  /// The device and its platform.
  let query: OpenCLDeviceQuery
  /// The device's name for people, such as `opencl:0`.
  let name: String
  /// What the device can do.
  let capabilities: Capabilities
  private let reference: OpenCLReference
  private let loss = Mutex<DeviceError?>(nil)

  /// Opens `query`'s device, called `name`.
  init(_ query: OpenCLDeviceQuery, name: String, capabilities: Capabilities) throws(DeviceError) {
    guard query.isUsable else {
      throw .unavailable(
        device: name,
        reason: "the driver \(capabilities.driver) has switched it off or has no compiler for it.",
        remedy: "Choose another device, or install the driver's compiler.")
    }
    var device: cl_device_id? = query.device
    var status = cl_int(CL_SUCCESS)
    let handle = query.api.clCreateContext(nil, 1, &device, nil, nil, &status)
    guard let handle, status == CL_SUCCESS else {
      throw .driverFailure(device: name, call: "clCreateContext", code: Int(status))
    }
    api = query.api
    self.query = query
    self.name = name
    self.capabilities = capabilities
    reference = OpenCLReference(handle, release: query.api.clReleaseContext)
  }

  /// The context itself.
  var handle: cl_context { reference.handle }

  /// Throws the device's loss again once it was lost.
  func checkPresence() throws(DeviceError) {
    if let error = loss.withLock({ $0 }) { throw error }
  }

  /// Throws what `status` means unless it is success.
  ///
  /// - Parameters:
  ///   - status: What `call` returned.
  ///   - call: The function's name in the specification.
  ///   - activity: What was being done, for messages; such as `a buffer` or a dispatch's label.
  ///   - byteCount: The memory that the activity needs.
  ///   - isExecuting: Whether work on the device was waited for, rather than prepared or enqueued.
  func check(
    _ status: cl_int, _ call: StaticString, for activity: @autoclosure () -> String,
    byteCount: Int = 0, isExecuting: Bool = false
  ) throws(DeviceError) {
    if status == CL_SUCCESS { return }
    throw error(
      status, call: "\(call)", activity: activity(), byteCount: byteCount, isExecuting: isExecuting)
  }

  /// Takes over what `call` made, or throws what `status` means.
  func reference(
    _ handle: OpaquePointer?, _ status: cl_int, _ call: StaticString, for activity: @autoclosure () -> String,
    byteCount: Int = 0, release: @escaping @convention(c) (OpaquePointer?) -> cl_int,
    origin: any AnyObject & Sendable
  ) throws(DeviceError) -> OpenCLReference {
    try check(status, call, for: activity(), byteCount: byteCount)
    guard let handle else { throw .driverFailure(device: name, call: "\(call)", code: Int(status)) }
    return OpenCLReference(handle, release: release, origin: origin)
  }

  private func error(
    _ status: cl_int, call: String, activity: String, byteCount: Int, isExecuting: Bool
  ) -> DeviceError {
    switch status {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_HOST_MEMORY:
      return .outOfMemory(
        device: name, purpose: activity, requestedByteCount: byteCount, availableByteCount: nil)
    case CL_INVALID_BUFFER_SIZE:
      return .limitExceeded(
        device: name, limit: "buffer size in bytes", requested: byteCount,
        allowed: capabilities.maxBufferByteCount,
        remedy: "Use a smaller batch, or split the array.")
    case CL_DEVICE_NOT_AVAILABLE:
      return lost(during: activity)
    // OpenCL has no code of its own for a lost device. A context or queue that was valid and is not any more,
    // and work that ended abnormally or without resources while it ran, are how drivers tell.
    case CL_INVALID_CONTEXT, CL_INVALID_COMMAND_QUEUE, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST:
      return lost(during: activity)
    case CL_OUT_OF_RESOURCES where isExecuting:
      return lost(during: activity)
    default:
      return .driverFailure(device: name, call: call, code: Int(status))
    }
  }

  private func lost(during activity: String) -> DeviceError {
    loss.withLock { loss in
      let error = loss ?? .deviceLost(device: name, during: activity)
      loss = error
      return error
    }
  }
}
