/// One compute device: makes buffers, kernels and queues, and says what it can do.
///
/// A device is made once per process and shared; all its members may be called from any thread.
public protocol Device: AnyObject, Sendable {
  /// The name people select the device by, such as `cpu`, `vulkan:0` or `opencl:1`.
  var name: String { get }

  /// What the device can do; never changes.
  var capabilities: Capabilities { get }

  /// Makes `byteCount` bytes of device memory; its contents are undefined.
  ///
  /// - Parameter byteCount: At least 1.
  /// - Throws: `DeviceError.outOfMemory` or `.limitExceeded`, naming the bytes and the remedy.
  func makeBuffer(byteCount: Int) throws(DeviceError) -> any Buffer

  /// Makes `source` ready to run; the same source gives a cached kernel.
  ///
  /// - Throws: `DeviceError.compilation` with file, line and log; `.unsupported` for what the device lacks.
  func makeKernel(_ source: KernelSource) throws(DeviceError) -> any Kernel

  /// Makes a queue; work on one queue happens in order.
  func makeQueue() throws(DeviceError) -> any Queue
}

/// Device memory with a byte count; freed when the last reference goes.
///
/// Read and written through a `Queue`, which keeps the order with the kernels that use it.
public protocol Buffer: AnyObject, Sendable {
  /// The size in bytes.
  var byteCount: Int { get }
}

/// A kernel source made ready on one device.
public protocol Kernel: AnyObject, Sendable {
  /// What the kernel was made from.
  var source: KernelSource { get }
}

/// A stretch of a buffer.
public struct BufferSlice: Sendable {
  /// The memory.
  public var buffer: any Buffer
  /// The first byte; a multiple of `Capabilities.bufferAlignment` where a kernel binds the slice, and of 4 always.
  public var offset: Int
  /// The number of bytes.
  public var byteCount: Int

  /// Bytes `offset..<offset + byteCount` of `buffer`.
  public init(_ buffer: any Buffer, offset: Int, byteCount: Int) {
    self.buffer = buffer
    self.offset = offset
    self.byteCount = byteCount
  }

  /// The whole of `buffer`.
  public init(_ buffer: any Buffer) { self.init(buffer, offset: 0, byteCount: buffer.byteCount) }
}
