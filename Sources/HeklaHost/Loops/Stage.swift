import CHostLoops
import Glibc

/// An expression compiled to a register program, and the space it runs over.
///
/// The space has an outer part, which is entered point by point, and a block part, which is run in blocks of
/// consecutive points. What does not change over the block part is computed once per outer point, constants
/// once for good. Points of a block may lie in rows: what changes only from one to the next is computed once for
/// each. Each remaining operation is one call of a C function over a block, and a block's registers
/// stay in the first-level cache from one operation to the next.
///
/// `@unchecked Sendable`: immutable once compiled; the memory it points into belongs to `storage`.
final class Stage: @unchecked Sendable {
  /// Where a slot of the program points.
  enum SlotKind {
    /// A constant: the address holds for every frame.
    case constant(UnsafeMutableRawPointer)
    /// An offset into the frame.
    case frame(Int)
    /// Set per block, to memory of a binding or to what the caller hands in.
    case variable
  }

  /// A value taken from memory or counted up.
  struct Source {
    var access: Access
    /// The binding, or -1 for coordinates.
    var binding: Int
    var slot: Int
    /// The size of an element in memory and in a register.
    var memoryByteCount: Int
    var registerByteCount: Int
    /// Loads elements; unused for coordinates and for sources that are used in place.
    var fill: HostFillFunction
  }

  /// A value stored to memory.
  struct Target {
    var access: Access
    var binding: Int
    var slot: Int
    var memoryByteCount: Int
    var registerByteCount: Int
    var spill: HostSpillFunction
  }

  /// An address in a frame that a slot has from the start.
  struct FixedSlot {
    var slot: Int
    /// An offset into the frame, or an address.
    var offset: Int
    var isAbsolute: Bool
  }

  let storage: PlainStorage
  let outerExtents: UnsafeMutableBufferPointer<Int>
  let blockCount: Int
  /// The number of points in a block.
  let blockSize: Int

  let uniformSources: UnsafeMutableBufferPointer<Source>
  let uniformCode: UnsafeMutableBufferPointer<HostInstruction>
  /// The points of a row, or 0 where blocks have no rows.
  let rowLength: Int
  /// The slot of the `HostRows` that functions of rows are told.
  private let rowsSlot: Int
  /// One element per row.
  let inPlaceRowSources: UnsafeMutableBufferPointer<Source>
  let filledRowSources: UnsafeMutableBufferPointer<Source>
  let rowCode: UnsafeMutableBufferPointer<HostInstruction>
  /// Elements along a row that all rows share, in place.
  let columnSources: UnsafeMutableBufferPointer<Source>
  let inPlaceSources: UnsafeMutableBufferPointer<Source>
  let filledSources: UnsafeMutableBufferPointer<Source>
  let code: UnsafeMutableBufferPointer<HostInstruction>
  /// Stored by the program itself: only their slots are set.
  let directTargets: UnsafeMutableBufferPointer<Target>
  let spilledTargets: UnsafeMutableBufferPointer<Target>

  let fixedSlots: UnsafeMutableBufferPointer<FixedSlot>
  let slotCount: Int
  let startCount: Int
  /// The bytes of a frame.
  let frameByteCount: Int
  /// The slot of each output that was asked for, and whether it holds one element for the whole block.
  let outputs: UnsafeMutableBufferPointer<Output>
  /// The estimated time per point in nanoseconds.
  let nanosecondsPerPoint: Double

  /// A value that the caller reads from its slot.
  struct Output {
    var slot: Int
    var type: HostType
  }

