import HeklaDevices

/// Memory of the process, aligned to 64 bytes.
public final class HostBuffer: Buffer {
  /// The size in bytes, as it was asked for.
  public let byteCount: Int

  private let block: HostMemory.Block
  private let memory: HostMemory

  init(byteCount: Int, block: HostMemory.Block, memory: HostMemory) {
    self.byteCount = byteCount
    self.block = block
    self.memory = memory
  }

  deinit { memory.giveBack(block) }

  /// The first byte; valid while the buffer lives.
  var address: UnsafeMutableRawPointer { block.address }
}
