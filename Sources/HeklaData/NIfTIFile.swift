import HeklaArrays

/// Medical images in the NIfTI-1 format, one file each: `.nii`, or `.nii.gz` compressed.
///
/// A header of 348 bytes in the byte order of the machine that wrote it, extensions, which are skipped, then the
/// elements, the first coordinate varying fastest; see <https://nifti.nimh.nih.gov/nifti-1>. An array's shape has the
/// coordinates the other way round, so a file of 240 x 240 x 155 x 4 is read as `[4, 155, 240, 240]`: channels,
/// then slices, rows and columns. Where the grid lies in space is not read.
///
/// | `datatype` | element | read as |
/// |---|---|---|
/// | 2 | unsigned byte | `uint8` |
/// | 4, 512 | 16-bit integer, unsigned 16-bit integer | `int32` |
/// | 8 | 32-bit integer | `int32` |
/// | 16, 64 | 32-bit, 64-bit floating point | `float32`, `float64` |
///
/// Where the header has a slope for values, other than 0 and not NaN, elements are multiplied by it and the intercept
/// is added; the array is `float64` then. A slope of 1 with an intercept of 0 changes nothing.
public enum NIfTIFile {
  /// The array in the file at `path`.
  public static func read(_ path: String) throws(DataError) -> HostArray {
    try decoded(try FileContents.read(path), named: path)
  }

  /// Writes `array`, of type `uint8`, `int32`, `float32` or `float64` and rank 1 to 7, to `path` in place of what was
  /// there.
  public static func write(_ array: HostArray, to path: String) throws(DataError) {
    try FileContents.write(try encoded(array, named: path), to: path)
  }

  /// The array in `bytes`, which are the unpacked contents of a NIfTI file.
  /// - Parameters:
  ///   - bytes: All bytes of the file.
  ///   - name: What errors call the file.
  public static func decoded(_ bytes: [UInt8], named name: String) throws(DataError) -> HostArray {
    let header = try NIfTIHeader(bytes, file: name)
    let format = header.format
    guard let byteCount = product(of: header.extents, times: format.byteCount, plus: header.elementsOffset)
    else {
      throw .sizeOverflow(file: name, extents: header.extents)
    }
    guard bytes.count >= byteCount else {
      throw .truncated(file: name, expectedByteCount: byteCount, foundByteCount: bytes.count)
    }
    guard bytes.count == byteCount else {
      throw .trailingBytes(file: name, expectedByteCount: byteCount, foundByteCount: bytes.count)
    }
    let array = bytes.withUnsafeBytes { all in
      format.array(
        from: UnsafeRawBufferPointer(rebasing: all[header.elementsOffset...]),
        shape: Shape(header.extents.reversed()), isBigEndian: header.isBigEndian)
    }
    guard let (slope, intercept) = header.scaling else { return array }
    return HostArray(array.doubles().map { slope * $0 + intercept }, shape: array.shape)
  }

  /// The bytes of a little-endian NIfTI file that holds `array`, with a grid of 1 mm.
  /// - Parameters:
  ///   - array: What to write, of type `uint8`, `int32`, `float32` or `float64` and rank 1 to 7.
  ///   - name: What errors call the file.
  public static func encoded(_ array: HostArray, named name: String) throws(DataError) -> [UInt8] {
    let formats: [ElementType: NIfTIHeader.Format] = [
      .uint8: .uint8, .int32: .int32, .float32: .float32, .float64: .float64,
    ]
    guard let format = formats[array.elementType] else {
      throw .unwritableElementType(file: name, elementType: array.elementType)
    }
    let extents = array.shape.extents.reversed()
    guard (1...7).contains(extents.count), extents.allSatisfy({ (1...Int(Int16.max)).contains($0) }) else {
      throw .unwritable(file: name, reason: "shape \(array.shape) does not fit the header of NIfTI-1")
    }
    var bytes = [UInt8](repeating: 0, count: NIfTIHeader.leastOffset)
    bytes.reserveCapacity(bytes.count + array.byteCount)
    func put(_ number: some FixedWidthInteger, at offset: Int) {
      withUnsafeBytes(of: number.littleEndian) {
        bytes.replaceSubrange(offset..<(offset + $0.count), with: $0)
      }
    }
    put(Int32(NIfTIHeader.byteCount), at: 0)
    let dimensions = [extents.count] + extents + [Int](repeating: 1, count: 7 - extents.count)
    for (index, extent) in dimensions.enumerated() {
      put(Int16(extent), at: 40 + 2 * index)
      put(Float(1).bitPattern, at: 76 + 4 * index)
    }
    put(format.rawValue, at: 70)
    put(Int16(8 * format.byteCount), at: 72)
    put(Float(NIfTIHeader.leastOffset).bitPattern, at: 108)
    put(Float(1).bitPattern, at: 112)
    // Millimetres.
    bytes[123] = 2
    bytes.replaceSubrange(344..<348, with: NIfTIHeader.magic)
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    return bytes
  }
}

