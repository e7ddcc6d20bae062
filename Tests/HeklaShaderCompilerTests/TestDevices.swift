import Foundation
import HeklaDevices
import HeklaOpenCL
import HeklaShaders
import HeklaVulkan
import Testing

/// The devices that shaders run on in these tests: one per interface, where the machine has it.
enum TestDevices {
  /// Why there is no Vulkan device, or nil where there is one.
  static let vulkanAbsence: String? = absence { () throws(DeviceError) in
    _ = try VulkanPlatform.capabilities()
  }
  /// Why there is no OpenCL device, or nil where there is one.
  static let openCLAbsence: String? = absence { () throws(DeviceError) in
    _ = try OpenCLPlatform.capabilities()
  }

  /// Whether a test of all devices makes sense; where continuous integration lacks one it runs, and fails.
  static let arePresent =
    vulkanAbsence == nil && openCLAbsence == nil || ProcessInfo.processInfo.environment["CI"] == "true"

  /// The devices, each opened once; with the headers of the shader library, as a process has one Vulkan device, which
  /// whoever comes first opens for the tests of all modules.
  static let all: Result<[any Device], any Error> = Result {
    [
      try VulkanPlatform.device(at: 0, options: VulkanOptions(include: { ShaderLibrary.include(named: $0) })),
      try OpenCLPlatform.device(at: 0, options: OpenCLOptions()),
    ]
  }

  private static func absence(_ probe: () throws(DeviceError) -> Void) -> String? {
    do throws(DeviceError) {
      try probe()
      return nil
    } catch {
      return "\(error)"
    }
  }
}

/// The trait of tests that run shaders on both interfaces.
let bothInterfacesArePresent: any SuiteTrait & TestTrait = ConditionTrait.enabled(
  if: TestDevices.arePresent,
  Comment(
    rawValue: [TestDevices.vulkanAbsence, TestDevices.openCLAbsence].compactMap { $0 }.joined(separator: " "))
)

/// A shader and what it is run with.
struct ShaderRun {
  /// The text behind `#version 450`.
  var text: String
  /// What the buffers hold at first, by binding.
  var buffers: [[UInt32]]
  var constants: [UInt32: UInt32] = [:]
  var pushConstants: [UInt32] = []
  var groupCount = GroupCount(1)

  /// What the buffers hold afterwards, on each device.
  func results() throws -> [(device: String, buffers: [[UInt32]])] {
    let source = GLSLSource(name: "shader_under_test", text: "#version 450\n\(text)", constants: constants)
    return try TestDevices.all.get().map { device in
      let queue = try device.makeQueue()
      let memory = try buffers.map { words in
        let buffer = try device.makeBuffer(byteCount: words.count * 4)
        try words.withUnsafeBytes { try queue.write($0, to: BufferSlice(buffer)) }
        return buffer
      }
      let dispatch = Dispatch(
        try device.makeKernel(.glsl(source)), bindings: memory.map { BufferSlice($0) },
        groupCount: groupCount,
        pushConstants: pushConstants, label: "shader_under_test")
      try queue.submit(try queue.record([.dispatch(dispatch)]))
      let after = try memory.map { buffer in
        var words = [UInt32](repeating: 0, count: buffer.byteCount / 4)
        try words.withUnsafeMutableBytes { try queue.read(BufferSlice(buffer), into: $0) }
        return words
      }
      return (device.name, after)
    }
  }

  /// Expects that buffer `binding` holds `words` afterwards, on each device.
  func expect(_ words: [UInt32], in binding: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    for result in try results() {
      #expect(
        result.buffers[binding] == words, "on \(result.device)", sourceLocation: sourceLocation)
    }
  }

  /// Expects that buffer `binding` holds `numbers` afterwards, on each device, to within `tolerance` times the
  /// larger of 1 and the number.
  func expect(
    _ numbers: [Float], in binding: Int, tolerance: Float, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for result in try results() {
      for (index, (word, number)) in zip(result.buffers[binding], numbers).enumerated() {
        let seen = Float(bitPattern: word)
        let isEqual =
          seen == number || (seen.isNaN && number.isNaN)
          || abs(seen - number) <= tolerance * max(1, abs(number))
        #expect(
          isEqual, "element \(index) on \(result.device) is \(seen), not \(number)",
          sourceLocation: sourceLocation)
      }
    }
  }
}

/// One expression of GLSL and what it gives, for `x` and `y` of type `Operand`.
struct Form<Operand>: Sendable {
  var glsl: String
  var value: @Sendable (Operand, Operand) -> UInt32

  init(_ glsl: String, _ value: @escaping @Sendable (Operand, Operand) -> UInt32) {
    self.glsl = glsl
    self.value = value
  }
}

/// A shader that computes each of `forms` for all pairs; row after row into buffer 2.
func shader(of forms: [String], header: String = "", load: String) -> String {
  let lines = forms.enumerated().map { "  result[\($0.offset)u * count + i] = \($0.element);" }
  return """
    \(header)
    layout(local_size_x = 32) in;
    layout(std430, binding = 0) readonly buffer X { uint xs[]; };
    layout(std430, binding = 1) readonly buffer Y { uint ys[]; };
    layout(std430, binding = 2) writeonly buffer R { uint result[]; };
    layout(push_constant) uniform P { uint count; };
    void main() {
      uint i = gl_GlobalInvocationID.x;
      if (i >= count) return;
      \(load)
    \(lines.joined(separator: "\n"))
    }
    """
}

/// Runs `forms` on pairs of words and compares with what Swift computes, form by form.
func check<Operand>(
  _ forms: [Form<Operand>], header: String = "", load: String, pairs: [(UInt32, UInt32)],
  as operand: (UInt32) -> Operand, isEqual: (UInt32, UInt32) -> Bool = { $0 == $1 },
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let run = ShaderRun(
    text: shader(of: forms.map(\.glsl), header: header, load: load),
    buffers: [
      pairs.map(\.0), pairs.map(\.1), [UInt32](repeating: 0xdead_beef, count: forms.count * pairs.count),
    ],
    pushConstants: [UInt32(pairs.count)], groupCount: GroupCount((pairs.count + 31) / 32))
  for result in try run.results() {
    for (row, form) in forms.enumerated() {
      for (column, pair) in pairs.enumerated() {
        let seen = result.buffers[2][row * pairs.count + column]
        let wanted = form.value(operand(pair.0), operand(pair.1))
        #expect(
          isEqual(seen, wanted),
          "\(form.glsl) of \(operand(pair.0)), \(operand(pair.1)) on \(result.device): \(seen), not \(wanted)",
          sourceLocation: sourceLocation)
      }
    }
  }
}
