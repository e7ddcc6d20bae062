import HeklaArrays
import HeklaData
import Testing

@Suite("NIfTI files")
struct NIfTIFileTests {
  /// A header of 352 bytes, written by hand from the format's table, in either byte order.
  struct Header {
    var isBigEndian = false
    var dimensions: [Int16] = [3, 2, 3, 1, 1, 1, 1, 1]
    var datatype: Int16 = 2
    var bits: Int16 = 8
    var offset: Float = 352
    var slope: Float = 0
    var intercept: Float = 0
    var magic: [UInt8] = [0x6e, 0x2b, 0x31, 0]

    var bytes: [UInt8] {
      var bytes = [UInt8](repeating: 0, count: 352)
      put(Int32(348), at: 0, of: &bytes)
      for (index, extent) in dimensions.enumerated() { put(extent, at: 40 + 2 * index, of: &bytes) }
      put(datatype, at: 70, of: &bytes)
      put(bits, at: 72, of: &bytes)
      for (place, number) in [(108, offset), (112, slope), (116, intercept)] {
        put(number.bitPattern, at: place, of: &bytes)
      }
      bytes.replaceSubrange(344..<348, with: magic)
      return bytes
    }

    func put(_ number: some FixedWidthInteger, at offset: Int, of bytes: inout [UInt8]) {
      let stored = isBigEndian ? number.bigEndian : number.littleEndian
      withUnsafeBytes(of: stored) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    func elements(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
      numbers.flatMap { number in
        withUnsafeBytes(of: isBigEndian ? number.bigEndian : number.littleEndian) { Array($0) }
      }
    }
  }

  static func error(_ bytes: [UInt8]) throws -> DataError {
    try dataError { try NIfTIFile.decoded(bytes, named: "a") }
  }

  /// Six numbers of each type in a file of 2 x 3 x 1, which is [1, 3, 2] in row-major order.
  static func file(_ type: Int, isBigEndian: Bool) -> (bytes: [UInt8], array: HostArray) {
    var header = Header(isBigEndian: isBigEndian)
    let shape: Shape = [1, 3, 2]
    switch type {
    case 2:
      let numbers: [UInt8] = [0, 1, 127, 128, 254, 255]
      return (header.bytes + numbers, HostArray(numbers, shape: shape))
    case 4:
      (header.datatype, header.bits) = (4, 16)
      let numbers: [Int16] = [0, 1, -2, .max, .min, 258]
      return (header.bytes + header.elements(numbers), HostArray(numbers.map(Int32.init), shape: shape))
    case 512:
      (header.datatype, header.bits) = (512, 16)
      let numbers: [UInt16] = [0, 1, 2, .max, 32768, 258]
      return (header.bytes + header.elements(numbers), HostArray(numbers.map(Int32.init), shape: shape))
    case 8:
      (header.datatype, header.bits) = (8, 32)
      let numbers: [Int32] = [0, 1, -2, .max, .min, 0x0102_0304]
      return (header.bytes + header.elements(numbers), HostArray(numbers, shape: shape))
    case 16:
      (header.datatype, header.bits) = (16, 32)
      let numbers: [Float] = [0, -0.0, 1.5, -.infinity, .leastNonzeroMagnitude, 0x1.921fb6p1]
      return (header.bytes + header.elements(numbers.map(\.bitPattern)), HostArray(numbers, shape: shape))
    default:
      (header.datatype, header.bits) = (64, 64)
      let numbers: [Double] = [0, -0.0, 1.5, -.infinity, .leastNonzeroMagnitude, .pi]
      return (header.bytes + header.elements(numbers.map(\.bitPattern)), HostArray(numbers, shape: shape))
    }
  }

  @Test(
    "Every element type is read in both byte orders, plain and compressed", arguments: [2, 4, 8, 16, 64, 512])
  func types(type: Int) throws {
    let folder = try TemporaryFolder()
    for isBigEndian in [false, true] {
      let (bytes, array) = Self.file(type, isBigEndian: isBigEndian)
      #expect(try NIfTIFile.read(folder.file("a.nii", bytes)) == array)
      #expect(try NIfTIFile.read(folder.file("a.nii.gz", Gzip.compressed(bytes))) == array)
    }
  }

  @Test("What is written is read, and has the bytes of the format")
  func write() throws {
    let folder = try TemporaryFolder()
    for type in [2, 8, 16, 64] {
      let array = Self.file(type, isBigEndian: false).array
      for name in ["/b.nii", "/b.nii.gz"] {
        try NIfTIFile.write(array, to: folder.path + name)
        #expect(try NIfTIFile.read(folder.path + name) == array)
      }
    }
    let deep = HostArray((0..<48).map { Float($0) }, shape: [2, 1, 3, 2, 1, 2, 2])
    let bytes = try NIfTIFile.encoded(deep, named: "b")
    #expect(try NIfTIFile.decoded(bytes, named: "b") == deep)
    #expect(Array(bytes[0..<4]) == [0x5c, 1, 0, 0] && Array(bytes[40..<46]) == [7, 0, 2, 0, 2, 0])
    #expect(
      try dataError { try NIfTIFile.encoded(HostArray([1, 2] as [Int64]), named: "b") }
        == .unwritableElementType(file: "b", elementType: .int64))
    for shape: Shape in [[], [0], [40000, 1]] {
      guard
        case .unwritable("b", _) = try dataError({
          try NIfTIFile.encoded(HostArray(zeros: shape, of: .uint8), named: "b")
        })
      else {
        Issue.record("\(shape) was written")
        return
      }
    }
  }