  init(_ parts: StageParts) {
    storage = parts.storage
    outerExtents = storage.array(parts.outerExtents)
    blockCount = parts.blockExtents.reduce(1, *)
    blockSize = parts.blockSize
    uniformSources = storage.array(parts.uniformSources)
    uniformCode = storage.array(parts.uniformCode)
    rowLength = parts.rowLength
    rowsSlot = parts.rowsSlot
    inPlaceRowSources = storage.array(parts.inPlaceRowSources)
    filledRowSources = storage.array(parts.filledRowSources)
    rowCode = storage.array(parts.rowCode)
    columnSources = storage.array(parts.columnSources)
    inPlaceSources = storage.array(parts.inPlaceSources)
    filledSources = storage.array(parts.filledSources)
    code = storage.array(parts.code)
    directTargets = storage.array(parts.directTargets)
    spilledTargets = storage.array(parts.spilledTargets)
    outputs = storage.array(parts.outputs)
    nanosecondsPerPoint = parts.nanosecondsPerPoint
    slotCount = parts.slots.count
    startCount = parts.startCount
    let tables = (slotCount + startCount + parts.outerExtents.count) * 8
    let firstByte = (tables + 63) / 64 * 64
    frameByteCount = firstByte + parts.frameByteCount
    fixedSlots = storage.array(
      parts.slots.enumerated().compactMap { slot, kind in
        switch kind {
        case .constant(let address): FixedSlot(slot: slot, offset: Int(bitPattern: address), isAbsolute: true)
        case .frame(let offset): FixedSlot(slot: slot, offset: firstByte + offset, isAbsolute: false)
        case .variable: nil
        }
      })
  }

  /// The state of one run of a stage on one thread, in memory that the caller provides.
  struct Frame {
    let slots: UnsafeMutablePointer<UnsafeMutableRawPointer>
    let starts: UnsafeMutablePointer<Int>
    let coordinates: UnsafeMutablePointer<Int>
    let bindings: UnsafePointer<UnsafeMutableRawPointer>
  }

  /// A frame in `memory`, which has at least `frameByteCount` bytes.
  func frame(in memory: UnsafeMutableRawPointer, bindings: UnsafePointer<UnsafeMutableRawPointer>) -> Frame {
    let slots = memory.assumingMemoryBound(to: UnsafeMutableRawPointer.self)
    let starts = (memory + slotCount * 8).assumingMemoryBound(to: Int.self)
    for position in 0..<fixedSlots.count {
      let fixed = fixedSlots[position]
      slots[fixed.slot] =
        fixed.isAbsolute ? UnsafeMutableRawPointer(bitPattern: fixed.offset) ?? memory : memory + fixed.offset
    }
    return Frame(slots: slots, starts: starts, coordinates: starts + startCount, bindings: bindings)
  }

  /// Goes to outer point number `point`: computes what holds for all its blocks.
  func enter(_ point: Int, _ frame: Frame) {
    var rest = point
    for axis in stride(from: outerExtents.count - 1, through: 0, by: -1) {
      let extent = outerExtents[axis]
      // The outermost axis needs no division.
      if axis == 0 {
        frame.coordinates[0] = rest
      } else {
        frame.coordinates[axis] = rest % extent
        rest /= extent
      }
    }
    for position in 0..<uniformSources.count {
      uniformSources[position].access.enter(frame.coordinates, starts: frame.starts)
      fill(position, of: uniformSources, Access.Span(first: 0, count: 1), frame)
    }
    for position in 0..<inPlaceRowSources.count {
      inPlaceRowSources[position].access.enter(frame.coordinates, starts: frame.starts)
    }
    for position in 0..<filledRowSources.count {
      filledRowSources[position].access.enter(frame.coordinates, starts: frame.starts)
    }
    for position in 0..<columnSources.count {
      let source = columnSources[position]
      source.access.enter(frame.coordinates, starts: frame.starts)
      frame.slots[source.slot] =
        frame.bindings[source.binding] + frame.starts[source.access.startSlot] * source.memoryByteCount
    }
    for position in 0..<inPlaceSources.count {
      inPlaceSources[position].access.enter(frame.coordinates, starts: frame.starts)
    }
    for position in 0..<filledSources.count {
      filledSources[position].access.enter(frame.coordinates, starts: frame.starts)
    }
    for position in 0..<directTargets.count {
      directTargets[position].access.enter(frame.coordinates, starts: frame.starts)
    }
    for position in 0..<spilledTargets.count {
      spilledTargets[position].access.enter(frame.coordinates, starts: frame.starts)
    }
    if let base = uniformCode.baseAddress, !uniformCode.isEmpty {
      host_run(base, uniformCode.count, frame.slots, 1)
    }
  }

