import HeklaArrays

/// A table in a text file, one row per line, cells between separators, as RFC 4180 has it.
///
/// Cells may be in double quotes, and then hold separators, line ends and, doubled, quotes. Lines end in LF
/// or CRLF. Every row has as many cells as the first; what breaks a rule is an error with its line and column
/// and is never repaired. A byte order mark at the front is skipped.
///
/// Reading finds the cells; what they mean is decided column by column: `numbers(in:as:missing:)`,
/// `strings(in:)` or `categories(in:)`.
public struct CSVFile: Sendable {
  /// How the text of a table is laid out.
  public struct Format: Sendable, Hashable {
    /// The byte between two cells.
    public var separator: UInt8
    /// The byte around cells that hold special ones, or nil where the file knows no quotes.
    public var quote: UInt8?
    /// Whether the first row names the columns.
    public var hasHeader: Bool
    /// The number of lines to skip before the table.
    public var skippedLineCount: Int
    /// Whether lines without any byte are skipped; else each is a row of one empty cell.
    public var skipsBlankLines: Bool
    /// Whether spaces and tabs around cells without quotes are left out; RFC 4180 has them belong to the
    /// cell.
    public var trimsSpaces: Bool

    /// A layout that departs from comma, double quote and header row where an argument says so.
    /// - Precondition: `separator` and `quote` differ and neither is a line end; `skippedLineCount` is not
    ///   negative.
    public init(
      separator: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\""), hasHeader: Bool = true,
      skippedLineCount: Int = 0, skipsBlankLines: Bool = false, trimsSpaces: Bool = false
    ) {
      require(
        separator != quote && ![separator, quote].contains(lineFeed)
          && ![separator, quote].contains(carriageReturn),
        "CSVFile.Format: separator and quote must differ from each other and from line ends")
      require(skippedLineCount >= 0, "CSVFile.Format: skippedLineCount is negative")
      self.separator = separator
      self.quote = quote
      self.hasHeader = hasHeader
      self.skippedLineCount = skippedLineCount
      self.skipsBlankLines = skipsBlankLines
      self.trimsSpaces = trimsSpaces
    }
  }

  /// The path of the file, as errors name it.
  public let file: String
  /// The names in the header, or nil where the format has none.
  public let columnNames: [String]?
  /// The number of cells in each row.
  public let columnCount: Int
  let format: Format
  let bytes: [UInt8]
  /// Row-major, without the header.
  private(set) var cells: [CSVCell]

  /// Reads the table in the file at `path`; a name that ends in `.gz` stands for a compressed file.
  public init(_ path: String, format: Format = Format()) throws(DataError) {
    try self.init(contents: try FileContents.read(path), named: path, format: format)
  }

  /// Reads the table whose text is `contents`.
  /// - Parameters:
  ///   - contents: All bytes of the file, unpacked.
  ///   - name: What errors call the file.
  ///   - format: How the text is laid out.
  public init(contents: [UInt8], named name: String, format: Format = Format()) throws(DataError) {
    var scanner = CSVScanner(bytes: contents, file: name, format: format)
    try scanner.scan()
    guard let columnCount = scanner.columnCount else { throw .emptyFile(file: name) }
    file = name
    self.columnCount = columnCount
    self.format = format
    bytes = contents
    if format.hasHeader {
      var names: [String] = []
      for (column, cell) in scanner.cells.prefix(columnCount).enumerated() {
        guard let text = cell.text(in: contents, quote: format.quote) else {
          throw .invalidText(scanner.position(of: cell.start, column: column))
        }
        names.append(text)
      }
      columnNames = names
      cells = Array(scanner.cells.dropFirst(columnCount))
    } else {
      columnNames = nil
      cells = scanner.cells
    }
  }

  /// The number of rows, the header not counted.
  public var rowCount: Int { cells.count / columnCount }

  /// The index of the column that the header calls `name`.
  public func column(named name: String) throws(DataError) -> Int {
    let columns = (columnNames ?? []).indices.filter { columnNames?[$0] == name }
    guard columns.count <= 1 else { throw .ambiguousColumn(file: file, name: name, columns: columns) }
    guard let column = columns.first else {
      throw .unknownColumn(file: file, name: name, known: columnNames ?? [])
    }
    return column
  }

  /// The table with only the rows that `rows` names, in that order; errors still name lines of the file.
  /// - Precondition: Every entry of `rows` is in `0..<rowCount`.
  public func selecting(rows: [Int]) -> CSVFile {
    require(
      rows.allSatisfy { (0..<rowCount).contains($0) }, "CSVFile: a row is out of range for \(file)")
    var result = self
    result.cells = rows.flatMap { cells[($0 * columnCount)..<(($0 + 1) * columnCount)] }
    return result
  }

  /// The cell of `row` and `column`.
  func cell(_ row: Int, _ column: Int) -> CSVCell { cells[row * columnCount + column] }

  /// Where the cell of `row` and `column` is.
  func position(_ row: Int, _ column: Int) -> CSVPosition {
    let start = cell(row, column).start
    return CSVPosition(
      file: file, line: lineNumber(of: start, in: bytes), column: column + 1,
      columnName: columnNames?[column],
      byteOffset: start)
  }

  /// The text of the cell of `row` and `column`.
  func text(_ row: Int, _ column: Int) throws(DataError) -> String {
    guard let text = cell(row, column).text(in: bytes, quote: format.quote) else {
      throw .invalidText(position(row, column))
    }
    return text
  }

  /// Traps unless every entry of `columns` names a column, which is the caller's part.
  func checkColumns(_ columns: [Int]) {
    require(
      columns.allSatisfy { (0..<columnCount).contains($0) },
      "CSVFile: a column is out of range: \(columns) of \(columnCount) in \(file)")
  }
}
