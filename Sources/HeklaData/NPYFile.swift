import HeklaArrays

/// Files in NumPy's NPY format: one array of any rank.
///
/// Six bytes of magic, two of version, the length of a header, the header, which is the text of a Python dictionary,
/// then the elements, little-endian; see <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. A
/// name that ends in `.gz` stands for a compressed file.
///
/// | `descr` | element |
/// |---|---|
/// | `<f2`, `<f4`, `<f8` | `float16`, `float32`, `float64` |
/// | `<i4`, `<i8`, `<u4` | `int32`, `int64`, `uint32` |
/// | `\|u1`, `\|b1` | `uint8`, `bool` |
///
/// Others, such as records, pickled objects and big-endian numbers, are refused. Arrays in Fortran's order are read,
/// and brought into row-major order; none is written so.
public enum NPYFile {
  /// The array in the file at `path`.
  public static func read(_ path: String) throws(DataError) -> HostArray {
    try decoded(try FileContents.read(path), named: path)
  }

  /// Writes `array`, of any type but `bfloat16`, to `path` in place of what was there.
  public static func write(_ array: HostArray, to path: String) throws(DataError) {
    try FileContents.write(try encoded(array, named: path), to: path)
  }

  /// The array in `bytes`, which are the unpacked contents of an NPY file.
  /// - Parameters:
  ///   - bytes: All bytes of the file.
  ///   - name: What errors call the file.
  public static func decoded(_ bytes: [UInt8], named name: String) throws(DataError) -> HostArray {
    guard bytes.starts(with: magic.prefix(bytes.count)) else {
      throw .notNPY(file: name, firstBytes: Array(bytes.prefix(magic.count)))
    }
    guard bytes.count >= 8 else {
      throw .truncated(file: name, expectedByteCount: 8, foundByteCount: bytes.count)
    }
    // Version 1 has a length of two bytes; 2 has four; 3 differs from 2 only in what names of records may be.
    guard (1...3).contains(bytes[6]), bytes[7] == 0 else {
      throw .malformedNPY(
        file: name, byteOffset: 6, problem: "the version is \(bytes[6]).\(bytes[7]), not 1.0, 2.0 or 3.0")
    }
    let start = bytes[6] == 1 ? 10 : 12
    guard bytes.count >= start else {
      throw .truncated(file: name, expectedByteCount: start, foundByteCount: bytes.count)
    }
    let end = start + bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= end else {
      throw .truncated(file: name, expectedByteCount: end, foundByteCount: bytes.count)
    }
    let header = try NPYHeader(bytes[start..<end], file: name)
    guard let type = elementTypes.first(where: { $0.descr == header.descr })?.type else {
      throw .unsupportedNPYType(file: name, descr: header.descr)
    }
    guard let byteCount = product(of: header.extents, times: type.byteCount, plus: end) else {
      throw .sizeOverflow(file: name, extents: header.extents)
    }
    guard bytes.count >= byteCount else {
      throw .truncated(file: name, expectedByteCount: byteCount, foundByteCount: bytes.count)
    }
    guard bytes.count == byteCount else {
      throw .trailingBytes(file: name, expectedByteCount: byteCount, foundByteCount: bytes.count)
    }
    if type == .bool, let position = bytes[end...].firstIndex(where: { $0 > 1 }) {
      throw .malformedNPY(
        file: name, byteOffset: position, problem: "a truth value is \(bytes[position]), not 0 or 1")
    }
    var array = HostArray(zeros: Shape(header.extents), of: type)
    bytes.withUnsafeBytes { all in
      let elements = UnsafeRawBufferPointer(rebasing: all[end...])
      array.withUnsafeMutableBytes { target in
        if header.isFortranOrder {
          copy(columnMajor: elements, to: target, shape: Shape(header.extents), byteCount: type.byteCount)
        } else {
          target.copyMemory(from: elements)
        }
      }
    }
    return array
  }

  /// The bytes of an NPY file that holds `array`, of any type but `bfloat16`.
  /// - Parameters:
  ///   - array: What to write.
  ///   - name: What errors call the file.
  public static func encoded(_ array: HostArray, named name: String) throws(DataError) -> [UInt8] {
    guard let descr = elementTypes.first(where: { $0.type == array.elementType })?.descr else {
      throw .unwritableElementType(file: name, elementType: array.elementType)
    }
    let extents = array.shape.extents.map(String.init).joined(separator: ", ")
    let shape = array.shape.rank == 1 ? "(\(extents),)" : "(\(extents))"
    var header = Array("{'descr': '\(descr)', 'fortran_order': False, 'shape': \(shape), }".utf8)
    // Spaces and a line end, so that the elements start at a multiple of 64.
    let lengthByteCount = header.count + 64 <= Int(UInt16.max) ? 2 : 4
    let start = magic.count + 2 + lengthByteCount
    header += [UInt8](repeating: 0x20, count: 63 - (start + header.count) % 64) + [0x0a]
    var bytes = magic + [lengthByteCount == 2 ? 1 : 2, 0]
    bytes.reserveCapacity(start + header.count + array.byteCount)
    for index in 0..<lengthByteCount { bytes.append(UInt8(truncatingIfNeeded: header.count >> (8 * index))) }
    bytes += header
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    return bytes
  }

  private static let magic: [UInt8] = [0x93] + "NUMPY".utf8

  /// The types of the format that arrays have. Their bytes are the array's own: Hekla's machines are little-endian.
  private static let elementTypes: [(descr: String, type: ElementType)] = [
    ("<f2", .float16), ("<f4", .float32), ("<f8", .float64), ("<i4", .int32), ("<i8", .int64),
    ("<u4", .uint32),
    ("|u1", .uint8), ("|b1", .bool),
  ]

  /// Copies elements whose first coordinate varies fastest to where the last one does.
  private static func copy(
    columnMajor source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, shape: Shape,
    byteCount: Int
  ) {
    for index in 0..<shape.count {
      var (place, step) = (0, 1)
      for (coordinate, extent) in zip(shape.coordinates(ofIndex: index), shape.extents) {
        place += coordinate * step
        step *= extent
      }
      UnsafeMutableRawBufferPointer(rebasing: target[(index * byteCount)..<((index + 1) * byteCount)])
        .copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[(place * byteCount)..<((place + 1) * byteCount)]))
    }
  }
}
