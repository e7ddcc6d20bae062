import HeklaArrays
import HeklaDevices

/// The text of one generated shader.
struct GLSLLoopText {
  let loop: Loop
  let width: Int
  let count: Int
  private(set) var expression = GLSLExpression()

  init(_ loop: Loop, width: Int, count: Int) {
    self.loop = loop
    self.width = width
    self.count = count
  }

  /// The types that the text computes with.
  var types: Set<ElementType> { expression.types }

  // MARK: Whole shaders

  /// One invocation per point.
  mutating func perInvocation() throws(DeviceError) -> [String] {
    var main = [
      "uint index = \(groupNumber) * \(width)u + gl_LocalInvocationID.x;", "if (index >= \(count)u) return;",
    ]
    main += parallelCoordinates("index")
    if loop.accumulators.isEmpty {
      main += try body() + writes(prefix: "t")
    } else {
      main += loop.accumulators.indices.flatMap(accumulatorStart)
      for (number, extent) in loop.reductionExtents.enumerated() {
        let axis = loop.extents.count + number
        main.append("for (int i\(axis) = 0; i\(axis) < \(extent); ++i\(axis)) {")
      }
      main += try body()
      for index in loop.accumulators.indices {
        main.append(fold(index, "t\(loop.accumulators[index].value)", position))
      }
      main += loop.reductionExtents.map { _ in "}" }
      main += try epilogue() + writes(prefix: "e")
    }
    return header() + ["void main() {"] + main + ["}"]
  }

  /// One workgroup per point: each invocation folds every `width`-th element, then a tree in shared memory.
  mutating func sharedReduction() throws(DeviceError) -> [String] {
    let folded = loop.reductionExtents.reduce(1, *)
    var shared: [String] = []
    for (index, accumulator) in loop.accumulators.enumerated() {
      shared.append("shared \(GLSLExpression.name(of: accumulator.type)) s\(index)[\(width)];")
      if accumulator.fold.isPosition { shared.append("shared int p\(index)[\(width)];") }
    }
    // The grid may be larger than the domain; its spare groups repeat the last point and do not write.
    var main = ["uint group = \(groupNumber);", "uint index = min(group, \(count - 1)u);"]
    main += parallelCoordinates("index") + ["uint lane = gl_LocalInvocationID.x;"]
    main += loop.accumulators.indices.flatMap(accumulatorStart)
    main.append("for (uint r = lane; r < \(folded)u; r += \(width)u) {")
    main += coordinates("r", loop.reductionExtents, firstAxis: loop.extents.count)
    main += try body()
    for index in loop.accumulators.indices {
      main.append(fold(index, "t\(loop.accumulators[index].value)", "int(r)"))
    }
    main.append("}")
    for (index, accumulator) in loop.accumulators.enumerated() {
      main.append("s\(index)[lane] = a\(index);")
      if accumulator.fold.isPosition { main.append("p\(index)[lane] = b\(index);") }
    }
    main.append("barrier();")
    main.append("for (uint step = \(width / 2)u; step > 0u; step /= 2u) {")
    main.append("if (lane < step) {")
    for (index, accumulator) in loop.accumulators.enumerated() {
      main.append("a\(index) = s\(index)[lane];")
      if accumulator.fold.isPosition { main.append("b\(index) = p\(index)[lane];") }
      main.append(fold(index, "s\(index)[lane + step]", "p\(index)[lane + step]"))
      main.append("s\(index)[lane] = a\(index);")
      if accumulator.fold.isPosition { main.append("p\(index)[lane] = b\(index);") }
    }
    main += ["}", "barrier();", "}", "if (lane == 0u && group < \(count)u) {"]
    main += try epilogue() + writes(prefix: "e") + ["}"]
    return header() + shared + ["void main() {"] + main + ["}"]
  }

  // MARK: Parts

