import HeklaArrays
import HeklaData
import Testing

@Suite("CSV files")
struct CSVFileTests {
  static func table(_ text: String, _ format: CSVFile.Format = .init()) throws(DataError) -> CSVFile {
    try CSVFile(contents: Array(text.utf8), named: "t.csv", format: format)
  }

  static func rows(_ table: CSVFile) throws -> [[String]] {
    let columns = try (0..<table.columnCount).map { try table.strings(in: $0) }
    return (0..<table.rowCount).map { row in columns.map { $0[row] } }
  }

  @Test("Quotes hold separators, line ends and doubled quotes; LF, CRLF and no last line end are the same")
  func grammar() throws {
    let lines = ["name,\"a, b\",n", "\"x \"\"y\"\"\",,3", "\"two\nlines\",\"\", 4 ", "\"\"\"\",b,"]
    for lineEnd in ["\n", "\r\n"] {
      for lastLineEnd in [lineEnd, ""] {
        let table = try Self.table(lines.joined(separator: lineEnd) + lastLineEnd)
        #expect(table.columnNames == ["name", "a, b", "n"])
        #expect(
          try Self.rows(table) == [["x \"y\"", "", "3"], ["two\nlines", "", " 4 "], ["\"", "b", ""]])
      }
    }
    let quotedLineEnd = try Self.table("a\r\n\"1\r\n2\"\r\n")
    #expect(try Self.rows(quotedLineEnd) == [["1\r\n2"]])
  }

  @Test("Separator, quote, header, skipped lines, blank lines and spaces follow the format")
  func formats() throws {
    let tabs = try Self.table(
      "1\t\"2\n3\t4", .init(separator: UInt8(ascii: "\t"), quote: nil, hasHeader: false))
    #expect(tabs.columnNames == nil)
    #expect(try Self.rows(tabs) == [["1", "\"2"], ["3", "4"]])
    let skipped = try Self.table(
      "5,6,x,y\na,b\n\n1,2\n\r\n", .init(skippedLineCount: 1, skipsBlankLines: true))
    #expect(skipped.columnNames == ["a", "b"])
    #expect(try Self.rows(skipped) == [["1", "2"]])
    let trimmed = try Self.table("a , b\n 1,\t \n\" 2 \", 3 4 ", .init(trimsSpaces: true))
    #expect(trimmed.columnNames == ["a", "b"])
    #expect(try Self.rows(trimmed) == [["1", ""], [" 2 ", "3 4"]])
    let single = try Self.table("a\n\n1\n")
    #expect(try Self.rows(single) == [[""], ["1"]])
    let marked = try CSVFile(contents: [0xef, 0xbb, 0xbf] + Array("a\n1".utf8), named: "t.csv")
    #expect(marked.columnNames == ["a"])
  }

  @Test("Random tables of special bytes survive being written and read", arguments: 0..<20)
  func tableRoundTrip(seed: UInt64) throws {
    let key = RandomKey(seed: seed)
    let alphabet: [Character] = [",", "\"", "\n", "\r\n", "\r", " ", "a", "é"]
    let columnCount = 1 + Int(seed % 4)
    let rows = (0..<8).map { row in
      (0..<columnCount).map { column in
        let words = key.block(at: [UInt32(row), UInt32(column)])
        return String((0..<(words.x % 6)).map { alphabet[Int(words.y >> ($0 * 3)) % alphabet.count] })
      }
    }
    let lineEnd = seed % 2 == 0 ? "\n" : "\r\n"
    let text = rows.map { row in
      row.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + lineEnd
    }
    let table = try Self.table(text.joined(), .init(hasHeader: false))
    // Unicode scalars, because CR and LF joined across two characters would be one.
    #expect(
      try Self.rows(table).map { $0.map { Array($0.unicodeScalars) } }
        == rows.map { $0.map { Array($0.unicodeScalars) } })
  }

  @Test("Any bytes are a table of whole rows or an error, never a trap", arguments: 0..<400)
  func anyBytes(seed: UInt64) throws {
    let key = RandomKey(seed: seed)
    let alphabet = Array(",,\"\n\n\r\t 1.-e".utf8) + [0xff]
    let bytes = (0..<Int(seed % 23)).map { alphabet[Int(key.word(at: $0)) % alphabet.count] }
    let format = CSVFile.Format(
      hasHeader: seed % 2 == 0, skippedLineCount: Int(seed % 3), skipsBlankLines: seed % 5 < 2,
      trimsSpaces: seed % 7 < 3)
    do throws(DataError) {
      let table = try CSVFile(contents: bytes, named: "t.csv", format: format)
      #expect(table.columnCount > 0)
      #expect(try table.completeRows().allSatisfy { $0 < table.rowCount })
      #expect(try table.numbers(missing: .replace(with: 0)).shape == [table.rowCount, table.columnCount])
    } catch {
      #expect(!error.description.isEmpty)
    }
  }

  @Test("Numbers are read to the nearest value, as float32 and float64")
  func numbers() throws {
    let texts = [
      "0", "-0", "+1", "42", "-3.5", ".5", "5.", "1e3", "1E-3", "2.5e+2", "0.1", "0.7440000000000001",
      "9007199254740992", "9007199254740993", "18446744073709551617", "1e22", "3e23", "2e-23",
      "123456789012345678e-30",
      "2.2250738585072014e-308", "4.9e-324", "1e-400", "1.7976931348623157e308",
      "3.14159265358979323846264338327950288", "000000000000000000000000000001.5", "-inf", "Infinity",
    ]
    let table = try Self.table((["x"] + texts).joined(separator: "\n"))
    // Swift's own literals and parser are the reference.
    let doubles = try table.numbers(as: Double.self)
    #expect(doubles.shape == [texts.count, 1])
    let expected = try texts.map { try #require(Double($0)) }
    #expect(doubles.elements(as: Double.self).map(\.bitPattern) == expected.map(\.bitPattern))
    let small = try Self.table("x\n0.1\n16777217\n-1e-46\n3.4028235e38")
    #expect(
      try small.numbers(in: [0])
        == HostArray([0.1, 16_777_216, -0.0, .greatestFiniteMagnitude] as [Float], shape: [4, 1]))
  }

  @Test("Random doubles survive being written and read, bit for bit")
  func numberRoundTrip() throws {
    let key = RandomKey(seed: 7)
    let values = (0..<2000).map { index -> Double in
      let words = key.block(at: [0, UInt32(index)])
      let bits = Double(bitPattern: UInt64(words.x) << 32 | UInt64(words.y))
      // Every second one of everyday size, where the exact path works.
      return index % 2 == 0 ? Double(Int32(bitPattern: words.x)) / 1000 : bits.isNaN ? 0 : bits
    }
    let table = try Self.table("x\n" + values.map(\.description).joined(separator: "\n"))
    #expect(
      try table.numbers(as: Double.self).elements(as: Double.self).map(\.bitPattern)
        == values.map(\.bitPattern))
  }

  @Test("Columns are chosen by index and by name, in the order asked for")
  func columns() throws {
    let table = try Self.table("a,b,c,b\n1,2,3,x\n4,5,6,y\n")
    #expect(try table.numbers(in: [2, 0]) == HostArray([3, 1, 6, 4] as [Float], shape: [2, 2]))
    #expect(
      try table.numbers(named: ["c"], as: Double.self) == HostArray([3, 6] as [Double], shape: [2, 1]))
    #expect(
      try dataError { try table.column(named: "d") }
        == .unknownColumn(file: "t.csv", name: "d", known: ["a", "b", "c", "b"]))
    #expect(
      try dataError { try table.numbers(named: ["b"]) }
        == .ambiguousColumn(file: "t.csv", name: "b", columns: [1, 3]))
    let categories = try table.categories(in: 3)
    #expect(categories.names == ["x", "y"])
    #expect(categories.codes == HostArray([0, 1] as [Int32]))
    let headerOnly = try Self.table("a,b\n")
    #expect(try headerOnly.numbers().shape == [0, 2])
  }

  @Test(
    "A cell that is no number is an error that names line, column and text",
    arguments: [
      "abc", "1,5", " 1", "1 ", "--1", "1e", "1e+", ".", "1.2.3", "0x10", "1_000", "+", "e5", "infinit", "١",
    ])
  func nonNumeric(text: String) throws {
    let table = try Self.table("a,b\n\"x\ny\",1\n2,\"\(text)\"\n")
    let error = try dataError { try table.numbers(in: [1]) }
    guard case .nonNumericCell(let position, text) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(position == CSVPosition(file: "t.csv", line: 4, column: 2, columnName: "b", byteOffset: 14))
    #expect(
      error.description
        == "'t.csv', line 4, column 2 ('b') (byte 14): '\(text)' is not a number. Correct the cell, leave "
        + "its column out of those read as numbers, or, if only spaces surround a number, read with "
        + "trimsSpaces."
    )
  }

  @Test("An unclosed quote, text after a quote, a quote inside and a lone CR are errors with their place")
  func malformed() throws {
    func position(_ text: String) throws -> (Int, Int, Int) {
      let error = try dataError { try Self.table(text) }
      guard case .malformedCSV(let position, _, _) = error else {
        Issue.record("\(error)")
        return (0, 0, 0)
      }
      return (position.line, position.column, position.byteOffset)
    }
    #expect(try position("a,b\n1,\"2\n3,4\n") == (2, 2, 6))
    #expect(try position("a,b\n1,\"2\"3\n") == (2, 2, 9))
    #expect(try position("a,b\n1,2\"\n") == (2, 2, 7))
    #expect(try position("a,b\r1,2\r") == (1, 2, 3))
    let unclosed = try dataError { try Self.table("a,b\n1,\"2") }
    #expect(
      unclosed.description
        == "'t.csv', line 2, column 2 (byte 6): the quote that begins the cell is never closed. Close "
        + "it, or read with quote nil if quotes mean nothing here.")
  }

  @Test("A row with more or fewer cells than the first is an error, and so is a blank line")
  func ragged() throws {
    func error(_ text: String) throws -> DataError {
      try dataError { try Self.table(text) }
    }
    #expect(
      try error("a,b\n\"1\n\",2\n3\n")
        == .raggedRow(file: "t.csv", line: 4, byteOffset: 11, expectedCellCount: 2, foundCellCount: 1))
    #expect(
      try error("a,b\n1,2,\n")
        == .raggedRow(file: "t.csv", line: 2, byteOffset: 4, expectedCellCount: 2, foundCellCount: 3))
    #expect(
      try error("a,b\n1,2\n\n")
        == .raggedRow(file: "t.csv", line: 3, byteOffset: 8, expectedCellCount: 2, foundCellCount: 1))
    for text in ["", "\u{feff}"] { #expect(try error(text) == .emptyFile(file: "t.csv")) }
  }

  @Test("Missing values are an error by default, a number where asked for, and their rows can be left out")
  func missing() throws {
    let table = try Self.table("a,b,c\n1,,x\n2,NA,?\n3,4.5,y\n")
    let error = try dataError { try table.numbers(in: [0, 1]) }
    #expect(
      error.description
        == "'t.csv', line 2, column 2 ('b') (byte 8): the value is missing (the cell is ''). Fill it "
        + "in, read with missing values replaced by a number, or keep only the complete rows.")
    #expect(
      try table.numbers(in: [0, 1], missing: .replace(with: -9))
        == HostArray([1, -9, 2, -9, 3, 4.5] as [Float], shape: [3, 2]))
    #expect(try table.numbers(in: [1], missing: .replace(with: .nan)).doubles()[0].isNaN)
    #expect(try table.completeRows(in: [1]) == [2])
    #expect(try table.completeRows(in: [2]) == [0, 2])
    #expect(try table.completeRows() == [2])
    let complete = table.selecting(rows: [2, 2])
    #expect(try complete.numbers(in: [0, 1]) == HostArray([3, 4.5, 3, 4.5] as [Float], shape: [2, 2]))
    // Lines are those of the file, whatever rows are selected.
    guard
      case .nonNumericCell(let position, "y") = try dataError({ try complete.numbers() })
    else {
      Issue.record("'y' was read as a number")
      return
    }
    #expect(position.line == 4)
    // A word is never taken for a missing value.
    let word = try Self.table("a\nnone\n")
    guard
      case .nonNumericCell = try dataError({ try word.numbers(missing: .replace(with: 0)) })
    else {
      Issue.record("'none' was replaced")
      return
    }
  }

  @Test("A number too large for its type is an error; one spelled infinite is not")
  func range() throws {
    let table = try Self.table("a\n1e39\n")
    guard
      case .numberOutOfRange(let position, "1e39", .float32) = try dataError({ try table.numbers() })
    else {
      Issue.record("1e39 was read as float32")
      return
    }
    #expect(position.line == 2 && position.column == 1)
    #expect(try table.numbers(as: Double.self).doubles() == [1e39])
    let larger = try Self.table("a\n-1e999\n")
    guard
      case .numberOutOfRange(_, "-1e999", .float64) = try dataError({ try larger.numbers(as: Double.self) })
    else {
      Issue.record("-1e999 was read as float64")
      return
    }
  }

  @Test("Text that is not UTF-8 is an error and never repaired")
  func invalidText() throws {
    let table = try CSVFile(contents: Array("a,b\n1,".utf8) + [0xe9, 0x0a], named: "t.csv")
    #expect(try table.strings(in: 0) == ["1"])
    guard
      case .invalidText(let position) = try dataError({ try table.strings(in: 1) })
    else {
      Issue.record("the byte e9 was read as text")
      return
    }
    #expect(position.line == 2 && position.column == 2 && position.byteOffset == 6)
    guard
      case .invalidText = try dataError({ try CSVFile(contents: [0xff, 0x0a], named: "t.csv") })
    else {
      Issue.record("a header of byte ff was read as text")
      return
    }
  }

  @Test("Files are read plain and compressed")
  func files() throws {
    let folder = try TemporaryFolder()
    let text = "a,b\n1,2\n"
    for path in [
      try folder.file("t.csv", text), try folder.file("t.csv.gz", Gzip.compressed(Array(text.utf8))),
    ] {
      #expect(try CSVFile(path).numbers() == HostArray([1, 2] as [Float], shape: [1, 2]))
    }
    let cut = try folder.file("cut.csv.gz", Array(Gzip.compressed(Array(text.utf8)).dropLast(3)))
    guard case .corruptGzip(cut, _, _) = try dataError({ try CSVFile(cut) }) else {
      Issue.record("a file cut short was read")
      return
    }
  }
}