/// The parts of a NIfTI-1 header that say what the elements are.
struct NIfTIHeader {
  /// The elements that are read, by their code.
  enum Format: Int16, CaseIterable {
    case uint8 = 2
    case int16 = 4
    case int32 = 8
    case float32 = 16
    case float64 = 64
    case uint16 = 512
  }

  static let byteCount = 348
  /// The header, and four bytes that say whether extensions follow.
  static let leastOffset = 352
  static let magic: [UInt8] = Array("n+1\0".utf8)

  let isBigEndian: Bool
  /// The extents, the fastest first.
  let extents: [Int]
  let format: Format
  let elementsOffset: Int
  /// What values are multiplied with, and what is added; nil where they stay.
  let scaling: (slope: Double, intercept: Double)?

  /// Reads the header of `bytes`, which errors call `file`.
  init(_ bytes: [UInt8], file: String) throws(DataError) {
    func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type, at offset: Int) -> Number {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }
    func malformed(_ byteOffset: Int, _ problem: String) -> DataError {
      .malformedNIfTI(file: file, byteOffset: byteOffset, problem: problem)
    }
    // The first number is the header's size, which tells the byte order.
    guard bytes.count >= 4 else {
      throw .truncated(file: file, expectedByteCount: Self.byteCount, foundByteCount: bytes.count)
    }
    let size = number(Int32.self, at: 0)
    guard Int32(Self.byteCount) == size.littleEndian || Int32(Self.byteCount) == size.bigEndian else {
      throw .notNIfTI(file: file, firstBytes: Array(bytes.prefix(4)))
    }
    guard bytes.count >= Self.leastOffset else {
      throw .truncated(file: file, expectedByteCount: Self.leastOffset, foundByteCount: bytes.count)
    }
    let isBigEndian = Int32(Self.byteCount) == size.bigEndian
    self.isBigEndian = isBigEndian
    func short(_ offset: Int) -> Int16 {
      let stored = number(Int16.self, at: offset)
      return isBigEndian ? stored.bigEndian : stored.littleEndian
    }
    func float(_ offset: Int) -> Double {
      let stored = number(UInt32.self, at: offset)
      return Double(Float(bitPattern: isBigEndian ? stored.bigEndian : stored.littleEndian))
    }
    let magic = Array(bytes[344..<348])
    guard magic == Self.magic else {
      throw malformed(
        344,
        magic == Array("ni1\0".utf8)
          ? "its elements are in a file .img of their own, and only single files are read"
          : "the mark of the format, n+1 and a zero, is not there")
    }
    let rank = Int(short(40))
    guard (1...7).contains(rank) else { throw malformed(40, "the number of axes is \(rank), not 1 to 7") }
    extents = (1...rank).map { Int(short(40 + 2 * $0)) }
    if let axis = extents.firstIndex(where: { $0 < 1 }) {
      throw malformed(42 + 2 * axis, "the extent of axis \(axis + 1) is \(extents[axis])")
    }
    guard let format = Format(rawValue: short(70)) else {
      throw .unsupportedNIfTIType(file: file, datatype: Int(short(70)))
    }
    self.format = format
    guard Int(short(72)) == 8 * format.byteCount else {
      throw malformed(72, "elements have \(short(72)) bits, and the type has \(8 * format.byteCount)")
    }
    let offset = float(108)
    // The least that is no offset into any memory, and exact as a float.
    guard offset >= Double(Self.leastOffset), offset < 0x1p62, offset == offset.rounded() else {
      throw malformed(
        108, "elements begin at byte \(offset), not at a whole number from \(Self.leastOffset) on")
    }
    elementsOffset = Int(offset)
    let (slope, intercept) = (float(112), float(116))
    guard slope.isFinite, slope != 0 else {
      scaling = nil
      return
    }
    guard intercept.isFinite else {
      throw malformed(116, "values have a slope, and an intercept of \(intercept)")
    }
    scaling = slope == 1 && intercept == 0 ? nil : (slope, intercept)
  }
}

extension NIfTIHeader.Format {
  var byteCount: Int {
    switch self {
    case .uint8: 1
    case .int16, .uint16: 2
    case .int32, .float32: 4
    case .float64: 8
    }
  }

  /// The elements in `bytes`, as many as `shape` has.
  func array(from bytes: UnsafeRawBufferPointer, shape: Shape, isBigEndian: Bool) -> HostArray {
    func numbers<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> [Number] {
      stride(from: 0, to: bytes.count, by: MemoryLayout<Number>.size).map {
        let stored = bytes.loadUnaligned(fromByteOffset: $0, as: type)
        return isBigEndian ? stored.bigEndian : stored.littleEndian
      }
    }
    switch self {
    case .uint8: return HostArray(numbers(UInt8.self), shape: shape)
    case .int16: return HostArray(numbers(Int16.self).map(Int32.init), shape: shape)
    case .uint16: return HostArray(numbers(UInt16.self).map(Int32.init), shape: shape)
    case .int32: return HostArray(numbers(Int32.self), shape: shape)
    case .float32: return HostArray(numbers(UInt32.self).map(Float.init(bitPattern:)), shape: shape)
    case .float64: return HostArray(numbers(UInt64.self).map(Double.init(bitPattern:)), shape: shape)
    }
  }
}
