/// The instructions of the set GLSL.std.450 whose form in OpenCL C needs no more than a line.
enum GLSLInstruction {
  /// How the operands are read.
  enum Operands {
    case float, signed, unsigned
  }

  /// The number of `Fma`.
  static let fma: UInt32 = 50

  /// Instructions that are one call of a built-in function.
  static let calls: [UInt32: (name: String, operands: Operands)] = [
    // Both round halves to even: GLSL leaves the direction to the device, and devices take this one.
    1: ("rint", .float), 2: ("rint", .float), 3: ("trunc", .float), 4: ("fabs", .float), 6: ("sign", .float),
    8: ("floor", .float), 9: ("ceil", .float), 11: ("radians", .float), 12: ("degrees", .float),
    13: ("sin", .float), 14: ("cos", .float), 15: ("tan", .float), 16: ("asin", .float), 17: ("acos", .float),
    18: ("atan", .float), 19: ("sinh", .float), 20: ("cosh", .float), 21: ("tanh", .float),
    22: ("asinh", .float),
    23: ("acosh", .float), 24: ("atanh", .float), 25: ("atan2", .float), 26: ("pow", .float),
    27: ("exp", .float),
    28: ("log", .float), 29: ("exp2", .float), 30: ("log2", .float), 31: ("sqrt", .float),
    32: ("rsqrt", .float),
    37: ("min", .float), 38: ("min", .unsigned), 39: ("min", .signed), 40: ("max", .float),
    41: ("max", .unsigned),
    42: ("max", .signed), 44: ("clamp", .unsigned), 45: ("clamp", .signed), 48: ("step", .float),
    49: ("smoothstep", .float), 50: ("fma", .float), 66: ("length", .float), 67: ("distance", .float),
    68: ("cross", .float), 69: ("normalize", .float), 79: ("fmin", .float), 80: ("fmax", .float),
  ]

  /// The names of the rest, for messages.
  static let otherNames: [UInt32: String] = [
    33: "Determinant", 34: "MatrixInverse", 70: "FaceForward", 71: "Reflect", 72: "Refract",
    76: "InterpolateAtCentroid", 77: "InterpolateAtSample", 78: "InterpolateAtOffset",
  ]
}
