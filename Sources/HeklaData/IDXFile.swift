import HeklaArrays

/// Files in the IDX format, in which MNIST and its relatives come: one array of any rank.
///
/// Two zero bytes, the element type, the rank, the extents as big-endian 32-bit numbers, then the elements,
/// big-endian and in row-major order; see <http://yann.lecun.com/exdb/mnist/>. A name that ends in `.gz`
/// stands for a compressed file.
///
/// | byte 2 | element | read as |
/// |---|---|---|
/// | `08` | unsigned byte | `uint8` |
/// | `09` | signed byte | `int32` |
/// | `0b` | 16-bit integer | `int32` |
/// | `0c` | 32-bit integer | `int32` |
/// | `0d` | 32-bit floating point | `float32` |
/// | `0e` | 64-bit floating point | `float64` |
public enum IDXFile {
  /// The array in the file at `path`.
  public static func read(_ path: String) throws(DataError) -> HostArray {
    try decoded(try FileContents.read(path), named: path)
  }

  /// Writes `array`, of type `uint8`, `int32`, `float32` or `float64`, to `path` in place of what was there.
  public static func write(_ array: HostArray, to path: String) throws(DataError) {
    try FileContents.write(try encoded(array, named: path), to: path)
  }

  /// The array in `bytes`, which are the unpacked contents of an IDX file.
  /// - Parameters:
  ///   - bytes: All bytes of the file.
  ///   - name: What errors call the file.
  public static func decoded(_ bytes: [UInt8], named name: String) throws(DataError) -> HostArray {
    guard bytes.prefix(2).allSatisfy({ $0 == 0 }) else {
      throw .wrongMagic(file: name, firstBytes: Array(bytes.prefix(4)))
    }
    guard bytes.count >= 4 else {
      throw .truncated(file: name, expectedByteCount: 4, foundByteCount: bytes.count)
    }
    guard let format = ElementFormat(rawValue: bytes[2]) else {
      throw .unsupportedElementType(file: name, code: bytes[2])
    }
    let headerByteCount = 4 + 4 * Int(bytes[3])
    guard bytes.count >= headerByteCount else {
      throw .truncated(file: name, expectedByteCount: headerByteCount, foundByteCount: bytes.count)
    }
    let extents = stride(from: 4, to: headerByteCount, by: 4).map { offset in
      bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    guard let contentsByteCount = product(of: extents, times: format.byteCount, plus: headerByteCount) else {
      throw .sizeOverflow(file: name, extents: extents)
    }
    guard bytes.count >= contentsByteCount else {
      throw .truncated(file: name, expectedByteCount: contentsByteCount, foundByteCount: bytes.count)
    }
    guard bytes.count == contentsByteCount else {
      throw .trailingBytes(file: name, expectedByteCount: contentsByteCount, foundByteCount: bytes.count)
    }
    return bytes.withUnsafeBytes { all in
      format.array(from: UnsafeRawBufferPointer(rebasing: all[headerByteCount...]), shape: Shape(extents))
    }
  }

  /// The bytes of an IDX file that holds `array`, of type `uint8`, `int32`, `float32` or `float64`.
  /// - Parameters:
  ///   - array: What to write.
  ///   - name: What errors call the file.
  public static func encoded(_ array: HostArray, named name: String) throws(DataError) -> [UInt8] {
    guard let format = ElementFormat(writing: array.elementType) else {
      throw .unwritableElementType(file: name, elementType: array.elementType)
    }
    guard array.shape.rank <= 255, array.shape.extents.allSatisfy({ $0 <= Int(UInt32.max) }) else {
      throw .unwritable(file: name, reason: "shape \(array.shape) does not fit the header of IDX")
    }
    var bytes: [UInt8] = [0, 0, format.rawValue, UInt8(array.shape.rank)]
    bytes.reserveCapacity(4 + 4 * array.shape.rank + array.byteCount)
    for extent in array.shape.extents { appendBigEndian(UInt32(extent), to: &bytes) }
    switch format {
    case .unsignedByte, .signedByte, .short: array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    case .int: for value in array.elements(as: Int32.self) { appendBigEndian(value, to: &bytes) }
    case .float: for value in array.elements(as: Float.self) { appendBigEndian(value.bitPattern, to: &bytes) }
    case .double:
      for value in array.elements(as: Double.self) { appendBigEndian(value.bitPattern, to: &bytes) }
    }
    return bytes
  }
}

/// The third byte of an IDX file.
private enum ElementFormat: UInt8 {
  case unsignedByte = 0x08
  case signedByte = 0x09
  case short = 0x0b
  case int = 0x0c
  case float = 0x0d
  case double = 0x0e

  /// The format that holds `type` exactly.
  init?(writing type: ElementType) {
    switch type {
    case .uint8: self = .unsignedByte
    case .int32: self = .int
    case .float32: self = .float
    case .float64: self = .double
    case .float16, .bfloat16, .uint32, .int64, .bool: return nil
    }
  }

  var byteCount: Int {
    switch self {
    case .unsignedByte, .signedByte: 1
    case .short: 2
    case .int, .float: 4
    case .double: 8
    }
  }

  /// The elements in `bytes`, as many as `shape` has.
  func array(from bytes: UnsafeRawBufferPointer, shape: Shape) -> HostArray {
    switch self {
    case .unsignedByte:
      var array = HostArray(zeros: shape, of: .uint8)
      array.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
      return array
    case .signedByte:
      return HostArray(bytes.map { Int32(Int8(bitPattern: $0)) }, shape: shape)
    case .short:
      return HostArray(bigEndianNumbers(in: bytes, as: Int16.self).map(Int32.init), shape: shape)
    case .int:
      return HostArray(bigEndianNumbers(in: bytes, as: Int32.self), shape: shape)
    case .float:
      return HostArray(
        bigEndianNumbers(in: bytes, as: UInt32.self).map(Float.init(bitPattern:)), shape: shape)
    case .double:
      return HostArray(
        bigEndianNumbers(in: bytes, as: UInt64.self).map(Double.init(bitPattern:)), shape: shape)
    }
  }
}

private func bigEndianNumbers<Number: FixedWidthInteger & BitwiseCopyable>(
  in bytes: UnsafeRawBufferPointer, as type: Number.Type
) -> [Number] {
  stride(from: 0, to: bytes.count, by: MemoryLayout<Number>.size).map {
    Number(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Number.self))
  }
}

private func appendBigEndian(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
}

/// The product of `extents` and `factor`, plus `addend`; nil where that overflows, or would if extents of
/// zero were one: then strides could not be computed.
func product(of extents: [Int], times factor: Int, plus addend: Int) -> Int? {
  var bound = factor
  for extent in extents {
    let (value, overflow) = bound.multipliedReportingOverflow(by: max(extent, 1))
    if overflow { return nil }
    bound = value
  }
  let (sum, overflow) = (extents.contains(0) ? 0 : bound).addingReportingOverflow(addend)
  return overflow ? nil : sum
}
