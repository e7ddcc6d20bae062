/// What goes wrong between the framework and the world: each case says what, and how to mend it.
public enum DeviceError: Error, Sendable, Hashable {
  /// An interface or device cannot be used on this machine.
  case unavailable(device: String, reason: String, remedy: String)
  /// No device has this name; `known` lists those that do.
  case unknownDevice(name: String, known: [String])
  /// Memory ran out. `purpose` names what the bytes were for.
  case outOfMemory(device: String, purpose: String, requestedByteCount: Int, availableByteCount: Int?)
  /// Something asked for is larger than the device allows.
  case limitExceeded(device: String, limit: String, requested: Int, allowed: Int, remedy: String)
  /// A kernel did not compile; `log` has file, line and message.
  case compilation(kernel: String, log: String)
  /// A kernel or call needs what the device does not have.
  case unsupported(device: String, feature: String, remedy: String)
  /// The device stopped answering; every later call throws this again.
  case deviceLost(device: String, during: String)
  /// A driver call failed in a way that has no better name.
  case driverFailure(device: String, call: String, code: Int)
  /// A call's arguments do not fit together: a foreign buffer, a slice out of bounds, a missing binding.
  case invalidArgument(call: String, reason: String)
  /// An index that an operation was given lies outside the array.
  case indexOutOfRange(operation: String, index: Int, bound: Int)
  /// Work was not begun because whoever watches it, such as a profiler, has seen enough.
  case cancelled(reason: String)
}

extension DeviceError: CustomStringConvertible {
  /// One paragraph: what went wrong, then the remedy.
  public var description: String {
    switch self {
    case .unavailable(let device, let reason, let remedy):
      "Device \(device) is not available: \(reason) \(remedy)"
    case .unknownDevice(let name, let known):
      "There is no device '\(name)'. Devices on this machine: \(known.joined(separator: ", ")). "
        + "'hekla devices' describes them and says what is missing for others."
    case .outOfMemory(let device, let purpose, let requested, let available):
      "Out of memory on \(device): \(purpose) needs \(requested) bytes"
        + (available.map { ", \($0) are available" } ?? "")
        + ". Use a smaller batch or model, or another device with --device."
    case .limitExceeded(let device, let limit, let requested, let allowed, let remedy):
      "\(device) allows a \(limit) of at most \(allowed), \(requested) was asked for. \(remedy)"
    case .compilation(let kernel, let log):
      "Kernel '\(kernel)' does not compile:\n\(log)"
    case .unsupported(let device, let feature, let remedy):
      "\(device) does not support \(feature). \(remedy)"
    case .deviceLost(let device, let during):
      "Device \(device) was lost during \(during): the driver reset it or it was removed. "
        + "Start the program again; if it happens again at the same place, the kernel named here is the suspect."
    case .driverFailure(let device, let call, let code):
      "\(device): \(call) failed with code \(code). Check that the driver is installed for this hardware and up to date."
    case .invalidArgument(let call, let reason):
      "\(call): \(reason)"
    case .indexOutOfRange(let operation, let index, let bound):
      "\(operation): index \(index) is outside 0..<\(bound). Check the indices that were given."
    case .cancelled(let reason):
      "Cancelled: \(reason)"
    }
  }
}