  @Test("A slope and an intercept change values, and are left out where they say nothing")
  func scaling() throws {
    let numbers: [UInt8] = [0, 1, 2, 3, 4, 255]
    func read(_ slope: Float, _ intercept: Float, isBigEndian: Bool = false) throws -> HostArray {
      let header = Header(isBigEndian: isBigEndian, slope: slope, intercept: intercept)
      return try NIfTIFile.decoded(header.bytes + numbers, named: "a")
    }
    let plain = HostArray(numbers, shape: [1, 3, 2])
    let scaled = HostArray(numbers.map { 0.5 * Double($0) - 3 }, shape: [1, 3, 2])
    #expect(try read(0.5, -3) == scaled)
    #expect(try read(0.5, -3, isBigEndian: true) == scaled)
    #expect(try read(1, 2) == HostArray(numbers.map { Double($0) + 2 }, shape: [1, 3, 2]))
    // Writers put 0 or NaN where nothing is scaled.
    for (slope, intercept) in [(1, 0), (0, 7), (Float.nan, 7), (.infinity, 0)] as [(Float, Float)] {
      #expect(try read(slope, intercept) == plain)
    }
    #expect(
      try dataError { try read(2, .nan) }
        == .malformedNIfTI(
          file: "a", byteOffset: 116, problem: "values have a slope, and an intercept of nan"))
  }

  @Test("Extensions between header and elements are skipped, and any rank is kept")
  func layout() throws {
    var header = Header(dimensions: [5, 2, 1, 1, 1, 3, 0, 0], offset: 368)
    let bytes = header.bytes + [UInt8](repeating: 9, count: 16) + [1, 2, 3, 4, 5, 6]
    #expect(
      try NIfTIFile.decoded(bytes, named: "a")
        == HostArray([1, 2, 3, 4, 5, 6] as [UInt8], shape: [3, 1, 1, 1, 2]))
    header.dimensions = [1, 6, 0, 0, 0, 0, 0, 0]
    #expect(try NIfTIFile.decoded(header.bytes + [UInt8](repeating: 9, count: 22), named: "a").shape == [6])
  }

  @Test("A file cut short anywhere, or too long, is an error that says how many bytes there should be")
  func lengths() throws {
    let contents = Self.file(4, isBigEndian: false).bytes
    for count in 0..<contents.count {
      let expected = count < 4 ? 348 : count < 352 ? 352 : 364
      #expect(
        try Self.error(Array(contents.prefix(count)))
          == .truncated(file: "a", expectedByteCount: expected, foundByteCount: count))
    }
    #expect(
      try Self.error(contents + [0]) == .trailingBytes(file: "a", expectedByteCount: 364, foundByteCount: 365)
    )
  }

  @Test("Headers that lie are errors that say where")
  func hostile() throws {
    func malformed(_ offset: Int, _ problem: String) -> DataError {
      .malformedNIfTI(file: "a", byteOffset: offset, problem: problem)
    }
    for isBigEndian in [false, true] {
      func error(_ change: (inout Header) -> Void) throws -> DataError {
        var header = Header(isBigEndian: isBigEndian)
        change(&header)
        return try Self.error(header.bytes + [0, 0, 0, 0, 0, 0])
      }
      for rank: Int16 in [0, 8, -1, .max] {
        #expect(
          try error { $0.dimensions[0] = rank } == malformed(40, "the number of axes is \(rank), not 1 to 7"))
      }
      for extent: Int16 in [0, -1, .min] {
        #expect(try error { $0.dimensions[2] = extent } == malformed(44, "the extent of axis 2 is \(extent)"))
      }
      #expect(try error { $0.datatype = 128 } == .unsupportedNIfTIType(file: "a", datatype: 128))
      #expect(try error { $0.datatype = -1 } == .unsupportedNIfTIType(file: "a", datatype: -1))
      #expect(try error { $0.bits = 16 } == malformed(72, "elements have 16 bits, and the type has 8"))
      for offset: Float in [0, 351, 352.5, -352, .nan, .infinity, 0x1p63] {
        #expect(
          try error { $0.offset = offset }
            == malformed(
              108, "elements begin at byte \(Double(offset)), not at a whole number from 352 on"))
      }
      guard case .truncated = try error({ $0.offset = 0x1p61 }) else {
        Issue.record("an offset of 2^61 was accepted")
        return
      }
      #expect(
        try error { $0.dimensions = [7] + [Int16](repeating: .max, count: 7) }
          == .sizeOverflow(file: "a", extents: [Int](repeating: 32767, count: 7)))
      guard case .truncated = try error({ $0.dimensions = [3, .max, .max, .max, 1, 1, 1, 1] }) else {
        Issue.record("35 TB were accepted")
        return
      }
      guard case .malformedNIfTI("a", 344, let pair) = try error({ $0.magic = [0x6e, 0x69, 0x31, 0] }),
        case .malformedNIfTI("a", 344, let none) = try error({ $0.magic = [0, 0, 0, 0] })
      else {
        Issue.record("a magic number was accepted")
        return
      }
      #expect(pair.contains(".img") && none.contains("n+1"))
    }
    // NIfTI-2 begins with 540, other files with anything.
    #expect(
      try Self.error([0x1c, 2, 0, 0] + [UInt8](repeating: 0, count: 540))
        == .notNIfTI(file: "a", firstBytes: [0x1c, 2, 0, 0]))
  }
}
