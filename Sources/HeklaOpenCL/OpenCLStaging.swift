import COpenCL
import HeklaDevices

/// Host memory that a queue's writes pass through, so that neither the caller nor the driver waits for the device.
///
/// A buffer of the driver's own host memory, mapped for good: drivers of GPUs copy from it beside running kernels, and
/// from other memory only after a copy of their own. Source: NVIDIA OpenCL Best Practices Guide, section 3.1.1.
///
/// `@unchecked Sendable`: owned by a queue and only touched under that queue's lock.
final class OpenCLStaging: @unchecked Sendable {
  private let context: OpenCLContext
  private let queue: OpenCLReference
  private let memory: OpenCLReference
  private let address: UnsafeMutableRawPointer
  private var ring: StagingRing
  /// The copies that may not have ended, oldest first, by their numbers 1, 2, 3, ...
  private var copies: [(number: UInt64, event: OpenCLReference)] = []
  private var last: UInt64 = 0

  /// Takes `byteCount` bytes, outside of the device's limit, since it is not device memory, for copies on `queue`.
  init(byteCount: Int, on queue: OpenCLReference, in context: OpenCLContext) throws(DeviceError) {
    self.context = context
    self.queue = queue
    ring = StagingRing(capacity: byteCount)
    let purpose = "copies between host and device"
    var status = cl_int(CL_SUCCESS)
    let flags = cl_mem_flags(CL_MEM_READ_ONLY) | cl_mem_flags(CL_MEM_ALLOC_HOST_PTR)
    let handle = context.api.clCreateBuffer(context.handle, flags, byteCount, nil, &status)
    memory = try context.reference(
      handle, status, "clCreateBuffer", for: purpose, byteCount: byteCount,
      release: context.api.clReleaseMemObject, origin: context)
    let mapped = context.api.clEnqueueMapBuffer(
      queue.handle, memory.handle, cl_bool(CL_TRUE), cl_map_flags(CL_MAP_WRITE), 0, byteCount, 0, nil, nil,
      &status)
    try context.check(status, "clEnqueueMapBuffer", for: purpose, byteCount: byteCount, isExecuting: true)
    guard let mapped else { throw .driverFailure(device: context.name, call: "clEnqueueMapBuffer", code: 0) }
    address = mapped
  }

  deinit {
    // What is on its way still reads the memory. Where waiting fails the device is lost, and reads nothing any more.
    if let last = copies.last {
      var handle: cl_event? = last.event.handle
      _ = context.api.clWaitForEvents(1, &handle)
    }
    _ = context.api.clEnqueueUnmapMemObject(queue.handle, memory.handle, address, 0, nil, nil)
  }

  /// Enqueues a write of a copy of `bytes`, and returns its event.
  ///
  /// - Parameters:
  ///   - bytes: At least 1, at most as many as there are in all.
  ///   - wait: Waits for the command of an event, where all room is lent to copies before.
  func enqueue(
    _ bytes: UnsafeRawBufferPointer, to buffer: OpenCLBuffer, at offset: Int,
    wait: (OpenCLReference) throws(DeviceError) -> Void
  ) throws(DeviceError) -> OpenCLReference {
    let number = last + 1
    try releaseEnded()
    var place = ring.reserve(byteCount: bytes.count, until: number)
    while place == nil, let oldest = copies.first {
      try wait(oldest.event)
      try releaseEnded()
      place = ring.reserve(byteCount: bytes.count, until: number)
    }
    guard let place, let source = bytes.baseAddress else {
      throw .outOfMemory(
        device: context.name, purpose: "a copy between host and device", requestedByteCount: bytes.count,
        availableByteCount: ring.capacity)
    }
    (address + place).copyMemory(from: source, byteCount: bytes.count)
    var handle: cl_event?
    let status = context.api.clEnqueueWriteBuffer(
      queue.handle, buffer.handle, cl_bool(CL_FALSE), offset, bytes.count, address + place, 0, nil, &handle)
    do throws(DeviceError) {
      let event = try context.reference(
        handle, status, "clEnqueueWriteBuffer", for: "a write", byteCount: bytes.count,
        release: context.api.clReleaseEvent, origin: context)
      copies.append((number, event))
      last = number
      return event
    } catch {
      ring.cancelLatest()
      throw error
    }
  }

  /// Takes back everything, once it is known that the queue has run dry.
  func releaseAll() {
    copies.removeAll(keepingCapacity: true)
    ring.release(upTo: last)
  }

  /// Takes back what the oldest copies held, as far as they have ended, well or badly.
  private func releaseEnded() throws(DeviceError) {
    var count = 0
    while count < copies.count, try context.executionStatus(of: copies[count].event) <= CL_COMPLETE {
      count += 1
    }
    guard count > 0 else { return }
    ring.release(upTo: copies[count - 1].number)
    copies.removeFirst(count)
  }
}

extension OpenCLContext {
  /// How far the command of `event` is: above `CL_COMPLETE` where it has not ended, an error below.
  func executionStatus(of event: OpenCLReference) throws(DeviceError) -> cl_int {
    var state = cl_int(CL_COMPLETE)
    let status = api.clGetEventInfo(
      event.handle, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), MemoryLayout<cl_int>.size, &state, nil)
    try check(status, "clGetEventInfo", for: "submitted work", isExecuting: true)
    return state
  }
}
