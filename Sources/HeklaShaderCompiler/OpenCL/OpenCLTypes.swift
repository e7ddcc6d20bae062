import HeklaDevices

/// The C types of a module's types, with the definitions they need.
///
/// Arrays become structures with one member `e`, as C cannot assign or return arrays. These types hold values
/// in variables only; memory of storage buffers is reached by byte offsets.
final class OpenCLTypes {
  private let module: SPIRVModule
  private let layout: SPIRVLayout
  private let refusal: OpenCLRefusal
  private var names: [UInt32: String] = [:]
  private var arrays: [String: String] = [:]
  private var members: [UInt32: [String]] = [:]

  /// The type definitions, each behind those it needs.
  private(set) var definitions: [String] = []
  /// Whether a type or operation of double precision was met.
  private(set) var usesDouble = false
  /// The names at file scope.
  var fileNames = OpenCLNames()

  /// The types of `module`; what cannot be said is refused with `refusal`.
  init(_ module: SPIRVModule, layout: SPIRVLayout, refusal: OpenCLRefusal) {
    self.module = module
    self.layout = layout
    self.refusal = refusal
  }

  /// Notes that the program computes in double precision.
  func noteDouble() { usesDouble = true }

  /// The C name of type `id`.
  func name(_ id: UInt32) throws(DeviceError) -> String {
    if let numeric = module.numeric(id) {
      if numeric.kind == .float, numeric.width == 64 { usesDouble = true }
      return numeric.name
    }
    if let known = names[id] { return known }
    let name: String
    switch module.types[id] {
    case .void: return "void"
    case .array(let element, let length):
      let elementName = try self.name(element)
      let wish = "\(elementName)_x\(layout.arrayLength(length))"
      // One C type for all arrays alike, whatever their strides in buffers.
      if let known = arrays[wish] {
        name = known
      } else {
        name = fileNames.unique("array_\(wish)")
        arrays[wish] = name
        definitions.append("typedef struct { \(elementName) e[\(layout.arrayLength(length))]; } \(name);")
      }
    case .structure(let types):
      name = fileNames.unique(module.names[id].flatMap { $0.isEmpty ? nil : $0 } ?? "Structure")
      var lines: [String] = []
      for (index, type) in types.enumerated() {
        lines.append("  \(try self.name(type)) \(member(index, of: id));")
      }
      definitions.append("typedef struct {\n\(lines.joined(separator: "\n"))\n} \(name);")
    case .matrix:
      throw refusal.unsupported("matrix types", "Take 2 or 4 columns of 4 floats, or an array of vectors.")
    default: throw refusal.unsupported("the type of id \(id)", "Use scalars, vectors, arrays and structures.")
    }
    names[id] = name
    return name
  }

  /// The C name of member `index` of structure type `id`.
  func member(_ index: Int, of id: UInt32) -> String {
    if let known = members[id] { return known[index] }
    guard case .structure(let types)? = module.types[id] else { return "m\(index)" }
    var scope = OpenCLNames()
    let names = types.indices.map { scope.unique(module.memberNames[id]?[$0] ?? "m\($0)") }
    members[id] = names
    return names[index]
  }

  /// The bytes of a variable of type `id` in OpenCL C, where three components take the room of four.
  func byteCount(_ id: UInt32) -> Int { size(id).bytes }

  private func size(_ id: UInt32) -> (bytes: Int, alignment: Int) {
    if let numeric = module.numeric(id) {
      let component = numeric.kind == .boolean && numeric.count == 1 ? 1 : numeric.componentByteCount
      let bytes = component * (numeric.count == 3 ? 4 : numeric.count)
      return (bytes, bytes)
    }
    switch module.types[id] {
    case .array(let element, let length):
      let part = size(element)
      return (part.bytes * layout.arrayLength(length), part.alignment)
    case .structure(let types):
      var end = 0
      var alignment = 1
      for type in types {
        let part = size(type)
        end = (end + part.alignment - 1) / part.alignment * part.alignment + part.bytes
        alignment = max(alignment, part.alignment)
      }
      return ((end + alignment - 1) / alignment * alignment, alignment)
    default: return (0, 1)
    }
  }
}

/// Makes the errors for what OpenCL C 1.2 cannot say.
struct OpenCLRefusal {
  /// The kernel that is translated.
  var kernel: String

  /// The error that `feature` cannot be translated, with the remedy.
  func unsupported(_ feature: String, _ remedy: String) -> DeviceError {
    .unsupported(device: "OpenCL C 1.2", feature: "\(feature), which kernel '\(kernel)' uses", remedy: remedy)
  }

  /// The error that instruction `instruction` cannot be translated.
  func unsupported(_ instruction: SPIRVInstruction) -> DeviceError {
    let name = instruction.opcode?.specificationName ?? Self.extensionNames[instruction.code]
    return unsupported(
      "the SPIR-V instruction \(name ?? "number \(instruction.code)")",
      "Give this device a variant of the kernel that does without it.")
  }

  /// Instructions of extensions that kernels are known to use.
  private static let extensionNames: [UInt16: String] = [
    4421: "OpSubgroupBallotKHR", 5358: "OpTypeCooperativeMatrixNV",
    5359: "OpCooperativeMatrixLoadNV", 5360: "OpCooperativeMatrixStoreNV",
    5361: "OpCooperativeMatrixMulAddNV",
    5362: "OpCooperativeMatrixLengthNV", 4456: "OpTypeCooperativeMatrixKHR", 5614: "OpAtomicFMinEXT",
    5615: "OpAtomicFMaxEXT", 6035: "OpAtomicFAddEXT",
  ]
}
