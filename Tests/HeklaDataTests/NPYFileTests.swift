import HeklaArrays
import HeklaData
import Testing

@Suite("NPY files")
struct NPYFileTests {
  /// The header's text as NumPy 2 pads it: to a multiple of 64 bytes with the ten before it.
  static func file(_ header: String, _ elements: [UInt8]) -> [UInt8] {
    let text = Array(header.utf8)
    let padded = text + [UInt8](repeating: 0x20, count: 63 - (10 + text.count) % 64) + [0x0a]
    return magic + [1, 0, UInt8(padded.count % 256), UInt8(padded.count / 256)] + padded + elements
  }

  static let magic: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

  static func header(_ descr: String, _ shape: String, fortran: Bool = false) -> String {
    "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
  }

  static func error(_ bytes: [UInt8]) throws -> DataError {
    try dataError { try NPYFile.decoded(bytes, named: "a") }
  }

  /// A pair of each element type: the type's name, the elements' bytes, what they are read as.
  static let formats: [(String, [UInt8], HostArray)] = [
    ("<f2", [0, 0x3c, 0, 0xc0], HostArray([1, -2] as [Float16])),
    ("<f4", [0, 0, 0x80, 0x3f, 0xdb, 0x0f, 0x49, 0x40], HostArray([1, 0x1.921fb6p1] as [Float])),
    (
      "<f8", [0, 0, 0, 0, 0, 0, 0xf0, 0xbf, 0x18, 0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40],
      HostArray([-1, .pi] as [Double])
    ),
    ("<i4", [4, 3, 2, 1, 0xfe, 0xff, 0xff, 0xff], HostArray([0x0102_0304, -2] as [Int32])),
    (
      "<i8", [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80],
      HostArray([0x1_0000_0001, .min] as [Int64])
    ),
    ("<u4", [4, 3, 2, 0xff, 0, 0, 0, 0], HostArray([0xff02_0304, 0] as [UInt32])),
    ("|u1", [0, 255], HostArray([0, 255] as [UInt8])),
    ("|b1", [1, 0], HostArray([true, false])),
  ]

  @Test(
    "Every element type is read, and written to the same bytes that NumPy writes", arguments: formats.indices)
  func types(index: Int) throws {
    let (descr, bytes, array) = Self.formats[index]
    let contents = Self.file(Self.header(descr, "(2,)"), bytes)
    #expect(contents.count % 64 == bytes.count)
    #expect(try NPYFile.encoded(array, named: "a") == contents)
    let folder = try TemporaryFolder()
    #expect(try NPYFile.read(folder.file("a.npy", contents)) == array)
    #expect(try NPYFile.read(folder.file("b.npy.gz", Gzip.compressed(contents))) == array)
    try NPYFile.write(array, to: folder.path + "/c.npy")
    #expect(try NPYFile.read(folder.path + "/c.npy") == array)
  }

  @Test(
    "Any rank and extents of zero are kept",
    arguments: [[], [0], [5], [2, 0, 3], [2, 1, 2, 1, 2, 1], [Int](repeating: 1, count: 30_000)])
  func ranks(extents: [Int]) throws {
    let shape = Shape(extents)
    let array = HostArray((0..<shape.count).map { Float($0) }, shape: shape)
    let bytes = try NPYFile.encoded(array, named: "a")
    // A long header needs a length of four bytes, which version 2 has.
    #expect(bytes[6] == (extents.count < 20_000 ? 1 : 2))
    #expect(try NPYFile.decoded(bytes, named: "a") == array)
  }

