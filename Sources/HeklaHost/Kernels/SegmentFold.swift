import CHostLoops
import HeklaDevices

/// The rows of values folded over segments that are sorted already.
///
/// Parameters: kind of element (see `OrderedKind`), fold (0 sum, 2 maximum, 3 minimum), terms, columns, segments,
/// bits of the double that an empty segment gives.
/// Bindings: values [terms, columns], order int32 [terms], offsets int32 [segments + 1], output [segments, columns].
struct SegmentFold: Sendable {
  static let name = "segment_fold"

  private let kind: Int
  private let fold: Int
  private let terms: Int
  private let columns: Int
  private let rows: Int
  private let fill: Double

  init?(_ parameters: [Int]) {
    guard parameters.count == 6, parameters[..<5].allSatisfy({ $0 >= 0 }), [0, 2, 3].contains(parameters[1])
    else {
      return nil
    }
    (kind, fold, terms) = (parameters[0], parameters[1], parameters[2])
    (columns, rows) = (parameters[3], parameters[4])
    fill = Double(bitPattern: UInt64(UInt(bitPattern: parameters[5])))
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(kind) \(fold) \(terms) \(columns) \(rows) \(fill)") {
      (arguments: HostArguments) throws(DeviceError) in
      switch (kind, fold) {
      case (0, 0): try sum(arguments)
      case (3, 0): try sumDoubles(arguments)
      case (0, 2): try extremes(arguments, HOST_FOLD_MAXIMUM, HOST_FLOAT32, empty: Float(fill))
      case (0, _): try extremes(arguments, HOST_FOLD_MINIMUM, HOST_FLOAT32, empty: Float(fill))
      case (3, 2): try extremes(arguments, HOST_FOLD_MAXIMUM, HOST_FLOAT64, empty: fill)
      case (3, _): try extremes(arguments, HOST_FOLD_MINIMUM, HOST_FLOAT64, empty: fill)
      case (1, 2): try extremes(arguments, HOST_FOLD_MAXIMUM, HOST_INT32, empty: Int32(clamping: fill))
      case (1, 3): try extremes(arguments, HOST_FOLD_MINIMUM, HOST_INT32, empty: Int32(clamping: fill))
      default:
        throw .invalidArgument(
          call: Self.name, reason: "there is no fold \(fold) of elements of kind \(kind).")
      }
    }
  }

  private func sum(_ arguments: HostArguments) throws(DeviceError) {
    let (order, offsets) = try arguments.segments(
      order: 1, offsets: 2, terms: terms, rows: rows, kernel: Self.name, operation: "segment-reduction")
    let values = try arguments.elements(0, count: terms * columns, as: Float.self, kernel: Self.name)
    let output = try arguments.elements(3, count: rows * columns, as: Float.self, kernel: Self.name)
    guard let starts = offsets.baseAddress, let order = order.baseAddress, let to = output.baseAddress else {
      return
    }
    SegmentSums(termCount: terms, columns: columns, rowCount: rows)
      .run(starts, order, values.baseAddress ?? to, to)
  }

  private func sumDoubles(_ arguments: HostArguments) throws(DeviceError) {
    let (order, offsets) = try arguments.segments(
      order: 1, offsets: 2, terms: terms, rows: rows, kernel: Self.name, operation: "segment-reduction")
    let values = try arguments.elements(0, count: terms * columns, as: Double.self, kernel: Self.name)
    let output = try arguments.elements(3, count: rows * columns, as: Double.self, kernel: Self.name)
    guard let from = values.baseAddress, let to = output.baseAddress else { return }
    parallelOverRows { rows in
      for row in rows {
        let result = to + row * columns
        result.update(repeating: 0, count: columns)
        for term in Int(offsets[row])..<Int(offsets[row + 1]) {
          let source = from + Int(order[term]) * columns
          for column in 0..<columns { result[column] += source[column] }
        }
      }
    }
  }

  private func extremes<Element: BitwiseCopyable & Sendable>(
    _ arguments: HostArguments, _ fold: HostFoldKind, _ type: HostType, empty: Element
  ) throws(DeviceError) {
    let (order, offsets) = try arguments.segments(
      order: 1, offsets: 2, terms: terms, rows: rows, kernel: Self.name, operation: "segment-reduction")
    let values = try arguments.elements(0, count: terms * columns, as: Element.self, kernel: Self.name)
    let output = try arguments.elements(3, count: rows * columns, as: Element.self, kernel: Self.name)
    guard let to = output.baseAddress, let starts = offsets.baseAddress,
      let function = BlockLibrary.best.segmentExtremes(fold, type)
    else { return }
    // Where there are no terms nothing is read of either.
    let (from, terms) = (values.baseAddress ?? to, order.baseAddress ?? starts)
    parallelOverRows { rows in
      withUnsafePointer(to: empty) { empty in
        function(to, from, terms, starts, rows.lowerBound, rows.upperBound, columns, empty)
      }
    }
  }

  /// Calls `body` with some segments at a time.
  private func parallelOverRows(_ body: (Range<Int>) -> Void) {
    let chunk = max(1, 16_384 / max(1, (terms + rows) * columns / max(rows, 1)))
    ThreadPool.shared.parallel(count: rows.chunks(of: chunk)) { number in
      body(number * chunk..<min((number + 1) * chunk, rows))
    }
  }
}

extension HostArguments {
  /// Terms by segment in binding `order` and the segments' offsets in binding `offsets`, checked: whatever they
  /// hold, they name terms only.
  func segments(
    order: Int, offsets: Int, terms: Int, rows: Int, kernel: String, operation: String
  ) throws(DeviceError) -> (
    order: UnsafeMutableBufferPointer<Int32>, offsets: UnsafeMutableBufferPointer<Int32>
  ) {
    let order = try elements(order, count: terms, as: Int32.self, kernel: kernel)
    let offsets = try elements(offsets, count: rows + 1, as: Int32.self, kernel: kernel)
    try RowIndices.check(order, bound: terms, operation: operation)
    try RowIndices.check(offsets, bound: terms + 1, operation: operation)
    if let starts = offsets.baseAddress, BlockLibrary.best.indexChecks.longest_segment(starts, rows) < 0 {
      let later = offsets.indices.dropFirst().first { offsets[$0] < offsets[$0 - 1] } ?? rows
      throw .invalidArgument(
        call: operation, reason: "an offset of \(offsets[later]) comes after one of \(offsets[later - 1]).")
    }
    return (order, offsets)
  }
}

extension Int32 {
  /// `number` truncated, held at the bounds; 0 for NaN.
  fileprivate init(clamping number: Double) {
    self = number.isNaN ? 0 : Int32(Swift.max(Double(Int32.min), Swift.min(Double(Int32.max), number)))
  }
}
