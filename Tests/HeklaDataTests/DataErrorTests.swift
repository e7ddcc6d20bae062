import HeklaArrays
import HeklaData
import Testing

@Suite("Data errors")
struct DataErrorTests {
  static let position = CSVPosition(file: "t.csv", line: 2, column: 3, columnName: "c", byteOffset: 17)

  static let all: [DataError] = [
    .folderNotGiven, .missingFolder(path: "d"), .missingFile(lookedFor: ["d/a", "d/a.gz"]),
    .conflictingFiles(["d/a", "d/b"]), .unreadable(file: "f", reason: "Permission denied"),
    .unwritable(file: "f", reason: "No space left on device"), .emptyFile(file: "f"),
    .notGzip(file: "f.gz", firstBytes: [0x50, 0x4b]), .unmarkedGzip(file: "f"),
    .corruptGzip(file: "f.gz", byteOffset: 90, reason: "incorrect data check"),
    .expansionRefused(file: "f.gz", compressedByteCount: 10, limit: 1000),
    .wrongMagic(file: "f", firstBytes: [0x89, 0x50]), .unsupportedElementType(file: "f", code: 0x0a),
    .notNPY(file: "f", firstBytes: [0x50, 0x4b]), .unsupportedNPYType(file: "f", descr: ">f4"),
    .malformedNPY(file: "f", byteOffset: 12, problem: "a quote is never closed"),
    .notNIfTI(file: "f", firstBytes: [0x50, 0x4b]), .unsupportedNIfTIType(file: "f", datatype: 128),
    .malformedNIfTI(file: "f", byteOffset: 40, problem: "the number of axes is 9, not 1 to 7"),
    .unwritableElementType(file: "f", elementType: .bool), .sizeOverflow(file: "f", extents: [9, 9]),
    .truncated(file: "f", expectedByteCount: 20, foundByteCount: 10),
    .trailingBytes(file: "f", expectedByteCount: 10, foundByteCount: 12),
    .partialRecord(file: "f", recordByteCount: 3073, foundByteCount: 4000),
    .wrongContents(file: "f", expected: "images", found: "labels"),
    .countMismatch(imagesFile: "i", imageCount: 3, labelsFile: "l", labelCount: 2),
    .labelOutOfRange(file: "f", index: 4, byteOffset: 12, label: 10, classCount: 10),
    .nonNumericCell(position, text: "abc"), .numberOutOfRange(position, text: "1e99", elementType: .float32),
    .missingValue(position, text: "?"), .invalidText(position),
    .raggedRow(file: "t.csv", line: 2, byteOffset: 17, expectedCellCount: 3, foundCellCount: 1),
    .malformedCSV(position, problem: "a quote is never closed", remedy: "Close it."),
    .unknownColumn(file: "t.csv", name: "d", known: ["a", "b"]),
    .unknownColumn(file: "t.csv", name: "d", known: []),
    .ambiguousColumn(file: "t.csv", name: "b", columns: [1, 3]),
    .malformedLine(file: "f", line: 3, expected: "two vertices", found: "1 2 3"),
    .vertexOutOfRange(file: "f", line: 3, vertex: 9, count: 5),
    .overlappingParts(file: "f", line: 2, item: 7, parts: ["train", "test"]),
    .impossibleSplit(requested: [3, 4], available: 5),
  ]

  @Test("Every message is one paragraph of whole sentences", arguments: all)
  func paragraphs(error: DataError) {
    let text = error.description
    #expect(text.count > 40)
    #expect(text.hasSuffix("."))
    #expect(!text.contains("\n") && !text.contains("  "))
    // What was wrong, and then the remedy.
    #expect(text.split(separator: ". ").count >= 2 || text.contains("; "), "\(text)")
  }

  @Test("Messages name the place and the numbers")
  func texts() {
    #expect(
      DataError.partialRecord(file: "f.bin", recordByteCount: 3073, foundByteCount: 4000).description
        == "'f.bin' ends inside a record: records have 3073 bytes, and 4000 bytes leave 927 over, from "
        + "byte 3073 on. Copy it again from its source.")
    #expect(
      DataError.raggedRow(file: "t.csv", line: 2, byteOffset: 17, expectedCellCount: 3, foundCellCount: 1)
        .description
        == "'t.csv', line 2 (byte 17): the row has 1 cell, the first row has 3. Correct the row; check the "
        + "separator; skip lines before the table with skippedLineCount, and empty lines with "
        + "skipsBlankLines.")
    #expect(
      DataError.missingFile(lookedFor: ["d/a", "d/a.gz"]).description
        == "A data file is missing: none of 'd/a', 'd/a.gz' exists. Copy one of them there, or point "
        + "--data or HEKLA_DATA to the folder that has it; nothing is downloaded.")
  }

  @Test("Long cells and cells of several lines are shortened to one line")
  func longCells() {
    let error = DataError.nonNumericCell(
      Self.position, text: "two\nlines " + String(repeating: "x", count: 1000))
    #expect(error.description.count < 300)
    #expect(error.description.contains("'two lines xxx"))
    #expect(error.description.contains("xxx...' is not a number"))
  }
}
