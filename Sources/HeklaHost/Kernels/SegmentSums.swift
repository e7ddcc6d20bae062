import CHostLoops

/// The sums of rows over segments of terms that are sorted already.
///
/// Each thread sums the rows of a stretch of the output. Work is cut by the number of terms, and a row that
/// takes more than a chunk of them is cut in parts that are added in order: so the bits do not depend on
/// threads, and one crowded row is as fast as many.
struct SegmentSums {
  /// The most terms that one part of an output row sums.
  private static let partLength = 1_024

  let termCount: Int
  let columns: Int
  let rowCount: Int
  private let body = BlockLibrary.best.segmentSums

  init(termCount: Int, columns: Int, rowCount: Int) {
    (self.termCount, self.columns, self.rowCount) = (termCount, columns, rowCount)
  }

  /// Sums the terms `order[starts[r]..<starts[r + 1]]` into row `r` of `to`.
  ///
  /// - Parameters:
  ///   - starts: Where each row's terms begin in `order`; one more than there are rows.
  ///   - order: The numbers of the terms.
  ///   - factors: Which row of `from` each term is, and what it is multiplied with; nil where term `t` is row `t`.
  ///   - from: The rows.
  ///   - to: The sums.
  func run(
    _ starts: UnsafePointer<Int32>, _ order: UnsafePointer<Int32>,
    factors: (sources: UnsafePointer<Int32>, weights: UnsafePointer<Float>)? = nil,
    _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>
  ) {
    // A row of no columns has no sum, and rows of none cannot share the work.
    guard rowCount > 0, columns > 0 else { return }
    let terms = HostTerms(order: order, sources: factors?.sources, weights: factors?.weights)
    sumShortRows(starts, terms, from, to)
    sumLongRows(starts, terms, from, to)
  }

  private func sumShortRows(
    _ starts: UnsafePointer<Int32>, _ terms: HostTerms, _ from: UnsafePointer<Float>,
    _ to: UnsafeMutablePointer<Float>
  ) {
    // Stretches of output rows with about as many terms each, so that crowded stretches do not wait alone.
    let averageCost = max(1, (termCount + rowCount) * columns / rowCount)
    let chunk = max(1, 16_384 / averageCost)
    ThreadPool.shared.parallel(count: rowCount.chunks(of: chunk)) { number in
      let (first, end) = (number * chunk, min((number + 1) * chunk, rowCount))
      withUnsafePointer(to: terms) { body(to, from, $0, starts, first, end, Self.partLength, columns) }
    }
  }

  /// Rows with many terms: parts in parallel, then their sums in order.
  private func sumLongRows(
    _ starts: UnsafePointer<Int32>, _ terms: HostTerms, _ from: UnsafePointer<Float>,
    _ to: UnsafeMutablePointer<Float>
  ) {
    guard termCount > Self.partLength,
      BlockLibrary.best.indexChecks.longest_segment(starts, rowCount) > Self.partLength
    else { return }
    // The bounds of all parts, those of a row one after the other: part i has bounds[i][0] ..< bounds[i][1].
    var bounds: [(Int32, Int32)] = []
    var rows: [(row: Int, parts: (Int32, Int32))] = []
    for row in 0..<rowCount where starts[row + 1] - starts[row] > Self.partLength {
      let firstPart = Int32(truncatingIfNeeded: bounds.count)
      for first in stride(from: starts[row], to: starts[row + 1], by: Self.partLength) {
        bounds.append((first, min(first + Int32(Self.partLength), starts[row + 1])))
      }
      rows.append((row, (firstPart, Int32(truncatingIfNeeded: bounds.count))))
    }
    guard !bounds.isEmpty else { return }
    let sums = UnsafeMutablePointer<Float>.allocate(capacity: bounds.count * columns)
    let numbers = UnsafeMutablePointer<Int32>.allocate(capacity: bounds.count)
    defer {
      sums.deallocate()
      numbers.deallocate()
    }
    for part in bounds.indices { numbers[part] = Int32(truncatingIfNeeded: part) }
    bounds.withUnsafeBufferPointer { bounds in
      ThreadPool.shared.parallel(count: bounds.count) { part in
        sum(bounds[part], of: terms, from, sums + part * columns)
      }
    }
    let parts = HostTerms(order: numbers, sources: nil, weights: nil)
    for (row, range) in rows { sum(range, of: parts, sums, to + row * columns) }
  }

  /// Sums the terms from the first of `bounds` up to the last.
  private func sum(
    _ bounds: (Int32, Int32), of terms: HostTerms, _ from: UnsafePointer<Float>,
    _ to: UnsafeMutablePointer<Float>
  ) {
    withUnsafeBytes(of: bounds) { offsets in
      withUnsafePointer(to: terms) { terms in
        guard let offsets = offsets.bindMemory(to: Int32.self).baseAddress else { return }
        body(to, from, terms, offsets, 0, 1, .max, columns)
      }
    }
  }
}
