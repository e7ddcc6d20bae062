/// A scalar or vector type by what it holds, so that types with different ids can be compared and cast.
struct NumericType: Hashable {
  /// What a component is.
  enum Kind: Hashable {
    case boolean, signed, unsigned, float
  }

  /// What a component is.
  var kind: Kind
  /// The bits of a component; 1 for truth values.
  var width: Int
  /// The number of components; 1 for a scalar, 8 or 16 for a matrix.
  var count: Int = 1

  /// One component.
  var scalar: Self { Self(kind: kind, width: width) }
  /// The unsigned integer with as many bits and components.
  var unsigned: Self { Self(kind: .unsigned, width: width, count: count) }
  /// The signed integer with as many bits and components.
  var signed: Self { Self(kind: .signed, width: width, count: count) }
  /// Whether components are integers.
  var isInteger: Bool { kind == .signed || kind == .unsigned }
  /// Whether components are numbers that OpenCL C 1.2 without extensions can only store.
  var isHalf: Bool { kind == .float && width == 16 }
  /// The bytes of a component in memory.
  var componentByteCount: Int { kind == .boolean ? 4 : width / 8 }

  /// The name in OpenCL C.
  ///
  /// There are no vectors of `bool`: they are vectors of `int`, 0 or -1, as comparisons give them. Numbers of
  /// half precision are carried as their bits, since without `cl_khr_fp16` only memory can hold a `half`.
  var name: String {
    let scalarName =
      switch (kind, width) {
      case (.boolean, _): count == 1 ? "bool" : "int"
      case (.float, 16): "ushort"
      case (.float, 64): "double"
      case (.float, _): "float"
      case (.signed, 8): "char"
      case (.signed, 16): "short"
      case (.signed, 64): "long"
      case (.signed, _): "int"
      case (.unsigned, 8): "uchar"
      case (.unsigned, 16): "ushort"
      case (.unsigned, 64): "ulong"
      case (.unsigned, _): "uint"
      }
    return count == 1 ? scalarName : "\(scalarName)\(count)"
  }
}

extension SPIRVModule {
  /// Type `id` as a scalar or vector, or nil when it is neither.
  ///
  /// Matrices of 2 or 4 columns of four floats are the vectors of 8 and 16 that GLSL does not have.
  func numeric(_ id: UInt32) -> NumericType? {
    switch types[id] {
    case .bool: NumericType(kind: .boolean, width: 1)
    case .integer(let width, let isSigned): NumericType(kind: isSigned ? .signed : .unsigned, width: width)
    case .float(let width): NumericType(kind: .float, width: width)
    case .vector(let component, let count):
      numeric(component).map { NumericType(kind: $0.kind, width: $0.width, count: count) }
    case .matrix(let column, let count):
      numeric(column).flatMap {
        $0.kind == .float && $0.width == 32 && $0.count == 4 && count != 3
          ? NumericType(kind: .float, width: 32, count: 4 * count) : nil
      }
    default: nil
    }
  }

  /// Whether type `id` is a matrix.
  func isMatrix(_ id: UInt32) -> Bool { if case .matrix? = types[id] { true } else { false } }
}
