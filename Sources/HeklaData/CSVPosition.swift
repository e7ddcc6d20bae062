/// Where a cell of a CSV file is.
public struct CSVPosition: Sendable, Hashable {
  /// The path of the file.
  public let file: String
  /// The line that the cell begins on, from 1; newlines inside of quotes count.
  public let line: Int
  /// The number of the cell in its row, from 1.
  public let column: Int
  /// The column's name, where the file has a header.
  public let columnName: String?
  /// The offset of the cell's first byte, from 0, a quote included.
  public let byteOffset: Int

  /// The position with these parts, which are what the properties say.
  public init(file: String, line: Int, column: Int, columnName: String?, byteOffset: Int) {
    self.file = file
    self.line = line
    self.column = column
    self.columnName = columnName
    self.byteOffset = byteOffset
  }
}

extension CSVPosition: CustomStringConvertible {
  /// The position as it begins a message.
  public var description: String {
    "'\(file)', line \(line), column \(column)\(columnName.map { " ('\($0)')" } ?? "") (byte \(byteOffset))"
  }
}
