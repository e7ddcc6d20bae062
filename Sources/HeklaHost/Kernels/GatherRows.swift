import HeklaDevices

/// `output[i] = values[indices[i]]`, whole rows at a time.
///
/// Parameters: rows in `values`, elements in a row, number of indices, bytes of an element.
/// Bindings: `values` [rows, columns], `indices` int32 [count], `output` [count, columns].
/// Bounded by memory: each thread copies rows of a stretch of the output.
struct GatherRows: Sendable {
  static let name = "gather_rows"

  private let rowCount: Int
  private let rowByteCount: Int
  private let indexCount: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 4, parameters.allSatisfy({ $0 >= 0 }) else { return nil }
    rowCount = parameters[0]
    rowByteCount = parameters[1] * parameters[3]
    indexCount = parameters[2]
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(rowCount) \(rowByteCount) \(indexCount)") {
      (arguments: HostArguments) throws(DeviceError) in try run(arguments)
    }
  }

  private func run(_ arguments: HostArguments) throws(DeviceError) {
    guard indexCount > 0 else { return }
    let indices = try arguments.elements(1, count: indexCount, as: Int32.self, kernel: Self.name)
    let values = try arguments.elements(0, count: rowCount * rowByteCount, as: UInt8.self, kernel: Self.name)
    let output = try arguments.elements(
      2, count: indexCount * rowByteCount, as: UInt8.self, kernel: Self.name)
    // All indices are checked before anything is written.
    try RowIndices.check(indices, bound: rowCount, operation: "gather")
    guard rowByteCount > 0, let from = values.baseAddress, let to = output.baseAddress else { return }
    // About 64 KiB per chunk: some microseconds.
    let chunk = max(1, 65_536 / rowByteCount)
    ThreadPool.shared.parallel(count: (indexCount + chunk - 1) / chunk) { number in
      for position in number * chunk..<min((number + 1) * chunk, indexCount) {
        let row = UnsafeRawPointer(from + Int(indices[position]) * rowByteCount)
        UnsafeMutableRawPointer(to + position * rowByteCount).copyMemory(from: row, byteCount: rowByteCount)
      }
    }
  }
}

/// Checks that row numbers are in range.
enum RowIndices {
  /// - Throws: `DeviceError.indexOutOfRange` with the first index that is not in `0..<bound` and `operation`, which is
  ///   the primitive's name, as other devices report it.
  static func check(
    _ indices: UnsafeMutableBufferPointer<Int32>, bound: Int, operation: String
  ) throws(DeviceError) {
    guard let start = indices.baseAddress,
      Int(BlockLibrary.best.indexChecks.largest_index(start, indices.count)) >= bound, !indices.isEmpty
    else { return }
    let first = indices.first { Int($0) < 0 || Int($0) >= bound } ?? 0
    throw .indexOutOfRange(operation: operation, index: Int(first), bound: bound)
  }
}
