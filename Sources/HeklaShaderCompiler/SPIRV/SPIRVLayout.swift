/// The sizes of a module's types in bytes.
struct SPIRVLayout {
  /// The module whose types are asked for.
  let module: SPIRVModule
  /// Its constants, for the lengths of arrays.
  let constants: SpecializedConstants

  /// The length of the array whose type has length constant `id`.
  func arrayLength(_ id: UInt32) -> Int { constants.integer(id) ?? 0 }

  /// The bytes from the start of a value in a buffer to the end of its last scalar, by offsets and strides.
  func byteCount(of type: UInt32) -> Int {
    switch module.types[type] {
    case .array(let element, let length):
      let count = arrayLength(length)
      return count == 0 ? 0 : (count - 1) * arrayStride(of: type) + byteCount(of: element)
    case .structure(let members):
      return members.indices.map { offset(of: $0, in: type) + byteCount(of: members[$0]) }.max() ?? 0
    default: return packedByteCount(of: type)
    }
  }

  /// The bytes of a value whose parts lie one behind the other, as shared memory is counted.
  func packedByteCount(of type: UInt32) -> Int {
    switch module.types[type] {
    case .bool: 4
    case .integer(let width, _), .float(let width): width / 8
    case .vector(let part, let count), .matrix(let part, let count): packedByteCount(of: part) * count
    case .array(let element, let length): packedByteCount(of: element) * arrayLength(length)
    case .structure(let members): members.reduce(0) { $0 + packedByteCount(of: $1) }
    default: 0
    }
  }

  /// The bytes from one element of array type `type` to the next.
  func arrayStride(of type: UInt32) -> Int {
    if let stride = module.decoration(.arrayStride, of: type)?.first { return Int(stride) }
    switch module.types[type] {
    case .array(let element, _), .runtimeArray(let element): return packedByteCount(of: element)
    default: return 0
    }
  }

  /// The byte at which member `member` of structure type `type` starts.
  func offset(of member: Int, in type: UInt32) -> Int {
    Int(module.decoration(.offset, of: type, member: member)?.first ?? 0)
  }
}
