import HeklaArrays

extension ElementType {
  /// What kernels that compute in this type are compiled with; nothing for `float32`, which is the default.
  var scalarDefines: [String: String] {
    switch self {
    case .float64: ["SCALAR": "double", "VECTOR": "dvec4", "WIDE": "1"]
    case .int32: ["SCALAR": "int"]
    case .uint32: ["SCALAR": "uint"]
    default: [:]
    }
  }
}