  private func header() -> [String] {
    let elements = Set(loop.reads.map(\.elementType) + loop.writes.map(\.elementType))
    var lines = ["#version 450", "#extension GL_GOOGLE_include_directive : require"]
    if !elements.isDisjoint(with: [.uint8, .bool]) {
      lines += ["#extension GL_EXT_shader_8bit_storage : require"]
    }
    if !elements.isDisjoint(with: [.float16, .bfloat16]) {
      lines += ["#extension GL_EXT_shader_16bit_storage : require"]
    }
    if !elements.union(expression.types).isDisjoint(with: [.int64]) {
      lines += ["#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require"]
    }
    lines.append("#include \"scalar_functions.glsl\"")
    if expression.types.contains(.float64) { lines.append("#include \"scalar_functions_double.glsl\"") }
    if expression.types.contains(.int64) { lines.append("#include \"scalar_functions_int64.glsl\"") }
    if elements.contains(.bfloat16) || elements.contains(.float16) {
      lines.append("#include \"narrow_floats.glsl\"")
    }
    lines.append("layout(local_size_x = \(width)) in;")
    let writtenBindings = Set(loop.writes.map(\.binding))
    var declared: Set<Int> = []
    for (binding, type) in loop.reads.map({ ($0.binding, $0.elementType) })
      + loop.writes.map({ ($0.binding, $0.elementType) })
    where declared.insert(binding).inserted {
      let qualifier = writtenBindings.contains(binding) ? "" : "readonly "
      lines.append(
        "layout(set = 0, binding = \(binding), std430) \(qualifier)buffer B\(binding) { \(storageName(type)) d\(binding)[]; };"
      )
    }
    return lines
  }

  private var groupNumber: String { "(gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x)" }

  private func parallelCoordinates(_ index: String) -> [String] {
    coordinates(index, loop.extents, firstAxis: 0)
  }

  /// Declares `i<axis>` for each axis from a row-major position.
  func coordinates(_ index: String, _ extents: [Int], firstAxis: Int) -> [String] {
    var stride = 1
    var lines: [String] = []
    for (number, extent) in extents.enumerated().reversed() {
      let quotient = stride == 1 ? index : "\(index) / \(stride)u"
      lines.append(
        "int i\(firstAxis + number) = int(\(number == 0 ? quotient : "(\(quotient)) % \(extent)u"));")
      stride *= extent
    }
    return lines.reversed()
  }

  private mutating func body() throws(DeviceError) -> [String] { try statements(loop.body, prefix: "t") }

  private mutating func epilogue() throws(DeviceError) -> [String] {
    try statements(loop.epilogue, prefix: "e")
  }

  /// - Parameters:
  ///   - known: A binding whose element is a value already.
  ///   - name: What that value is called.
  mutating func statements(
    _ instructions: [Loop.Instruction], prefix: String, known: Int? = nil, as name: String = ""
  ) throws(DeviceError) -> [String] {
    let loop = self.loop
    return try expression.statements(
      instructions, prefix: prefix,
      read: { loop.reads[$0].binding == known ? name : Self.load(loop.reads[$0]) },
      readType: { loop.reads[$0].elementType.loaded },
      coordinate: { "i\($0)" },
      // Over nothing, where -1 stands for none yet, the position is 0.
      accumulator: { index in loop.accumulators[index].fold.isPosition ? "max(b\(index), 0)" : "a\(index)" },
      accumulatorType: { index in
        loop.accumulators[index].fold.isPosition ? .int32 : loop.accumulators[index].type
      })
  }

  private func storageName(_ type: ElementType) -> String {
    switch type {
    case .uint8, .bool: "uint8_t"
    case .float16, .bfloat16: "uint16_t"
    default: GLSLExpression.name(of: type)
    }
  }

  private static func load(_ read: Loop.Read) -> String {
    let element = "d\(read.binding)[\(text(read.index))]"
    let value: String =
      switch read.elementType {
      case .bool: "uint(\(element)) != 0u"
      case .uint8: "uint(\(element))"
      case .float16: "hekla_from_float16(uint(\(element)))"
      case .bfloat16: "hekla_from_bfloat16(uint(\(element)))"
      default: element
      }
    guard !read.guards.isEmpty else { return value }
    let tests = read.guards.map { "\(text($0.value)) >= \($0.lower) && \(text($0.value)) < \($0.upper)" }
    return
      "(\(tests.joined(separator: " && "))) ? (\(value)) : \(GLSLExpression.literal(0, read.elementType.loaded))"
  }

