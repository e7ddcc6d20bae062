import HeklaArrays

extension CSVFile {
  /// What a cell without a value becomes when its column is read as numbers.
  public enum MissingValues: Sendable, Hashable {
    /// An error that names line and column.
    case reject
    /// This number, for instance `.nan`.
    case replace(with: Double)
  }

  /// Texts that say that a value is missing: an empty cell and these, without quotes or with.
  public static let missingMarkers: Set<String> = ["", "?", "NA", "N/A", "NaN", "nan", "null"]

  /// The columns as numbers, shape `[rowCount, columns.count]`.
  ///
  /// A number is a sign, digits with a point among or around them and an exponent, all but the digits
  /// optional, or `inf` or `infinity` in any case. It is rounded to the nearest `Double` and then to
  /// `Element`.
  /// - Parameters:
  ///   - columns: The indices of the columns, all of them where nil.
  ///   - type: The type to read as, such as `Float.self`.
  ///   - missing: What becomes of cells whose text is in `missingMarkers`.
  /// - Precondition: Every entry of `columns` is in `0..<columnCount`.
  public func numbers<Element: ArrayElement & BinaryFloatingPoint>(
    in columns: [Int]? = nil, as type: Element.Type = Float.self, missing: MissingValues = .reject
  ) throws(DataError) -> HostArray {
    let columns = columns ?? Array(0..<columnCount)
    checkColumns(columns)
    var elements: [Element] = []
    elements.reserveCapacity(rowCount * columns.count)
    for row in 0..<rowCount {
      for column in columns {
        guard let number = DecimalNumber(in: bytes, at: cell(row, column).contents) else {
          elements.append(Element(try replacement(row, column, missing)))
          continue
        }
        let element = Element(number.value)
        if element.isInfinite && !number.isSpelledInfinite {
          throw .numberOutOfRange(
            position(row, column), text: try text(row, column), elementType: Element.elementType)
        }
        elements.append(element)
      }
    }
    return HostArray(elements, shape: [rowCount, columns.count])
  }

  /// The columns that the header gives these names as numbers, shape `[rowCount, names.count]`; see
  /// `numbers(in:as:missing:)`.
  public func numbers<Element: ArrayElement & BinaryFloatingPoint>(
    named names: [String], as type: Element.Type = Float.self, missing: MissingValues = .reject
  ) throws(DataError) -> HostArray {
    var columns: [Int] = []
    for name in names { columns.append(try column(named: name)) }
    return try numbers(in: columns, as: type, missing: missing)
  }

  /// The texts of one column, quotes undone.
  /// - Precondition: `column` is in `0..<columnCount`.
  public func strings(in column: Int) throws(DataError) -> [String] {
    checkColumns([column])
    var strings: [String] = []
    strings.reserveCapacity(rowCount)
    for row in 0..<rowCount { strings.append(try text(row, column)) }
    return strings
  }

  /// One column as numbered categories: `codes`, int32 of shape `[rowCount]`, index `names`, the different
  /// texts of the column in bytewise order.
  /// - Precondition: `column` is in `0..<columnCount`.
  public func categories(in column: Int) throws(DataError) -> (codes: HostArray, names: [String]) {
    let strings = try strings(in: column)
    let names = Set(strings).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let codes = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
    return (HostArray(strings.map { codes[$0, default: 0] }), names)
  }

  /// The rows in which no cell of `columns` is missing, all columns where nil; `selecting(rows:)` keeps them.
  /// - Precondition: Every entry of `columns` is in `0..<columnCount`.
  public func completeRows(in columns: [Int]? = nil) throws(DataError) -> [Int] {
    let columns = columns ?? Array(0..<columnCount)
    checkColumns(columns)
    var rows: [Int] = []
    nextRow: for row in 0..<rowCount {
      for column in columns where try isMissing(row, column) { continue nextRow }
      rows.append(row)
    }
    return rows
  }

  /// Whether the cell's text is in `missingMarkers`.
  private func isMissing(_ row: Int, _ column: Int) throws(DataError) -> Bool {
    // No marker is longer than four bytes.
    guard cell(row, column).contents.count <= 4 else { return false }
    return Self.missingMarkers.contains(try text(row, column))
  }

  /// What stands for a cell that is no number, where the policy has something for it.
  private func replacement(_ row: Int, _ column: Int, _ missing: MissingValues) throws(DataError) -> Double {
    let text = try text(row, column)
    guard Self.missingMarkers.contains(text) else { throw .nonNumericCell(position(row, column), text: text) }
    switch missing {
    case .reject: throw .missingValue(position(row, column), text: text)
    case .replace(let number): return number
    }
  }
}
