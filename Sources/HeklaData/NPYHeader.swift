/// The header of an NPY file: a dictionary of three entries, as Python writes it.
struct NPYHeader {
  /// The element type, such as `<f4`.
  private(set) var descr = ""
  /// Whether the first coordinate varies fastest.
  private(set) var isFortranOrder = false
  /// The extents, outermost first.
  private(set) var extents: [Int] = []

  private let text: ArraySlice<UInt8>
  private var position: Int
  private let file: String

  /// Reads the header from `text`, a slice of the bytes of `file`.
  init(_ text: ArraySlice<UInt8>, file: String) throws(DataError) {
    (self.text, self.file, position) = (text, file, text.startIndex)
    var missing: Set = ["descr", "fortran_order", "shape"]
    try expect("{")
    while !skip("}") {
      let start = position
      let key = try string()
      guard missing.remove(key) != nil else {
        throw malformed("the entry '\(key)' has no place here", at: start)
      }
      try expect(":")
      switch key {
      case "descr":
        // Records have a list of fields in this place.
        guard peek() != UInt8(ascii: "[") else {
          throw .unsupportedNPYType(file: file, descr: "a record of several fields")
        }
        descr = try string()
      case "fortran_order": isFortranOrder = try truthValue()
      default: extents = try tuple()
      }
      if !skip(",") {
        try expect("}")
        break
      }
    }
    guard missing.isEmpty else {
      throw malformed(
        "the header has no entry \(missing.sorted().joined(separator: ", "))", at: text.startIndex)
    }
    if let rest = peek() { throw malformed("\(Self.shown(rest)) follows the dictionary", at: position) }
  }

  // MARK: Scanning

  private func malformed(_ problem: String, at byteOffset: Int) -> DataError {
    .malformedNPY(file: file, byteOffset: byteOffset, problem: problem)
  }

  private static func shown(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): "a quote"
    case 0x21...0x7e: "'\(Character(UnicodeScalar(byte)))'"
    default: "the byte \(byte)"
    }
  }

  /// The next byte that is no space, which stays to be read; nil at the end.
  private mutating func peek() -> UInt8? {
    while position < text.endIndex, [0x20, 0x09, 0x0a, 0x0d].contains(text[position]) { position += 1 }
    return position < text.endIndex ? text[position] : nil
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(DataError) {
    guard !skip(character) else { return }
    let found = peek().map(Self.shown) ?? "the end"
    throw malformed("'\(character)' is missing from the header before \(found)", at: position)
  }

  private mutating func string() throws(DataError) -> String {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw malformed("a text in quotes is missing from the header", at: position)
    }
    let start = position + 1
    guard let end = text[start...].firstIndex(of: quote) else {
      throw malformed("a quote is never closed", at: position)
    }
    position = end + 1
    return String(decoding: text[start..<end], as: UTF8.self)
  }

  private mutating func truthValue() throws(DataError) -> Bool {
    _ = peek()
    for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw malformed("fortran_order is neither True nor False", at: position)
  }

  private mutating func tuple() throws(DataError) -> [Int] {
    var numbers: [Int] = []
    try expect("(")
    while !skip(")") {
      _ = peek()
      let digits = text[position...].prefix { (0x30...0x39).contains($0) }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else {
        throw malformed("an extent is no whole number that can be addressed", at: position)
      }
      position = digits.endIndex
      numbers.append(number)
      if !skip(",") {
        // One number in brackets is no tuple to Python.
        guard numbers.count > 1 else { throw malformed("the shape is no tuple", at: position) }
        try expect(")")
        break
      }
    }
    return numbers
  }
}