  @Test("Arrays in Fortran's order come into row-major order")
  func fortranOrder() throws {
    // Element [i, j, k] of 2 x 3 x 2 is 100 i + 10 j + k.
    let stored: [UInt8] = [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121]
    let array = try NPYFile.decoded(
      Self.file(Self.header("|u1", "(2, 3, 2)", fortran: true), stored), named: "a")
    #expect(
      array == HostArray([0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121] as [UInt8], shape: [2, 3, 2]))
  }

  @Test("Headers may have their entries in any order, other quotes and spaces, and versions 2 and 3")
  func headers() throws {
    let wanted = HostArray([7] as [UInt8])
    for header in [
      #"{"shape":(1,),"descr":"|u1","fortran_order":False}"#,
      "  { 'fortran_order' : True , 'shape' : ( 1 , ) , 'descr' : '|u1' }  ",
    ] {
      #expect(try NPYFile.decoded(Self.file(header, [7]), named: "a") == wanted)
    }
    let text = Array(Self.header("|u1", "(1,)").utf8)
    for version: UInt8 in [2, 3] {
      let bytes = Self.magic + [version, 0, UInt8(text.count), 0, 0, 0] + text + [7]
      #expect(try NPYFile.decoded(bytes, named: "a") == wanted)
    }
  }

  @Test("A file cut short anywhere, or too long, is an error that says how many bytes there should be")
  func lengths() throws {
    let contents = Self.file(Self.header("<i4", "(2,)"), [UInt8](repeating: 1, count: 8))
    for count in 0..<contents.count {
      let expected = count < 8 ? 8 : count < 10 ? 10 : count < 128 ? 128 : 136
      #expect(
        try Self.error(Array(contents.prefix(count)))
          == .truncated(file: "a", expectedByteCount: expected, foundByteCount: count))
    }
    // A header that claims to be of four gigabytes is not believed.
    #expect(
      try Self.error(Self.magic + [2, 0, 0xff, 0xff, 0xff, 0xff, 0x7b])
        == .truncated(file: "a", expectedByteCount: 12 + 0xffff_ffff, foundByteCount: 13))
    #expect(
      try Self.error(contents + [0])
        == .trailingBytes(file: "a", expectedByteCount: 136, foundByteCount: 137))
  }

  @Test("Headers that break the format's rules are errors that say where")
  func malformed() throws {
    for (header, byteOffset, problem) in [
      ("'descr': '<f4'", 10, "'{' is missing from the header before a quote"),
      ("{'descr': '<f4', 'fortran_order': False}", 10, "the header has no entry shape"),
      ("{'descr': '<f4', 'descr': '<f4'}", 27, "the entry 'descr' has no place here"),
      ("{'size': 4}", 11, "the entry 'size' has no place here"),
      ("{'descr': '<f4}", 20, "a quote is never closed"),
      ("{'shape': (3)}", 22, "the shape is no tuple"),
      ("{'shape': (-3,)}", 21, "an extent is no whole number that can be addressed"),
      ("{'shape': (99999999999999999999,)}", 21, "an extent is no whole number that can be addressed"),
      ("{'fortran_order': 0}", 28, "fortran_order is neither True nor False"),
      ("{'shape': (3, 4) 'descr'}", 27, "'}' is missing from the header before a quote"),
      (Self.header("<f4", "()") + "x", 65, "'x' follows the dictionary"),
    ] {
      #expect(
        try Self.error(Self.file(header, []))
          == .malformedNPY(file: "a", byteOffset: byteOffset, problem: problem))
    }
    #expect(
      try Self.error(Self.magic + [4, 0, 0, 0])
        == .malformedNPY(file: "a", byteOffset: 6, problem: "the version is 4.0, not 1.0, 2.0 or 3.0"))
    #expect(
      try Self.error(Self.file(Self.header("|b1", "(2,)"), [1, 2]))
        == .malformedNPY(file: "a", byteOffset: 129, problem: "a truth value is 2, not 0 or 1"))
  }

  @Test("Other files, other element types and impossible sizes are told apart")
  func refused() throws {
    #expect(
      try Self.error([0x50, 0x4b, 3, 4, 0, 0, 0, 0])
        == .notNPY(file: "a", firstBytes: [0x50, 0x4b, 3, 4, 0, 0]))
    for descr in [">f4", "|O", "<c8", "<i2", "<U5"] {
      #expect(
        try Self.error(Self.file(Self.header(descr, "(1,)"), [0]))
          == .unsupportedNPYType(file: "a", descr: descr))
    }
    #expect(
      try Self.error(Self.file("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", []))
        == .unsupportedNPYType(file: "a", descr: "a record of several fields"))
    let extents = [4_294_967_296, 4_294_967_296, 0]
    #expect(
      try Self.error(Self.file(Self.header("<f4", "(4294967296, 4294967296, 0)"), []))
        == .sizeOverflow(file: "a", extents: extents))
    #expect(
      try Self.error(Self.file(Self.header("<f4", "(9223372036854775807,)"), []))
        == .sizeOverflow(file: "a", extents: [.max]))
    #expect(
      try dataError { try NPYFile.encoded(HostArray([BFloat16(1)]), named: "a") }
        == .unwritableElementType(file: "a", elementType: .bfloat16))
  }
}
