import HeklaDevices

/// A place in a storage buffer or push constant block, as a byte offset.
struct ByteOffset {
  /// The constant part in bytes.
  var constant = 0
  /// The indices and the bytes that each step of them is.
  var terms: [(index: OpenCLExpression, stride: Int)] = []
  /// The type of what lies there.
  var type: UInt32

  /// A power of two that divides every offset of this form, at most 16.
  var alignment: Int {
    var all = constant | 16
    for term in terms { all |= term.stride }
    return all & -all
  }
}

extension FunctionTranslator {
  /// A place in a storage buffer.
  struct Address {
    var buffer: OpenCLTranslator.StorageBuffer
    var name: String
    var offset: ByteOffset

    var regions: Set<OpenCLExpression.Region> {
      offset.terms.reduce(into: [.buffers]) { $0.formUnion($1.index.regions) }
    }
  }

  /// The way of `pointer` through its block, counted in bytes.
  func offset(of pointer: Pointer) throws(DeviceError) -> ByteOffset {
    var result = ByteOffset(type: pointer.variableType)
    for step in pointer.steps {
      let constant = program.constants.integer(step)
      let stride: Int
      switch module.types[result.type] {
      case .structure(let members):
        let member = constant ?? 0
        result.constant += program.layout.offset(of: member, in: result.type)
        result.type = members[member]
        continue
      case .array(let element, _), .runtimeArray(let element):
        stride = program.layout.arrayStride(of: result.type)
        result.type = element
      case .vector(let component, _):
        stride = program.layout.packedByteCount(of: component)
        result.type = component
      case .matrix: throw refusal.unsupported("matrix types", "Write the matrix as vectors or an array.")
      default: throw refusal.unsupported("an index into this type", "Use arrays, structures and vectors.")
      }
      if let constant {
        result.constant += constant * stride
      } else {
        result.terms.append((try value(step), stride))
      }
    }
    return result
  }

  /// The address of what `pointer` points to.
  func address(_ pointer: Pointer) throws(DeviceError) -> Address {
    guard let buffer = program.buffers[pointer.variable] else {
      throw refusal.unsupported("a uniform block", "Use storage buffers and push constants.")
    }
    return Address(buffer: buffer, name: buffer.name, offset: try offset(of: pointer))
  }

  /// What lies at `address`, of type `type`.
  func loadBuffer(_ address: Address, type: UInt32, isTop: Bool) throws(DeviceError) -> OpenCLExpression {
    if let numeric = module.numeric(type), !module.isMatrix(type) {
      if numeric.width == 64, numeric.kind == .float { types.noteDouble() }
      let regions = address.regions
      if let place = element(address, numeric) {
        return OpenCLExpression(place, numeric, precedence: .postfix, regions: regions)
      }
      if numeric.count > 1, numeric.count == 3 || !isAligned(address, numeric) {
        let text =
          "vload\(numeric.count)(0, (\(address.buffer.space) \(numeric.scalar.name) *)(\(bytes(address))))"
        return OpenCLExpression(text, numeric, regions: regions)
      }
      return OpenCLExpression(
        "*\(cast(address, to: numeric))", numeric, precedence: .prefix, regions: regions)
    }
    // The parts repeat the address, so its indices get names first.
    let fixed = isTop ? try withNamedIndices(address) : address
    var parts: [OpenCLExpression] = []
    for part in try self.parts(of: type) {
      parts.append(try loadBuffer(fixed.advanced(by: part.offset), type: part.type, isTop: false))
    }
    let isArray = if case .array? = module.types[type] { true } else { false }
    let list = parts.map(\.text).joined(separator: ", ")
    return OpenCLExpression(
      "(\(try types.name(type)))\(isArray ? "{{\(list)}}" : "{\(list)}")", nil, precedence: .postfix,
      regions: fixed.regions)
  }