  private static func text(_ affine: Loop.Affine) -> String {
    var terms: [String] = []
    for (axis, stride) in affine.strides.enumerated() where stride != 0 {
      terms.append(stride == 1 ? "i\(axis)" : "\(stride) * i\(axis)")
    }
    if affine.offset != 0 || terms.isEmpty { terms.append("\(affine.offset)") }
    return terms.joined(separator: " + ")
  }

  private func writes(prefix: String) -> [String] {
    loop.writes.map { write in
      let value = "\(prefix)\(write.value)"
      let stored: String =
        switch write.elementType {
        case .bool: "uint8_t(\(value) ? 1u : 0u)"
        case .uint8: "uint8_t(\(value))"
        case .float16: "uint16_t(hekla_to_float16(\(value)))"
        case .bfloat16: "uint16_t(hekla_to_bfloat16(\(value)))"
        default: value
        }
      return "d\(write.binding)[\(Self.text(write.index))] = \(stored);"
    }
  }

  // MARK: Folding

  /// The row-major position within the folded axes, for argument folds.
  private var position: String {
    var text = "0"
    for (number, extent) in loop.reductionExtents.enumerated() {
      let axis = "i\(loop.extents.count + number)"
      text = number == 0 ? axis : "(\(text)) * \(extent) + \(axis)"
    }
    return text
  }

  private func accumulatorStart(_ index: Int) -> [String] {
    let accumulator = loop.accumulators[index]
    let name = GLSLExpression.name(of: accumulator.type)
    let start =
      "\(name) a\(index) = \(GLSLExpression.literal(accumulator.fold.identity(accumulator.type), accumulator.type));"
    return accumulator.fold.isPosition ? [start, "int b\(index) = -1;"] : [start]
  }

  /// Folds `value` (with `position`, for argument folds) into accumulator `index`.
  private func fold(_ index: Int, _ value: String, _ position: String) -> String {
    let total = "a\(index)"
    switch loop.accumulators[index].fold {
    case .sum: return "\(total) += \(value);"
    case .product: return "\(total) *= \(value);"
    case .maximum: return "\(total) = hekla_maximum(\(total), \(value));"
    case .minimum: return "\(total) = hekla_minimum(\(total), \(value));"
    case .argumentMaximum, .argumentMinimum:
      let comparison = loop.accumulators[index].fold == .argumentMaximum ? ">" : "<"
      let type = GLSLExpression.name(of: loop.accumulators[index].type)
      let isFloating = loop.accumulators[index].type.isFloating
      func isNaN(_ x: String) -> String { isFloating ? "hekla_is_nan(\(x))" : "false" }
      // Better: the first at all, a larger (smaller) one, the first NaN; of equals the lower position.
      return """
        {
        \(type) v = \(value);
        int p = \(position);
        bool isEqual = v == \(total) || (\(isNaN("v")) && \(isNaN(total)));
        bool isBetter = v \(comparison) \(total) || (\(isNaN("v")) && !\(isNaN(total)));
        if (p >= 0 && (b\(index) < 0 || (isEqual ? p < b\(index) : isBetter))) { \(total) = v; b\(index) = p; }
        }
        """
    }
  }
}

extension ElementType {
  /// The type that an element of this type has once it is loaded.
  fileprivate var loaded: ElementType {
    switch self {
    case .float16, .bfloat16: .float32
    case .uint8: .uint32
    default: self
    }
  }
}

extension Loop.Fold {
  /// What a fold over nothing gives.
  fileprivate func identity(_ type: ElementType) -> Double {
    switch self {
    case .sum, .argumentMaximum, .argumentMinimum: 0
    case .product: 1
    case .maximum: type.least
    case .minimum: type.greatest
    }
  }
}

extension ElementType {
  fileprivate var least: Double {
    switch self {
    case .int32: -2_147_483_648
    case .uint32, .uint8, .bool: 0
    case .int64: -0x1p63
    default: -.infinity
    }
  }

  fileprivate var greatest: Double {
    switch self {
    case .int32: 2_147_483_647
    case .uint32, .uint8, .bool: 4_294_967_295
    case .int64: 0x1p63
    default: .infinity
    }
  }
}
