import CHostLoops
import HeklaDevices

/// `output[r]` = the sum of the rows `values[i]` with `indices[i] == r`, in the order of `i`; zero where there
/// are none.
///
/// Parameters: number of values rows, columns, rows in `output`.
/// Bindings: `values` float32 [count, columns], `indices` int32 [count], `output` float32 [rows, columns].
///
/// The indices are sorted by row with a stable counting sort; then each thread sums the rows of a stretch of
/// the output. Work is cut by the number of values, and a row that takes more than a chunk of them is cut in
/// parts that are added in order: so the bits do not depend on threads, and one crowded row is as fast as many.
struct ScatterSum: Sendable {
  static let name = "scatter_sum"

  /// The most values rows that one part of an output row sums.
  private static let partLength = 1_024

  private let valueCount: Int
  private let columns: Int
  private let rowCount: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 3, parameters.allSatisfy({ $0 >= 0 }) else { return nil }
    valueCount = parameters[0]
    columns = parameters[1]
    rowCount = parameters[2]
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(valueCount) \(columns) \(rowCount)") {
      (arguments: HostArguments) throws(DeviceError) in try run(arguments)
    }
  }

  private func run(_ arguments: HostArguments) throws(DeviceError) {
    let values = try arguments.elements(0, count: valueCount * columns, as: Float.self, kernel: Self.name)
    let indices = try arguments.elements(1, count: valueCount, as: Int32.self, kernel: Self.name)
    let output = try arguments.elements(2, count: rowCount * columns, as: Float.self, kernel: Self.name)
    try RowIndices.check(indices, bound: rowCount, operation: Self.name)
    guard rowCount > 0, columns > 0, let to = output.baseAddress else { return }

    // Counting sort: starts[r]..<starts[r + 1] are the places of row r in `order`.
    let starts = UnsafeMutablePointer<Int32>.allocate(capacity: rowCount + 1)
    let order = UnsafeMutablePointer<Int32>.allocate(capacity: max(valueCount, 1))
    defer {
      starts.deallocate()
      order.deallocate()
    }
    starts.initialize(repeating: 0, count: rowCount + 1)
    for index in indices { starts[Int(index)] += 1 }
    var total: Int32 = 0
    for row in 0...rowCount {
      let count = starts[row]
      starts[row] = total
      total += count
    }
    for (position, index) in indices.enumerated() {
      order[Int(starts[Int(index)])] = Int32(truncatingIfNeeded: position)
      starts[Int(index)] += 1
    }
    // Each start has moved to the next row's; move them back.
    for row in stride(from: rowCount, to: 0, by: -1) { starts[row] = starts[row - 1] }
    starts[0] = 0

    let from = values.baseAddress ?? to
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
