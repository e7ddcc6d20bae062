import HeklaDevices
import Synchronization

/// The bytes that a device's buffers may take together.
final class MemoryBudget: Sendable {
  /// The most bytes at one time.
  let limit: Int
  private let used = Mutex(0)

  /// A budget of `limit` bytes, none of them used.
  init(limit: Int) { self.limit = limit }

  /// Reserves `byteCount` bytes on `device`.
  func take(_ byteCount: Int, on device: String) throws(DeviceError) {
    try used.withLock { (used) throws(DeviceError) in
      guard byteCount <= limit - used else {
        throw .outOfMemory(
          device: device, purpose: "a buffer", requestedByteCount: byteCount, availableByteCount: limit - used
        )
      }
      used += byteCount
    }
  }

  /// Frees `byteCount` bytes that were taken.
  func giveBack(_ byteCount: Int) { used.withLock { $0 -= byteCount } }
}