  /// Computes points `first..<first + count` of the block space, at most `blockSize`, and stores them.
  func run(first: Int, count: Int, _ frame: Frame) { run(Access.Span(first: first, count: count), frame) }

  /// Computes the points of `span`, at most `blockSize`, and stores them.
  func run(_ span: Access.Span, _ frame: Frame) {
    let (first, count) = (span.first, span.count)
    if rowLength > 0 { runRows(first: first, count: count, frame) }
    for position in 0..<inPlaceSources.count {
      let source = inPlaceSources[position]
      let index = frame.starts[source.access.startSlot] + first
      frame.slots[source.slot] = frame.bindings[source.binding] + index * source.memoryByteCount
    }
    for position in 0..<directTargets.count {
      let target = directTargets[position]
      let index = frame.starts[target.access.startSlot] + first
      frame.slots[target.slot] = frame.bindings[target.binding] + index * target.memoryByteCount
    }
    for position in 0..<filledSources.count {
      fill(position, of: filledSources, span, frame)
    }
    if let base = code.baseAddress, !code.isEmpty { host_run(base, code.count, frame.slots, count) }
    for position in 0..<spilledTargets.count {
      let target = spilledTargets[position]
      let values = frame.slots[target.slot]
      let memory = frame.bindings[target.binding]
      target.access.forEachPiece(span, starts: frame.starts, skip: { _, _ in }) { piece in
        target.spill(
          memory + piece.index * target.memoryByteCount, values + piece.position * target.registerByteCount,
          piece.rows, piece.columns, piece.rowStride, piece.columnStride)
      }
    }
  }

  /// Computes what holds for each row that `count` points from `first` on meet.
  private func runRows(first: Int, count: Int, _ frame: Frame) {
    let row = first / rowLength
    let rowCount = (first + count - 1) / rowLength - row + 1
    frame.slots[rowsSlot].storeBytes(
      of: HostRows(length: rowLength, first: first - row * rowLength), as: HostRows.self)
    for position in 0..<inPlaceRowSources.count {
      let source = inPlaceRowSources[position]
      let index = frame.starts[source.access.startSlot] + row
      frame.slots[source.slot] = frame.bindings[source.binding] + index * source.memoryByteCount
    }
    for position in 0..<filledRowSources.count {
      fill(position, of: filledRowSources, Access.Span(first: row, count: rowCount), frame)
    }
    if let base = rowCode.baseAddress, !rowCode.isEmpty {
      host_run(base, rowCode.count, frame.slots, rowCount)
    }
  }

  private func fill(
    _ position: Int, of sources: UnsafeMutableBufferPointer<Source>, _ span: Access.Span, _ frame: Frame
  ) {
    let source = sources[position]
    let register = frame.slots[source.slot]
    let size = source.registerByteCount
    if source.binding < 0 {
      let values = register.assumingMemoryBound(to: Int32.self)
      source.access.forEachPiece(span, starts: frame.starts, skip: { Self.clear(register, $0, $1, size) }) {
        piece in
        for row in 0..<piece.rows {
          host_count_up(
            values + piece.position + row * piece.columns,
            Int32(truncatingIfNeeded: piece.index + row * piece.rowStride),
            Int32(truncatingIfNeeded: piece.columnStride), piece.columns)
        }
      }
    } else {
      let memory = frame.bindings[source.binding]
      source.access.forEachPiece(span, starts: frame.starts, skip: { Self.clear(register, $0, $1, size) }) {
        piece in
        source.fill(
          register + piece.position * size, memory + piece.index * source.memoryByteCount,
          piece.rows, piece.columns, piece.rowStride, piece.columnStride)
      }
    }
  }

  /// Sets `count` elements of `size` bytes from `position` on to 0.
  @inline(__always)
  private static func clear(_ register: UnsafeMutableRawPointer, _ position: Int, _ count: Int, _ size: Int) {
    memset(register + position * size, 0, count * size)
  }
}
