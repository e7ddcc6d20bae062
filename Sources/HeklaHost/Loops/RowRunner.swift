import CHostLoops
import HeklaDevices

/// Loops over the same rows, run together for as many rows as the second cache holds.
///
/// How rows are cut into blocks and chunks depends on the loops alone, and so do the bits of every result. Members
/// that fold rows do so chunk by chunk, and the chunks' folds are combined in order.
///
/// `@unchecked Sendable`: immutable once made.
final class RowRunner: LoopRunner, @unchecked Sendable {
  private enum Member {
    case map(ElementwiseRunner, pointsPerRow: Int)
    case reduction(ReductionRunner, pointsPerRow: Int)
    /// The accumulators of a chunk lie at `offset` in its memory.
    case fold(ReductionRunner, stepsPerRow: Int, offset: Int)
  }

  /// Memory for some rows of an array that only the members use.
  private struct Temporary {
    var rowByteCount: Int
    /// Where it lies in a thread's memory.
    var offset: Int
  }

  private let members: [Member]
  private let rowCount: Int
  private let bindingCount: Int
  private let temporaries: [Temporary]
  /// The rows that all members pass before the next ones.
  private let blockRows: Int
  private let chunkRows: Int
  private let chunkCount: Int
  /// The bytes of a chunk's accumulators.
  private let partByteCount: Int
  /// Where the members' frame lies in a thread's memory, and the size of both.
  private let frameOffset: Int
  private let scratchByteCount: Int

  /// Half of what current processors' second caches have at least.
  private static let blockByteCount = 131_072
  /// The most chunks whose folds are to be combined.
  private static let mostParts = 32

  init(_ rows: RowLoops, library: BlockLibrary) throws(DeviceError) {
    var members: [Member] = []
    var nanosecondsPerRow = 0.0
    var (frameByteCount, partByteCount) = (0, 0)
    for member in rows.members {
      let nest = Nest(member.loop)
      let count = member.foldsRows ? nest.reductionCount : nest.count
      guard rows.rowCount > 0, count > 0, count.isMultiple(of: rows.rowCount) else {
        throw DeviceError.invalidArgument(
          call: "RowLoops.source", reason: "a loop of \(count) points has no \(rows.rowCount) rows.")
      }
      let perRow = count / rows.rowCount
      if member.loop.accumulators.isEmpty {
        let runner = try ElementwiseRunner(member.loop, nest: nest, library: library, isWithinRows: true)
        members.append(.map(runner, pointsPerRow: perRow))
        nanosecondsPerRow += runner.nanosecondsPerPoint * Double(perRow)
        frameByteCount = max(frameByteCount, runner.frameByteCount)
      } else {
        let runner = try ReductionRunner(
          member.loop, nest: nest, library: library, role: member.foldsRows ? .foldingRows : .withinRows)
        if member.foldsRows {
          members.append(.fold(runner, stepsPerRow: perRow, offset: partByteCount))
          partByteCount += runner.partByteCount
        } else {
          members.append(.reduction(runner, pointsPerRow: perRow))
        }
        nanosecondsPerRow += runner.nanoseconds / Double(rows.rowCount)
        frameByteCount = max(frameByteCount, runner.frameByteCount)
      }
    }
    self.members = members
    self.partByteCount = partByteCount
    rowCount = rows.rowCount
    bindingCount = BindingSizes(rows.members.map(\.loop), leavingOut: rows.temporaryByteCounts.count).count

    let rowByteCount = Self.rowByteCount(of: rows)
    let fitting = max(1, Self.blockByteCount / max(rowByteCount, 1))
    var chunkRows = max(1, Int(min(WorkGrain.nanoseconds / max(nanosecondsPerRow, 0.01), 1e9)))
    if partByteCount > 0 { chunkRows = max(chunkRows, (rowCount + Self.mostParts - 1) / Self.mostParts) }
    chunkRows = min(chunkRows, rowCount)
    blockRows = min(fitting, chunkRows)
    self.chunkRows = (chunkRows + blockRows - 1) / blockRows * blockRows
    chunkCount = (rowCount + self.chunkRows - 1) / self.chunkRows

    var offset = ((bindingCount + rows.temporaryByteCounts.count) * 8 + 63) / 64 * 64
    var temporaries: [Temporary] = []
    for byteCount in rows.temporaryByteCounts {
      temporaries.append(Temporary(rowByteCount: byteCount, offset: offset))
      offset += (byteCount * blockRows + 127) / 64 * 64
    }
    self.temporaries = temporaries
    frameOffset = offset
    scratchByteCount = offset + frameByteCount
  }