  /// Writes the store of `value`, of type `type`, to `address`.
  func storeBuffer(_ value: OpenCLExpression, type: UInt32, to address: Address) throws(DeviceError) {
    if let numeric = module.numeric(type), !module.isMatrix(type) {
      if let place = element(address, numeric) {
        statements.append(.expression("\(place) = \(value.text)"))
      } else if numeric.count > 1, numeric.count == 3 || !isAligned(address, numeric) {
        let target = "(\(address.buffer.space) \(numeric.scalar.name) *)(\(bytes(address)))"
        statements.append(.expression("vstore\(numeric.count)(\(value.text), 0, \(target))"))
      } else {
        statements.append(.expression("*\(cast(address, to: numeric)) = \(value.text)"))
      }
      return
    }
    let fixed = try withNamedIndices(address)
    let name: String
    if value.isComplex {
      name = names.unique("t")
      statements.append(.declaration("const \(try types.name(type)) \(name) = \(value.text)"))
    } else {
      name = value.text
    }
    for part in try parts(of: type) {
      let piece = OpenCLExpression("\(name)\(part.access)", module.numeric(part.type), precedence: .postfix)
      try storeBuffer(piece, type: part.type, to: fixed.advanced(by: part.offset))
    }
  }

  /// A pointer to the integer at `address`, for atomics.
  func atomicPointer(_ address: Address, _ type: NumericType) -> String {
    "(volatile \(address.buffer.space) \(type.name) *)"
      + (element(address, type).map { "&\($0)" } ?? "(\(bytes(address)))")
  }

  private func parts(
    of type: UInt32
  ) throws(DeviceError) -> [(offset: Int, type: UInt32, access: String)] {
    switch module.types[type] {
    case .structure(let members):
      return members.indices.map {
        (program.layout.offset(of: $0, in: type), members[$0], ".\(types.member($0, of: type))")
      }
    case .array(let element, let length):
      let count = program.layout.arrayLength(length)
      guard count <= 64 else {
        throw refusal.unsupported(
          "copying an array of \(count) elements from or to a buffer at once",
          "Copy element by element in a loop.")
      }
      let stride = program.layout.arrayStride(of: type)
      return (0..<count).map { ($0 * stride, element, ".e[\($0)]") }
    default:
      throw refusal.unsupported(
        "a copy of this type from or to a buffer", "Copy scalars, vectors and structures.")
    }
  }

  private func withNamedIndices(_ address: Address) throws(DeviceError) -> Address {
    var result = address
    for index in result.offset.terms.indices {
      result.offset.terms[index].index = try reference(result.offset.terms[index].index, wish: "index")
    }
    return result
  }

  /// The element of a buffer that is an array of scalars or vectors, or nil where bytes have to be counted.
  private func element(_ address: Address, _ type: NumericType) -> String? {
    guard let element = address.buffer.element else { return nil }
    let size = element.componentByteCount * element.count
    var terms: [String] = []
    var component = ""
    for term in address.offset.terms {
      if term.stride == size {
        terms.append(term.index.text(atLeast: .sum))
      } else {
        return nil
      }
    }
    guard type == element || type == element.scalar, terms.count <= 1 else { return nil }
    let index = address.offset.constant / size
    let rest = address.offset.constant % size
    if type == element {
      guard rest == 0 else { return nil }
    } else {
      component = ".\(Self.components[rest / element.componentByteCount])"
    }
    if index > 0 || terms.isEmpty { terms.append("\(index)") }
    return "\(address.name)[\(terms.joined(separator: " + "))]\(component)"
  }

  private func isAligned(_ address: Address, _ type: NumericType) -> Bool {
    let size = type.componentByteCount * type.count
    return address.offset.alignment >= min(size, 16) && size <= 16
  }

  private func cast(_ address: Address, to type: NumericType) -> String {
    let name = address.buffer.isAliased && type.count == 1 ? program.aliased(type) : type.name
    return "(\(address.buffer.space) \(name) *)(\(bytes(address)))"
  }

  /// The address in bytes. Indices are widened first: a buffer may have more bytes than an index can count.
  private func bytes(_ address: Address) -> String {
    let base =
      address.buffer.element == nil ? address.name : "(\(address.buffer.space) uchar *)\(address.name)"
    var parts = [base]
    for term in address.offset.terms {
      parts.append("(size_t)\(term.index.text(atLeast: .prefix)) * \(term.stride)")
    }
    if address.offset.constant > 0 { parts.append("\(address.offset.constant)") }
    return parts.joined(separator: " + ")
  }
}

extension FunctionTranslator.Address {
  /// The address `byteCount` bytes further on.
  fileprivate func advanced(by byteCount: Int) -> Self {
    var result = self
    result.offset.constant += byteCount
    return result
  }
}
