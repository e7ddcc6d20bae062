import HeklaArrays
import HeklaData
import Testing

@Suite("IDX files")
struct IDXFileTests {
  /// A 2 x 3 array of each element type: the type's code, the elements' bytes, what they are read as.
  static let formats: [(UInt8, [UInt8], HostArray)] = [
    (0x08, [0, 1, 127, 128, 254, 255], HostArray([0, 1, 127, 128, 254, 255] as [UInt8], shape: [2, 3])),
    (0x09, [0, 1, 127, 128, 254, 255], HostArray([0, 1, 127, -128, -2, -1] as [Int32], shape: [2, 3])),
    (
      0x0b, [0, 1, 1, 0, 0x7f, 0xff, 0x80, 0, 0xff, 0xfe, 0xff, 0xff],
      HostArray([1, 256, 32767, -32768, -2, -1] as [Int32], shape: [2, 3])
    ),
    (
      0x0c,
      [0, 0, 0, 1, 0, 0, 1, 0, 0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
      HostArray([1, 256, .max, .min, -1, 0x0102_0304] as [Int32], shape: [2, 3])
    ),
    (
      0x0d,
      [
        0x3f, 0x80, 0, 0, 0xbf, 0x80, 0, 0, 0x7f, 0x80, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 1, 0x40, 0x49, 0x0f,
        0xdb,
      ],
      HostArray([1, -1, .infinity, -0.0, .leastNonzeroMagnitude, 0x1.921fb6p1] as [Float], shape: [2, 3])
    ),
    (
      0x0e,
      [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]
        + [
          0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18,
        ],
      HostArray([1, -1, .infinity, -0.0, .leastNonzeroMagnitude, .pi] as [Double], shape: [2, 3])
    ),
  ]
  static let extents: [UInt8] = [0, 0, 0, 2, 0, 0, 0, 3]

  @Test(
    "Every element type is read from its big-endian bytes, plain and compressed", arguments: formats.indices)
  func read(index: Int) throws {
    let (code, bytes, array) = Self.formats[index]
    let contents = [0, 0, code, 2] + Self.extents + bytes
    let folder = try TemporaryFolder()
    #expect(try IDXFile.read(folder.file("a-idx2", contents)) == array)
    #expect(try IDXFile.read(folder.file("a-idx2.gz", Gzip.compressed(contents))) == array)
  }

  @Test("Types that IDX has are written as they are read, plain and compressed", arguments: [0, 3, 4, 5])
  func write(index: Int) throws {
    let (code, bytes, array) = Self.formats[index]
    #expect(try IDXFile.encoded(array, named: "a") == [0, 0, code, 2] + Self.extents + bytes)
    let folder = try TemporaryFolder()
    for name in ["/a", "/a.gz"] {
      try IDXFile.write(array, to: folder.path + name)
      #expect(try IDXFile.read(folder.path + name) == array)
    }
  }

  @Test(
    "Any rank and extents of zero are kept",
    arguments: [[], [0], [5], [2, 0, 3], [2, 1, 2, 1, 2, 1], [Int](repeating: 1, count: 255)])
  func ranks(extents: [Int]) throws {
    let shape = Shape(extents)
    let array = HostArray((0..<shape.count).map { UInt8($0) }, shape: shape)
    #expect(try IDXFile.decoded(IDXFile.encoded(array, named: "a"), named: "a") == array)
  }

  @Test("A file cut short anywhere is an error that says how many bytes there should be")
  func truncated() throws {
    let contents = [0, 0, 0x0c, 2] + Self.extents + [UInt8](repeating: 1, count: 24)
    for count in 1..<contents.count {
      let error = try dataError { try IDXFile.decoded(Array(contents.prefix(count)), named: "a") }
      let expected = count < 4 ? 4 : count < 12 ? 12 : 36
      #expect(error == .truncated(file: "a", expectedByteCount: expected, foundByteCount: count))
    }
    let folder = try TemporaryFolder()
    let path = try folder.file("cut-idx2-ubyte", Array(contents.prefix(30)))
    let error = try dataError { try IDXFile.read(path) }
    #expect(
      error.description
        == "'\(path)' is cut short: expected 36 bytes of contents, found 30, so it ends at byte 30. Copy "
        + "it again from its source.")
  }

  @Test("Bytes after the last element are an error")
  func trailing() throws {
    let contents: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 2, 5, 6, 0, 0]
    let error = try dataError { try IDXFile.decoded(contents, named: "a") }
    #expect(error == .trailingBytes(file: "a", expectedByteCount: 10, foundByteCount: 12))
  }

  @Test("A wrong magic number, an unknown element type and an impossible size are told apart")
  func headers() throws {
    func error(_ bytes: [UInt8]) throws -> DataError {
      try dataError { try IDXFile.decoded(bytes, named: "a") }
    }
    #expect(
      try error([0x89, 0x50, 0x4e, 0x47, 0x0d])
        == .wrongMagic(file: "a", firstBytes: [0x89, 0x50, 0x4e, 0x47]))
    #expect(try error([0, 8, 0, 0]) == .wrongMagic(file: "a", firstBytes: [0, 8, 0, 0]))
    for code in UInt8.min...UInt8.max where ![8, 9, 0x0b, 0x0c, 0x0d, 0x0e].contains(code) {
      #expect(try error([0, 0, code, 1, 0, 0, 0, 0]) == .unsupportedElementType(file: "a", code: code))
    }
    let large = [UInt8](repeating: 0xff, count: 12)
    #expect(
      try error([0, 0, 8, 3] + large)
        == .sizeOverflow(file: "a", extents: [4_294_967_295, 4_294_967_295, 4_294_967_295]))
    // An extent of zero must not hide the overflow: strides multiply the other extents.
    guard case .sizeOverflow = try error([0, 0, 8, 4, 0, 0, 0, 0] + large) else {
      Issue.record("extents [0, 2^32 - 1, 2^32 - 1, 2^32 - 1] were accepted")
      return
    }
  }

  @Test("Files that cannot be opened or hold nothing are errors of their own")
  func files() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path + "/none"
    #expect(
      try dataError { try IDXFile.read(missing) }
        == .missingFile(lookedFor: [missing]))
    for name in ["empty", "empty.gz"] {
      let path = try folder.file(name, [])
      #expect(try dataError { try IDXFile.read(path) } == .emptyFile(file: path))
    }
    let directory = folder.path
    guard
      case .unreadable(directory, let reason) = try dataError({ try IDXFile.read(directory) })
    else {
      Issue.record("a folder was read")
      return
    }
    #expect(!reason.isEmpty)
    let unmarked = try folder.file("a-idx1", Gzip.compressed([0, 0, 8, 0, 1]))
    #expect(
      try dataError { try IDXFile.read(unmarked) } == .unmarkedGzip(file: unmarked))
    let unpacked = try folder.file("a-idx1.gz", [0, 0, 8, 0, 1])
    #expect(
      try dataError { try IDXFile.read(unpacked) }
        == .notGzip(file: unpacked, firstBytes: [0, 0]))
  }

  @Test("A type without a place in IDX and a folder that is not there are errors when writing")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a"
    #expect(
      try dataError { try IDXFile.write(HostArray([1, 2] as [Int64]), to: path) }
        == .unwritableElementType(file: path, elementType: .int64))
    let nowhere = folder.path + "/none/a"
    guard
      case .unwritable(nowhere, _) = try dataError({
        try IDXFile.write(HostArray([1] as [UInt8]), to: nowhere)
      })
    else {
      Issue.record("a file was written into a folder that does not exist")
      return
    }
  }
}