  /// The bytes that the members touch for one row.
  private static func rowByteCount(of rows: RowLoops) -> Int {
    var byteCounts: [Int: Double] = [:]
    for member in rows.members {
      for binding in Set(member.loop.reads.map(\.binding)) {
        byteCounts[binding] = max(byteCounts[binding] ?? 0, member.loop.readByteCount(of: binding))
      }
      for write in member.loop.writes where !member.foldsRows {
        let count = member.loop.extents.reduce(1, *) * write.elementType.byteCount
        byteCounts[write.binding] = max(byteCounts[write.binding] ?? 0, Double(count))
      }
    }
    return Int(byteCounts.values.reduce(0, +)) / max(rows.rowCount, 1)
  }

  var isEmpty: Bool { false }

  private struct Call {
    var runner: Unmanaged<RowRunner>
    var bindings: UnsafePointer<UnsafeMutableRawPointer>
    var parts: UnsafeMutableRawPointer?
  }

  func run(_ bindings: UnsafePointer<UnsafeMutableRawPointer>, pool: ThreadPool) {
    let parts =
      partByteCount > 0
      ? UnsafeMutableRawPointer.allocate(byteCount: partByteCount * chunkCount, alignment: 64) : nil
    defer { parts?.deallocate() }
    var call = Call(runner: Unmanaged.passUnretained(self), bindings: bindings, parts: parts)
    withUnsafeMutablePointer(to: &call) { call in
      pool.parallel(count: chunkCount, context: call) { call, chunk in
        let call = call.assumingMemoryBound(to: Call.self).pointee
        call.runner._withUnsafeGuaranteedRef { $0.runChunk(chunk, call.bindings, call.parts) }
      }
    }
    guard let parts else { return }
    for case .fold(let runner, _, let offset) in members {
      runner.finish(parts: parts + offset, count: chunkCount, stride: partByteCount, bindings)
    }
  }

  private func runChunk(
    _ chunk: Int, _ bindings: UnsafePointer<UnsafeMutableRawPointer>, _ parts: UnsafeMutableRawPointer?
  ) {
    guard let scratch = host_thread_scratch(scratchByteCount) else { return }
    let table = scratch.assumingMemoryBound(to: UnsafeMutableRawPointer.self)
    for binding in 0..<bindingCount { table[binding] = bindings[binding] }
    let part = parts.map { $0 + chunk * partByteCount }
    let rows = chunk * chunkRows..<min((chunk + 1) * chunkRows, rowCount)
    for case .fold(let runner, let stepsPerRow, let offset) in members {
      if let part { runner.start(part: part + offset, step: rows.lowerBound * stepsPerRow) }
    }
    var first = rows.lowerBound
    while first < rows.upperBound {
      let end = min(first + blockRows, rows.upperBound)
      for (number, temporary) in temporaries.enumerated() {
        // Where row 0 would lie, since members count from there.
        table[bindingCount + number] = scratch + temporary.offset - first * temporary.rowByteCount
      }
      for member in members {
        switch member {
        case .map(let runner, let points):
          runner.run(first * points..<end * points, table, scratch + frameOffset)
        case .reduction(let runner, let points):
          runner.run(first * points..<end * points, table, scratch + frameOffset)
        case .fold(let runner, let steps, let offset):
          if let part {
            runner.fold(first * steps..<end * steps, into: part + offset, table, scratch + frameOffset)
          }
        }
      }
      first = end
    }
  }
}
