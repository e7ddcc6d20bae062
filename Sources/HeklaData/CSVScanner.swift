let lineFeed = UInt8(ascii: "\n")
let carriageReturn = UInt8(ascii: "\r")

/// The place of one cell in the bytes of its file.
struct CSVCell: Sendable {
  /// How quotes have to do with a cell.
  enum Quoting {
    case none
    case around
    /// Around it, and doubled inside.
    case aroundAndInside
  }

  private let lowerBound: Int
  private let upperBound: Int
  private let quoting: Quoting

  /// The cell whose bytes, without quotes around them, are at `contents`.
  init(_ contents: Range<Int>, quoting: Quoting) {
    lowerBound = contents.lowerBound
    upperBound = contents.upperBound
    self.quoting = quoting
  }

  /// The bytes of the cell, without the quotes around them.
  var contents: Range<Int> { lowerBound..<upperBound }

  /// The offset of the first byte, a quote included.
  var start: Int { quoting == .none ? lowerBound : lowerBound - 1 }

  /// The cell's text with doubled quotes undone, or nil where it is not UTF-8.
  func text(in bytes: [UInt8], quote: UInt8?) -> String? {
    guard quoting == .aroundAndInside else { return String(validating: bytes[contents], as: UTF8.self) }
    var plain: [UInt8] = []
    var offset = contents.lowerBound
    while offset < contents.upperBound {
      plain.append(bytes[offset])
      offset += bytes[offset] == quote ? 2 : 1
    }
    return String(validating: plain, as: UTF8.self)
  }
}

/// Finds the cells of a table in one pass over its bytes.
struct CSVScanner {
  let bytes: [UInt8]
  let file: String
  let format: CSVFile.Format
  /// The cells of all rows so far, the header among them, row-major.
  private(set) var cells: [CSVCell] = []
  /// The number of cells in the first row.
  private(set) var columnCount: Int?

  init(bytes: [UInt8], file: String, format: CSVFile.Format) {
    self.bytes = bytes
    self.file = file
    self.format = format
  }

  /// Finds all cells, or the first breach of a rule.
  mutating func scan() throws(DataError) {
    var offset = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    for _ in 0..<format.skippedLineCount {
      offset = bytes[offset...].firstIndex(of: lineFeed).map { $0 + 1 } ?? bytes.count
    }
    while offset < bytes.count {
      let rowStart = offset
      if format.skipsBlankLines, let next = offsetAfterLineEnd(at: offset) {
        offset = next
        continue
      }
      let foundCellCount = try scanRow(&offset)
      if let columnCount, columnCount != foundCellCount {
        throw .raggedRow(
          file: file, line: lineNumber(of: rowStart, in: bytes), byteOffset: rowStart,
          expectedCellCount: columnCount, foundCellCount: foundCellCount)
      }
      columnCount = foundCellCount
    }
  }

  /// Where the byte at `offset` is, in the cell with this index in its row.
  func position(of offset: Int, column: Int) -> CSVPosition {
    CSVPosition(
      file: file, line: lineNumber(of: offset, in: bytes), column: column + 1, columnName: nil,
      byteOffset: offset)
  }

  /// Finds the cells of the row at `offset`, moves `offset` past its end and returns their number.
  private mutating func scanRow(_ offset: inout Int) throws(DataError) -> Int {
    var column = 0
    while true {
      if offset < bytes.count, bytes[offset] == format.quote {
        cells.append(try quotedCell(&offset, column: column))
      } else {
        cells.append(try plainCell(&offset, column: column))
      }
      column += 1
      if offset == bytes.count { return column }
      if bytes[offset] == format.separator {
        offset += 1
      } else if let next = offsetAfterLineEnd(at: offset) {
        offset = next
        return column
      } else {
        throw .malformedCSV(
          position(of: offset, column: column - 1), problem: "text follows the quote that ends the cell",
          remedy:
            "Double the quotes inside of a quoted cell, or read with quote nil if quotes mean nothing here.")
      }
    }
  }

  private func plainCell(_ offset: inout Int, column: Int) throws(DataError) -> CSVCell {
    let start = offset
    let separator = format.separator
    let quote = format.quote
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == separator || byte == lineFeed { break }
      if byte == carriageReturn {
        if offsetAfterLineEnd(at: offset) != nil { break }
        throw .malformedCSV(
          position(of: offset, column: column),
          problem: "a carriage return stands alone, without a line feed",
          remedy: "End lines in LF or CRLF; tr '\\r' '\\n' converts files with CR line ends.")
      }
      if byte == quote {
        throw .malformedCSV(
          position(of: offset, column: column),
          problem: "a quote stands inside of a cell that does not begin with one",
          remedy:
            "Put the whole cell in quotes and double those inside, or read with quote nil if quotes mean "
            + "nothing here.")
      }
      offset += 1
    }
    var contents = start..<offset
    if format.trimsSpaces {
      let text = bytes[contents].drop { isBlank($0) }
      contents = text.startIndex..<((text.lastIndex { !isBlank($0) } ?? text.startIndex - 1) + 1)
    }
    return CSVCell(contents, quoting: .none)
  }

  private func quotedCell(_ offset: inout Int, column: Int) throws(DataError) -> CSVCell {
    let start = offset
    let quote = bytes[start]
    var quoting = CSVCell.Quoting.around
    offset += 1
    while offset < bytes.count {
      if bytes[offset] != quote {
        offset += 1
      } else if offset + 1 < bytes.count, bytes[offset + 1] == quote {
        quoting = .aroundAndInside
        offset += 2
      } else {
        offset += 1
        return CSVCell((start + 1)..<(offset - 1), quoting: quoting)
      }
    }
    throw .malformedCSV(
      position(of: start, column: column), problem: "the quote that begins the cell is never closed",
      remedy: "Close it, or read with quote nil if quotes mean nothing here.")
  }

  /// The offset after the line end at `offset`, or nil where there is none.
  private func offsetAfterLineEnd(at offset: Int) -> Int? {
    if bytes[offset] == lineFeed { return offset + 1 }
    let isPair = bytes[offset] == carriageReturn && offset + 1 < bytes.count && bytes[offset + 1] == lineFeed
    return isPair ? offset + 2 : nil
  }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

/// The line that the byte at `offset` is on, from 1.
func lineNumber(of offset: Int, in bytes: [UInt8]) -> Int {
  bytes[..<offset].reduce(1) { $1 == lineFeed ? $0 + 1 : $0 }
}
