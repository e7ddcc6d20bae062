/// Arrays of plain values at fixed addresses, freed together.
///
/// What a compiled loop reads while it runs: no reference counts, no bounds checks, no copies.
///
/// `@unchecked Sendable`: filled while one thread compiles a loop, only read afterwards.
final class PlainStorage: @unchecked Sendable {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// Bytes that nobody uses, for addresses that must point somewhere.
  private(set) lazy var spare: UnsafeMutableRawPointer = bytes(64)

  /// `count` zeroed bytes, aligned to 64.
  func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(count, 64), alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: max(count, 64))
    blocks.append(block)
    return block
  }

  /// The elements of `values`, in place for as long as this object lives.
  func array<Element: BitwiseCopyable>(_ values: [Element]) -> UnsafeMutableBufferPointer<Element> {
    let memory = bytes(values.count * MemoryLayout<Element>.stride)
    let elements = memory.bindMemory(to: Element.self, capacity: values.count)
    for (index, value) in values.enumerated() { (elements + index).initialize(to: value) }
    return UnsafeMutableBufferPointer(start: elements, count: values.count)
  }
}
