import CHostLoops

/// The sums of rows of values over segments that are sorted already.
///
/// Each thread sums the rows of a stretch of the output. Work is cut by the number of values, and a row that
/// takes more than a chunk of them is cut in parts that are added in order: so the bits do not depend on
/// threads, and one crowded row is as fast as many.
struct SegmentSums {
  /// The most values rows that one part of an output row sums.
  private static let partLength = 1_024

  let valueCount: Int
  let columns: Int
  let rowCount: Int

  /// Sums `order[starts[r]..<starts[r + 1]]` into row `r` of `to`.
  func run(
    _ starts: UnsafeMutablePointer<Int32>, _ order: UnsafeMutablePointer<Int32>,
    _ from: UnsafeMutablePointer<Float>, _ to: UnsafeMutablePointer<Float>
  ) {
    sumShortRows(starts, order, from, to)
    sumLongRows(starts, order, from, to)
  }

  private func sumShortRows(
    _ starts: UnsafeMutablePointer<Int32>, _ order: UnsafeMutablePointer<Int32>,
    _ from: UnsafeMutablePointer<Float>,
    _ to: UnsafeMutablePointer<Float>
  ) {
    // Stretches of output rows with about as many values each, so that crowded stretches do not wait alone.
    let averageCost = max(1, (valueCount + rowCount) * columns / rowCount)
    let chunk = max(1, 16_384 / averageCost)
    ThreadPool.shared.parallel(count: (rowCount + chunk - 1) / chunk) { number in
      for row in number * chunk..<min((number + 1) * chunk, rowCount) {
        let (first, end) = (Int(starts[row]), Int(starts[row + 1]))
        if end - first > Self.partLength { continue }
        host_sum_rows(to + row * columns, from, order + first, end - first, columns)
      }
    }
  }

  /// Rows with many values: parts in parallel, then their sums in order.
  private func sumLongRows(
    _ starts: UnsafeMutablePointer<Int32>, _ order: UnsafeMutablePointer<Int32>,
    _ from: UnsafeMutablePointer<Float>,
    _ to: UnsafeMutablePointer<Float>
  ) {
    guard valueCount > Self.partLength else { return }
    var parts: [Range<Int>] = []
    var rows: [(row: Int, parts: Range<Int>)] = []
    for row in 0..<rowCount where starts[row + 1] - starts[row] > Self.partLength {
      let firstPart = parts.count
      for first in stride(from: Int(starts[row]), to: Int(starts[row + 1]), by: Self.partLength) {
        parts.append(first..<min(first + Self.partLength, Int(starts[row + 1])))
      }
      rows.append((row, firstPart..<parts.count))
    }
    guard !parts.isEmpty else { return }
    let sums = UnsafeMutablePointer<Float>.allocate(capacity: parts.count * columns)
    let numbers = UnsafeMutablePointer<Int32>.allocate(capacity: parts.count)
    defer {
      sums.deallocate()
      numbers.deallocate()
    }
    for part in parts.indices { numbers[part] = Int32(truncatingIfNeeded: part) }
    parts.withUnsafeBufferPointer { parts in
      ThreadPool.shared.parallel(count: parts.count) { part in
        host_sum_rows(sums + part * columns, from, order + parts[part].lowerBound, parts[part].count, columns)
      }
    }
    for (row, range) in rows {
      host_sum_rows(to + row * columns, sums, numbers + range.lowerBound, range.count, columns)
    }
  }
}
