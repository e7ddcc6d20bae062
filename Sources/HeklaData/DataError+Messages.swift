extension DataError: CustomStringConvertible {
  /// One paragraph: what went wrong and where, then the remedy.
  public var description: String {
    switch self {
    case .folderNotGiven:
      "No data folder was given. Name the folder that holds the data sets with --data DIR, or set the "
        + "environment variable HEKLA_DATA to it; nothing is downloaded."
    case .missingFolder(let path):
      "There is no data folder at '\(path)'. Check the spelling of --data or HEKLA_DATA, and that the folder "
        + "may be entered."
    case .missingFile(let lookedFor):
      "A data file is missing: none of \(lookedFor.map { "'\($0)'" }.joined(separator: ", ")) exists. Copy "
        + "one of them there, or point --data or HEKLA_DATA to the folder that has it; nothing is "
        + "downloaded."
    case .conflictingFiles(let files):
      "The files \(files.map { "'\($0)'" }.joined(separator: ", ")) hold the same images. Keep one of them "
        + "in the folder."
    case .unreadable(let file, let reason):
      "'\(file)' cannot be read: \(reason). Check that it is a file and that its permissions allow reading."
    case .unwritable(let file, let reason):
      "'\(file)' cannot be written: \(reason). Check that its folder exists, may be written to and has space."
    case .emptyFile(let file):
      "'\(file)' is empty: it has no contents from byte 0 on, or none but skipped lines. Copy it again "
        + "from its source."
    case .notGzip(let file, let firstBytes):
      "'\(file)' is named .gz and is not gzip: it begins with \(hexadecimal(firstBytes)) at byte 0 instead "
        + "of 1f 8b. If the file is not compressed, drop .gz from its name; if not, copy it again from its "
        + "source."
    case .unmarkedGzip(let file):
      "'\(file)' is compressed: it begins with 1f 8b at byte 0, the mark of gzip. Add .gz to its name, or "
        + "unpack it with gunzip."
    case .corruptGzip(let file, let byteOffset, let reason):
      "'\(file)' is a damaged gzip file: \(reason), at compressed byte \(byteOffset). Check it with gzip "
        + "-t and copy it again from its source."
    case .expansionRefused(let file, let compressedByteCount, let limit):
      "'\(file)' unpacks to more than \(limit) bytes after \(compressedByteCount) compressed ones, which no "
        + "ordinary data file does. If you trust it, unpack it with gunzip and use the plain file."
    case .wrongMagic(let file, let firstBytes):
      "'\(file)' is not an IDX file: it begins with \(hexadecimal(firstBytes)) at byte 0, and IDX begins "
        + "with 00 00, the element type and the rank. Check that the file is what its name says."
    case .unsupportedElementType(let file, let code):
      "'\(file)' has element type \(hexadecimal([code])) at byte 2, which IDX does not define; it has 08 "
        + "(ubyte), 09 (sbyte), 0b (short), 0c (int), 0d (float) and 0e (double). Check that the file is "
        + "an IDX file."
    case .unwritableElementType(let file, let elementType):
      "'\(file)' cannot be written: its format has no element type for \(elementType). Convert the array to "
        + "uint8, int32, float32 or float64 first, which all formats have."
    case .notNPY(let file, let firstBytes):
      "'\(file)' is not an NPY file: it begins with \(hexadecimal(firstBytes)) at byte 0 instead of 93 4e 55 "
        + "4d 50 59. Check that the file is what its name says; a file named .npz is an archive to unpack first."
    case .malformedNPY(let file, let byteOffset, let problem):
      "'\(file)' is a damaged NPY file: \(problem), at byte \(byteOffset). Write it again, or copy it again "
        + "from its source."
    case .unsupportedNPYType(let file, let descr):
      "'\(file)' holds elements of type \(shortened(descr)), which arrays do not have; they have <f2, <f4, <f8, "
        + "<i4, <i8, <u4, |u1 and |b1. Convert the array with NumPy's astype and save it again."
    case .notNIfTI(let file, let firstBytes):
      "'\(file)' is not a NIfTI-1 file: it begins with \(hexadecimal(firstBytes)) at byte 0 instead of 5c 01 00 00 or "
        + "00 00 01 5c. Check that the file is what its name says; NIfTI-2 and DICOM are to be converted first."
    case .malformedNIfTI(let file, let byteOffset, let problem):
      "'\(file)' cannot be read as a NIfTI-1 file: \(problem), at byte \(byteOffset). Copy it again from its source, or "
        + "save it again as one file .nii."
    case .unsupportedNIfTIType(let file, let datatype):
      "'\(file)' holds elements of NIfTI's type \(datatype), which is not read; read are 2 (uint8), 4 (int16), 8 (int32), "
        + "16 (float32), 64 (float64) and 512 (uint16). Save it again as one of these."
    case .sizeOverflow(let file, let extents):
      "'\(file)' claims the extents \(extents) in its header, more bytes than any memory "
        + "has. The header is damaged: copy the file again from its source."
    case .truncated(let file, let expected, let found):
      "'\(file)' is cut short: expected \(expected) bytes of contents, found \(found), so it ends at byte "
        + "\(found). Copy it again from its source."
    case .trailingBytes(let file, let expected, let found):
      "'\(file)' has \(found - expected) bytes too many: expected \(expected) bytes of contents, found "
        + "\(found); byte \(expected) is the first that belongs to nothing. Copy it again from its source."
    case .partialRecord(let file, let recordByteCount, let found):
      "'\(file)' ends inside a record: records have \(recordByteCount) bytes, and \(found) bytes leave "
        + "\(found % recordByteCount) over, from byte \(found - found % recordByteCount) on. Copy it again "
        + "from its source."
    case .wrongContents(let file, let expected, let found):
      "'\(file)' does not hold what its data set has: expected \(expected), found \(found). Check that the "
        + "file belongs to this data set."
    case .countMismatch(let imagesFile, let imageCount, let labelsFile, let labelCount):
      "'\(imagesFile)' has \(imageCount) images and '\(labelsFile)' has \(labelCount) labels. Take both "
        + "files from the same source."
    case .labelOutOfRange(let file, let index, let byteOffset, let label, let classCount):
      "'\(file)' has label \(label) for item \(index) (byte \(byteOffset)); labels are 0 to "
        + "\(classCount - 1). Check that the file belongs to this data set, and copy it again from its "
        + "source."
    case .impossibleSplit(let requested, let available):
      "A set of \(available) cannot be split into parts of \(requested). Ask for parts that are not negative "
        + "and add up to at most \(available)."
    case .malformedLine(let file, let line, let expected, let found):
      "'\(file)', line \(line): expected \(expected), found '\(shortened(found))'. Correct the line, or copy the "
        + "file again from its source."
    case .vertexOutOfRange(let file, let line, let vertex, let count):
      "'\(file)', line \(line): there is no vertex \(vertex); the graph has 0 to \(count - 1). Check that the "
        + "files belong together."
    case .overlappingParts(let file, let line, let item, let parts):
      "'\(file)', line \(line): \(item) is in \(parts.joined(separator: " and in ")). Leave it in one, so that "
        + "nothing is learnt from what is judged by."
    case .nonNumericCell(let position, let text):
      "\(position): '\(shortened(text))' is not a number. Correct the cell, leave its column out of those "
        + "read as numbers, or, if only spaces surround a number, read with trimsSpaces."
    case .numberOutOfRange(let position, let text, let elementType):
      "\(position): '\(shortened(text))' is too large for \(elementType). Correct the cell, or read the "
        + "column as a wider type."
    case .missingValue(let position, let text):
      "\(position): the value is missing (the cell is '\(shortened(text))'). Fill it in, read with missing "
        + "values replaced by a number, or keep only the complete rows."
    case .invalidText(let position):
      "\(position): the cell is not UTF-8 text. Convert the file to UTF-8, for instance with iconv."
    case .raggedRow(let file, let line, let byteOffset, let expected, let found):
      "'\(file)', line \(line) (byte \(byteOffset)): the row has \(found) cell\(found == 1 ? "" : "s"), "
        + "the first row has \(expected). Correct the row; check the separator; skip lines before the "
        + "table with skippedLineCount, and empty lines with skipsBlankLines."
    case .malformedCSV(let position, let problem, let remedy):
      "\(position): \(problem). \(remedy)"
    case .unknownColumn(let file, let name, let known):
      "'\(file)' has no column '\(name)'. "
        + (known.isEmpty
          ? "It was read without a header, so its columns have numbers only; read it with hasHeader."
          : "Its columns are \(known.joined(separator: ", ")).")
    case .ambiguousColumn(let file, let name, let columns):
      "'\(file)' has several columns named '\(name)': \(columns.map(String.init).joined(separator: ", ")). "
        + "Ask for one of them by its index instead."
    }
  }
}

/// Bytes as two hexadecimal digits each, as a dump prints them.
private func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
  return digits.isEmpty ? "nothing" : digits.joined(separator: " ")
}

/// `text` on one line and not longer than a message can bear.
private func shortened(_ text: String) -> String {
  let oneLine = text.replacing("\r\n", with: " ").replacing("\n", with: " ")
  return oneLine.count <= 60 ? oneLine : oneLine.prefix(57) + "..."
}
