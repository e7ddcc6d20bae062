import HeklaDevices

/// A sparse matrix times a dense one: `output[r]` = the sum over row r's elements of their value times the row of
/// `x` that their column names.
///
/// Parameters: 0 for float32 and 1 for float64, elements, rows, columns, width of `x`.
/// Bindings: `x` [columns, width], values [elements], the column of each element int32 [elements], the elements by
/// row int32 [elements], offsets of the rows in these int32 [rows + 1], output [rows, width].
struct SparseProduct: Sendable {
  static let name = "sparse_product"

  private let isDouble: Bool
  private let elementCount: Int
  private let rowCount: Int
  private let columnCount: Int
  private let width: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 5, parameters.allSatisfy({ $0 >= 0 }) else { return nil }
    isDouble = parameters[0] == 1
    (elementCount, rowCount) = (parameters[1], parameters[2])
    (columnCount, width) = (parameters[3], parameters[4])
  }

  var source: HostSource {
    let key = "\(isDouble) \(elementCount) \(rowCount) \(columnCount) \(width)"
    return HostSource(name: Self.name, key: key) { (arguments: HostArguments) throws(DeviceError) in
      try run(arguments)
    }
  }

  private func run(_ arguments: HostArguments) throws(DeviceError) {
    let columns = try arguments.elements(2, count: elementCount, as: Int32.self, kernel: Self.name)
    try RowIndices.check(columns, bound: columnCount, operation: "sparse-product")
    let (order, offsets) = try arguments.segments(
      order: 3, offsets: 4, terms: elementCount, rows: rowCount, kernel: Self.name,
      operation: "sparse-product")
    guard let columns = columns.baseAddress, let order = order.baseAddress, let offsets = offsets.baseAddress
    else { return }
    if isDouble {
      let (x, values, output) = try operands(arguments, as: Double.self)
      guard let x, let values, let output else { return }
      for row in 0..<rowCount {
        let result = output + row * width
        result.update(repeating: 0, count: width)
        for place in Int(offsets[row])..<Int(offsets[row + 1]) {
          let element = Int(order[place])
          let source = x + Int(columns[element]) * width
          for column in 0..<width { result[column] += values[element] * source[column] }
        }
      }
    } else {
      let (x, values, output) = try operands(arguments, as: Float.self)
      guard let x, let values, let output else { return }
      SegmentSums(termCount: elementCount, columns: width, rowCount: rowCount)
        .run(offsets, order, factors: (UnsafePointer(columns), UnsafePointer(values)), x, output)
    }
  }

  private func operands<Element: BitwiseCopyable>(
    _ arguments: HostArguments, as type: Element.Type
  ) throws(DeviceError) -> (
    x: UnsafeMutablePointer<Element>?, values: UnsafeMutablePointer<Element>?,
    output: UnsafeMutablePointer<Element>?
  ) {
    (
      try arguments.elements(0, count: columnCount * width, as: type, kernel: Self.name).baseAddress,
      try arguments.elements(1, count: elementCount, as: type, kernel: Self.name).baseAddress,
      try arguments.elements(5, count: rowCount * width, as: type, kernel: Self.name).baseAddress
    )
  }
}
