import HeklaArrays
import HeklaDevices
import HeklaShaders

/// A loop that follows a hand-written kernel element by element, as the text that the kernel takes in place of
/// `Shaders/include/epilogue.glsl`: its result is then the loop's.
struct GLSLEpilogue {
  private static let header = "#include \"epilogue.glsl\"\n"

  private let text: String

  /// - Parameters:
  ///   - built: What follows; writes one array, of which it computes each element of the kernel's result at its place.
  ///   - binding: Which of the loop's bindings is the kernel's result.
  ///   - firstBinding: How many bindings the kernel has before its result: the loop's other arrays come after them.
  /// - Throws: `DeviceError.unsupported` when it needs a type the device lacks.
  init(
    _ built: BuiltLoop, of binding: Int, firstBinding: Int, capabilities: Capabilities
  ) throws(DeviceError) {
    let loop = built.loop
    let count = loop.extents.reduce(1, *)
    var body = GLSLLoopText(loop, width: 1, count: count)
    let lines =
      body.coordinates("at", loop.extents, firstAxis: 0)
      + (try body.statements(loop.body, prefix: "t", known: binding, as: "value"))
    for type in body.types where ![.float32, .int32, .uint32, .bool].contains(type) {
      guard capabilities.arithmeticTypes.contains(type) else {
        throw .unsupported(
          device: capabilities.deviceName, feature: "arithmetic on \(type)",
          remedy: "Convert to another type with converted(to:), or run on the cpu device.")
      }
    }
    var text = ["#include \"scalar_functions.glsl\""]
    if body.types.contains(.float64) { text.append("#include \"scalar_functions_double.glsl\"") }
    var next = firstBinding
    for (number, node) in built.reads.enumerated() where number != binding {
      let type = GLSLExpression.name(of: node.elementType)
      text.append(
        "layout(set = 0, binding = \(next), std430) readonly buffer B\(number) { \(type) d\(number)[]; };")
      next += 1
    }
    text.append("#define RESULT_BINDING \(next)")
    text.append("SCALAR epilogue(uint at, SCALAR value) {")
    text += lines + ["return t\(loop.writes[0].value);", "}"]
    self.text = text.joined(separator: "\n") + "\n"
  }

  /// `kernel` with this in it; nil where the kernel takes none.
  func inserted(into kernel: GLSLSource) -> GLSLSource? {
    guard let place = kernel.text.range(of: Self.header) else { return nil }
    var result = kernel
    result.text.replaceSubrange(place, with: text)
    return result
  }

  /// Whether kernels can have it: it computes in the result's own type, and reads numbers that take no extension.
  static func canFollow(_ result: ElementType, _ built: BuiltLoop) -> Bool {
    let plain: Set<ElementType> = [.float32, .int32, .uint32]
    return built.loop.accumulators.isEmpty && built.roots.count == 1 && built.roots[0].elementType == result
      && built.reads.allSatisfy { plain.contains($0.elementType) || $0.elementType == result }
  }
}
