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
      case (3, 0): try run(arguments, Double.self, empty: 0) { $0 + $1 }
      case (0, 2): try run(arguments, Float.self, empty: Float(fill)) { $1 > $0 || $1.isNaN ? $1 : $0 }
      case (0, _): try run(arguments, Float.self, empty: Float(fill)) { $1 < $0 || $1.isNaN ? $1 : $0 }
      case (3, 2): try run(arguments, Double.self, empty: fill) { $1 > $0 || $1.isNaN ? $1 : $0 }
      case (3, _): try run(arguments, Double.self, empty: fill) { $1 < $0 || $1.isNaN ? $1 : $0 }
      case (1, 2): try run(arguments, Int32.self, empty: Int32(clamping: fill)) { max($0, $1) }
      case (1, 3): try run(arguments, Int32.self, empty: Int32(clamping: fill)) { min($0, $1) }
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

  @inline(__always)
  private func run<Element: BitwiseCopyable & Sendable>(
    _ arguments: HostArguments, _ type: Element.Type, empty: Element,
    _ join: @Sendable (Element, Element) -> Element
  ) throws(DeviceError) {
    let (order, offsets) = try arguments.segments(
      order: 1, offsets: 2, terms: terms, rows: rows, kernel: Self.name, operation: "segment-reduction")
    let values = try arguments.elements(0, count: terms * columns, as: type, kernel: Self.name)
    let output = try arguments.elements(3, count: rows * columns, as: type, kernel: Self.name)
    guard let from = values.baseAddress, let to = output.baseAddress else { return }
    let chunk = max(1, 16_384 / max(1, (terms + rows) * columns / max(rows, 1)))
    ThreadPool.shared.parallel(count: rows.chunks(of: chunk)) { number in
      for row in number * chunk..<min((number + 1) * chunk, rows) {
        let result = to + row * columns
        let (first, end) = (Int(offsets[row]), Int(offsets[row + 1]))
        guard first < end else {
          result.update(repeating: empty, count: columns)
          continue
        }
        result.update(from: from + Int(order[first]) * columns, count: columns)
        for term in first + 1..<end {
          let source = from + Int(order[term]) * columns
          for column in 0..<columns { result[column] = join(result[column], source[column]) }
        }
      }
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
