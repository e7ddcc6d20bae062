/// Runs commands on a device, in order.
///
/// All members may be called from any thread; calls are serialized.
public protocol Queue: AnyObject, Sendable {
  /// Prepares `commands` so that they can be submitted many times at little cost.
  ///
  /// Everything that is fixed is fixed here: kernels, bindings, push constants, group counts. The recording
  /// keeps the kernels and buffers it names alive.
  ///
  /// - Throws: `DeviceError.limitExceeded` or `.invalidArgument` for a dispatch the device cannot run;
  ///   nothing has run then.
  func record(_ commands: [Command]) throws(DeviceError) -> any Recording

  /// Starts `recording` after everything submitted before; returns without waiting for it.
  func submit(_ recording: any Recording) throws(DeviceError)

  /// Copies `bytes` into `slice`, after everything submitted before and before everything submitted later.
  ///
  /// `bytes` may be reused when this returns.
  /// - Precondition: `bytes.count <= slice.byteCount`.
  func write(_ bytes: UnsafeRawBufferPointer, to slice: BufferSlice) throws(DeviceError)

  /// Waits for everything submitted before, then copies `slice` into `bytes`.
  /// - Precondition: `bytes.count <= slice.byteCount`.
  func read(_ slice: BufferSlice, into bytes: UnsafeMutableRawBufferPointer) throws(DeviceError)

  /// Waits for everything submitted before.
  /// - Throws: What went wrong while it ran.
  func waitUntilIdle() throws(DeviceError)

  /// Runs `recording` once with each command isolated from the next, and waits.
  ///
  /// - Returns: One entry per dispatch, copy and fill, in order, measured on the device where it has timestamps.
  func profile(_ recording: any Recording) throws(DeviceError) -> [CommandTiming]
}

/// Commands made ready for one queue; submitted any number of times.
public protocol Recording: AnyObject, Sendable {
  /// The number of dispatches, copies and fills.
  var commandCount: Int { get }
}

/// One entry of a recording.
public enum Command: Sendable {
  /// Runs a kernel.
  case dispatch(Dispatch)
  /// Copies bytes between slices of equal size that do not overlap.
  case copy(from: BufferSlice, to: BufferSlice)
  /// Sets every 4-byte word of the slice; its byte count is a multiple of 4.
  case fill(BufferSlice, word: UInt32)
  /// Everything after this sees the writes of everything before it. Between barriers, commands may run in
  /// any order or at once.
  case barrier
}

/// One run of a kernel over a grid of workgroups.
public struct Dispatch: Sendable {
  /// What runs.
  public var kernel: any Kernel
  /// The storage buffers, by binding number from 0.
  public var bindings: [BufferSlice]
  /// The number of workgroups along x, y and z; each at least 1.
  public var groupCount: GroupCount
  /// The push constant block as 32-bit words.
  public var pushConstants: [UInt32]
  /// What a profile or an error calls it.
  public var label: String

  /// A run of `kernel` over `groupCount` workgroups.
  public init(
    _ kernel: any Kernel, bindings: [BufferSlice], groupCount: GroupCount, pushConstants: [UInt32] = [],
    label: String
  ) {
    self.kernel = kernel
    self.bindings = bindings
    self.groupCount = groupCount
    self.pushConstants = pushConstants
    self.label = label
  }
}

/// A number of workgroups, or of invocations in one, along x, y and z.
public struct GroupCount: Sendable, Hashable {
  /// Along the fastest axis.
  public var x: Int
  /// Along the middle axis.
  public var y: Int
  /// Along the slowest axis.
  public var z: Int

  /// `x` times `y` times `z`.
  public init(_ x: Int, _ y: Int = 1, _ z: Int = 1) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// At least `groups` workgroups, with no axis above the 65,535 that every device allows; kernels whose grid is
  /// folded do nothing in the groups left over.
  public init(folding groups: Int) {
    let most = 65_535
    x = max(min(groups, most), 1)
    y = max(min((groups + x - 1) / x, most), 1)
    z = max((groups + x * y - 1) / (x * y), 1)
  }

  /// The product of the three.
  public var count: Int { x * y * z }
}

/// When one command ran, and how long it took.
public struct CommandTiming: Sendable {
  /// The dispatch's label, `copy` or `fill`.
  public var label: String
  /// Its beginning, in nanoseconds after that of the first command of the profile.
  public var start: Double
  /// The time on the device in nanoseconds, or on the host's clock where the device has none.
  public var nanoseconds: Double

  /// `label` began at `start` and took `nanoseconds`.
  public init(label: String, start: Double, nanoseconds: Double) {
    self.label = label
    self.start = start
    self.nanoseconds = nanoseconds
  }
}
