import HeklaArrays

/// What goes wrong between the framework and data files: each case says what and where, and how to mend it.
///
/// Files are named by the path that was opened. Lines and columns count from 1, byte offsets from 0; in a
/// compressed file, offsets into the contents count unpacked bytes.
public enum DataError: Error, Sendable, Hashable {
  /// Nobody said where the data is.
  case folderNotGiven
  /// The data folder does not exist or is not a folder.
  case missingFolder(path: String)
  /// None of `lookedFor` exists; each is a path.
  case missingFile(lookedFor: [String])
  /// Two files hold the same images, so that loading both would count them twice.
  case conflictingFiles([String])
  /// The operating system refused to read the file.
  case unreadable(file: String, reason: String)
  /// The operating system refused to write the file.
  case unwritable(file: String, reason: String)
  /// The file has no bytes.
  case emptyFile(file: String)

  /// The name ends in `.gz` and the contents are something else.
  case notGzip(file: String, firstBytes: [UInt8])
  /// The contents are gzip and the name does not end in `.gz`.
  case unmarkedGzip(file: String)
  /// Compressed bytes are damaged or end early; `byteOffset` counts compressed bytes.
  case corruptGzip(file: String, byteOffset: Int, reason: String)
  /// A small file unpacks to more than `limit` bytes.
  case expansionRefused(file: String, compressedByteCount: Int, limit: Int)

  /// An IDX file does not begin with two zero bytes.
  case wrongMagic(file: String, firstBytes: [UInt8])
  /// An IDX file's third byte names no element type of the format.
  case unsupportedElementType(file: String, code: UInt8)
  /// The file's format has no element type for this array.
  case unwritableElementType(file: String, elementType: ElementType)
  /// An NPY file does not begin with its magic bytes.
  case notNPY(file: String, firstBytes: [UInt8])
  /// An NPY file's header, or one of its elements, breaks the rules of the format.
  case malformedNPY(file: String, byteOffset: Int, problem: String)
  /// An NPY file holds elements of a type that arrays do not have.
  case unsupportedNPYType(file: String, descr: String)
  /// A NIfTI file does not begin with the size of its header.
  case notNIfTI(file: String, firstBytes: [UInt8])
  /// A NIfTI file's header breaks the rules of the format, or asks for a part of it that is not read.
  case malformedNIfTI(file: String, byteOffset: Int, problem: String)
  /// A NIfTI file holds elements of a type that is not read.
  case unsupportedNIfTIType(file: String, datatype: Int)
  /// The extents of a file's header multiply to more bytes than can be addressed.
  case sizeOverflow(file: String, extents: [Int])
  /// The file ends before its header's promise is kept.
  case truncated(file: String, expectedByteCount: Int, foundByteCount: Int)
  /// The file goes on after its last element.
  case trailingBytes(file: String, expectedByteCount: Int, foundByteCount: Int)
  /// A file of fixed-size records does not hold a whole number of them.
  case partialRecord(file: String, recordByteCount: Int, foundByteCount: Int)
  /// The file is well formed and holds something else than its data set has.
  case wrongContents(file: String, expected: String, found: String)
  /// Images and labels that belong together differ in number.
  case countMismatch(imagesFile: String, imageCount: Int, labelsFile: String, labelCount: Int)
  /// A label names no class.
  case labelOutOfRange(file: String, index: Int, byteOffset: Int, label: Int, classCount: Int)

  /// A cell that was asked for as a number is none.
  case nonNumericCell(CSVPosition, text: String)
  /// A cell's number is too large for the element type.
  case numberOutOfRange(CSVPosition, text: String, elementType: ElementType)
  /// A cell that was asked for as a number is empty or says that the value is missing.
  case missingValue(CSVPosition, text: String)
  /// A cell that was asked for as text is not UTF-8.
  case invalidText(CSVPosition)
  /// A row has more or fewer cells than the first one.
  case raggedRow(file: String, line: Int, byteOffset: Int, expectedCellCount: Int, foundCellCount: Int)
  /// Quotes or line ends break the rules of RFC 4180.
  case malformedCSV(CSVPosition, problem: String, remedy: String)
  /// No column has this name.
  case unknownColumn(file: String, name: String, known: [String])
  /// Several columns have this name.
  case ambiguousColumn(file: String, name: String, columns: [Int])

  /// A line of a text file does not have the form that its data set asks for.
  case malformedLine(file: String, line: Int, expected: String, found: String)
  /// A line names a vertex that the graph does not have.
  case vertexOutOfRange(file: String, line: Int, vertex: Int, count: Int)
  /// A line puts an item into a part though it is in one already; `parts` names both.
  case overlappingParts(file: String, line: Int, item: Int, parts: [String])

  /// The parts of a split are larger than the set, or one of them is negative.
  case impossibleSplit(requested: [Int], available: Int)
}
