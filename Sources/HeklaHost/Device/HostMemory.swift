import Glibc
import HeklaDevices
import Synchronization

/// The memory of the host device: freed blocks are kept by size and reused.
///
/// The system clears fresh pages when they are first touched, which costs more than most kernels that would
/// write them.
final class HostMemory: Sendable {
  /// What every block's address is a multiple of.
  static let alignment = 64

  /// From this size on blocks start on a large page.
  private static let largeByteCount = 1 << 22
  private static let largePageByteCount = 1 << 21

  /// Memory of a size class.
  ///
  /// `@unchecked Sendable`: an address and a number; whoever holds the block owns the memory.
  struct Block: @unchecked Sendable {
    let address: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private struct State {
    var free: [Int: [Block]] = [:]
    var freeByteCount = 0
    var usedByteCount = 0
  }

  private let deviceName: String
  private let limit: Int
  private let state = Mutex(State())

  /// The most bytes that are kept for reuse.
  private var keptLimit: Int { limit / 4 }

  init(deviceName: String, limit: Int) {
    self.deviceName = deviceName
    self.limit = limit
  }

  deinit { state.withLock { Self.releaseAll(&$0) } }

  /// A block of at least `byteCount` bytes.
  func take(_ byteCount: Int) throws(DeviceError) -> Block {
    guard byteCount <= limit else { throw outOfMemory(byteCount, available: limit) }
    let size = Self.sizeClass(byteCount)
    return try state.withLock { (state) throws(DeviceError) -> Block in
      if let block = state.free[size]?.popLast() {
        state.freeByteCount -= size
        state.usedByteCount += size
        return block
      }
      if state.usedByteCount + state.freeByteCount + size > limit { Self.releaseAll(&state) }
      // The class may be larger than what is left where the request itself is not.
      let fitting = min(size, limit - state.usedByteCount)
      guard fitting >= byteCount else { throw outOfMemory(byteCount, available: limit - state.usedByteCount) }
      var pointer: UnsafeMutableRawPointer?
      let isLarge = fitting >= Self.largeByteCount
      let alignment = isLarge ? Self.largePageByteCount : Self.alignment
      guard posix_memalign(&pointer, alignment, max(fitting, Self.alignment)) == 0, let pointer else {
        throw outOfMemory(byteCount, available: nil)
      }
      // Large blocks want large pages; a system that has none ignores this.
      if isLarge { madvise(pointer, fitting, MADV_HUGEPAGE) }
      state.usedByteCount += fitting
      return Block(address: pointer, byteCount: fitting)
    }
  }

  /// Takes back a block.
  func giveBack(_ block: Block) {
    state.withLock { state in
      state.usedByteCount -= block.byteCount
      guard block.byteCount == Self.sizeClass(block.byteCount),
        state.freeByteCount + block.byteCount <= keptLimit
      else {
        free(block.address)
        return
      }
      state.free[block.byteCount, default: []].append(block)
      state.freeByteCount += block.byteCount
    }
  }

  /// `byteCount` rounded up to one of eight sizes per power of two, so that at most an eighth is wasted.
  static func sizeClass(_ byteCount: Int) -> Int {
    guard byteCount > 512 else { return (max(byteCount, 1) + alignment - 1) / alignment * alignment }
    let step = 1 << (Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount - 3)
    return (byteCount + step - 1) / step * step
  }

  private static func releaseAll(_ state: inout State) {
    for blocks in state.free.values { for block in blocks { free(block.address) } }
    state.free = [:]
    state.freeByteCount = 0
  }

  private func outOfMemory(_ byteCount: Int, available: Int?) -> DeviceError {
    .outOfMemory(
      device: deviceName, purpose: "a buffer", requestedByteCount: byteCount, availableByteCount: available)
  }
}
