import HeklaDevices

/// `output[r]` = the sum of the rows `values[i]` with `indices[i] == r`, in the order of `i`; zero where there
/// are none.
///
/// Parameters: number of values rows, columns, rows in `output`.
/// Bindings: `values` float32 [count, columns], `indices` int32 [count], `output` float32 [rows, columns].
///
/// The indices are sorted by row with a stable counting sort, then the segments are summed.
struct ScatterSum: Sendable {
  static let name = "scatter_sum"

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
    try RowIndices.check(indices, bound: rowCount, operation: "scatter-sum")
    guard rowCount > 0, columns > 0, let to = output.baseAddress else { return }

    // Counting sort: starts[r]..<starts[r + 1] are the places of row r in `order`.
    let starts = UnsafeMutablePointer<Int32>.allocate(capacity: rowCount + 1)
    let order = UnsafeMutablePointer<Int32>.allocate(capacity: max(valueCount, 1))
    defer {
      starts.deallocate()
      order.deallocate()
    }
    RowIndices.sort(indices, rows: rowCount, starts: starts, order: order)

    SegmentSums(termCount: valueCount, columns: columns, rowCount: rowCount)
      .run(starts, order, values.baseAddress ?? to, to)
  }
}
