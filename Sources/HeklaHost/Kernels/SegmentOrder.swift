import HeklaDevices

/// Terms sorted by segment, stably, and where each segment starts: a counting sort.
///
/// Parameters: terms, segments. Bindings: indices int32 [terms], order int32 [terms], offsets int32 [segments + 1].
struct SegmentOrder: Sendable {
  static let name = "segment_order"

  private let terms: Int
  private let rows: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 2, parameters.allSatisfy({ $0 >= 0 }) else { return nil }
    (terms, rows) = (parameters[0], parameters[1])
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(terms) \(rows)") {
      (arguments: HostArguments) throws(DeviceError) in try run(arguments)
    }
  }

  private func run(_ arguments: HostArguments) throws(DeviceError) {
    let indices = try arguments.elements(0, count: terms, as: Int32.self, kernel: Self.name)
    let order = try arguments.elements(1, count: terms, as: Int32.self, kernel: Self.name)
    let offsets = try arguments.elements(2, count: rows + 1, as: Int32.self, kernel: Self.name)
    try RowIndices.check(indices, bound: rows, operation: "segment-order")
    guard let order = order.baseAddress, let starts = offsets.baseAddress else { return }
    RowIndices.sort(indices, rows: rows, starts: starts, order: order)
  }
}

extension RowIndices {
  /// Sorts checked indices, stably: the positions of row `r` come to `order[starts[r]..<starts[r + 1]]`.
  static func sort(
    _ indices: UnsafeMutableBufferPointer<Int32>, rows: Int, starts: UnsafeMutablePointer<Int32>,
    order: UnsafeMutablePointer<Int32>
  ) {
    starts.initialize(repeating: 0, count: rows + 1)
    for index in indices { starts[Int(index)] += 1 }
    var total: Int32 = 0
    for row in 0...rows {
      let count = starts[row]
      starts[row] = total
      total += count
    }
    for (position, index) in indices.enumerated() {
      order[Int(starts[Int(index)])] = Int32(truncatingIfNeeded: position)
      starts[Int(index)] += 1
    }
    // Each start has moved to the next row's; move them back.
    for row in stride(from: rows, to: 0, by: -1) { starts[row] = starts[row - 1] }
    starts[0] = 0
  }
}
