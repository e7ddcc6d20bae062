import Foundation
import HeklaDevices
import Testing

@testable import HeklaVulkan

/// The device of these tests, opened anew for each, with the validation layer watching.
enum TestDevice {
  /// Why there is no Vulkan device here, or nil where there is one.
  static let absence: String? = {
    do throws(DeviceError) {
      _ = try VulkanPlatform.capabilities()
      return nil
    } catch {
      return "\(error)"
    }
  }()

  /// Whether tests that need a device can run; where continuous integration has none they run, and fail.
  static let isPresent = absence == nil || ProcessInfo.processInfo.environment["CI"] == "true"

  /// Runs `body` with a device of its own, and expects that nothing made on the device outlives it and that
  /// the validation layer kept silent to the end.
  static func with(
    _ change: (inout VulkanOptions) -> Void = { _ in }, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (VulkanDevice) throws -> Void
  ) throws {
    var options = VulkanOptions(validation: true)
    change(&options)
    // An instance of its own: its messages are then this test's, whatever runs beside it.
    let instance = try VulkanInstance(loader: VulkanLoader(), validation: true)
    let context = try contextAfter(body, on: instance, options: options)
    #expect(context.value == nil, "the device is still open", sourceLocation: sourceLocation)
    let messages = instance.validation?.all ?? []
    #expect(messages.isEmpty, sourceLocation: sourceLocation)
  }

  private struct Weak {
    weak var value: DeviceContext?
  }

  /// A function, so that its own references are gone when it returns.
  private static func contextAfter(
    _ body: (VulkanDevice) throws -> Void, on instance: VulkanInstance, options: VulkanOptions
  ) throws -> Weak {
    let device = try VulkanDevice(at: 0, of: instance, options: options)
    try body(device)
    return Weak(value: device.context)
  }
}

/// The trait of every suite that needs a device.
let vulkanIsPresent: any SuiteTrait & TestTrait = ConditionTrait.enabled(
  if: TestDevice.isPresent, Comment(rawValue: TestDevice.absence ?? "a Vulkan device is present"))

extension VulkanDevice {
  /// A buffer that holds `words`.
  func makeBuffer(_ words: [UInt32], through queue: any Queue) throws -> any Buffer {
    let buffer = try makeBuffer(byteCount: words.count * 4)
    try words.withUnsafeBytes { try queue.write($0, to: BufferSlice(buffer)) }
    return buffer
  }

  /// A kernel of GLSL `body`, behind the usual header.
  func makeKernel(
    _ name: String, constants: [UInt32: UInt32] = [:], defines: [String: String] = [:], _ body: String
  ) throws -> any Kernel {
    try makeKernel(
      .glsl(GLSLSource(name: name, text: "#version 450\n" + body, constants: constants, defines: defines)))
  }
}

extension Queue {
  /// The words in `buffer`.
  func words(of buffer: any Buffer) throws -> [UInt32] {
    var words = [UInt32](repeating: 0xdead_beef, count: buffer.byteCount / 4)
    try words.withUnsafeMutableBytes { try read(BufferSlice(buffer), into: $0) }
    return words
  }

  /// Records, submits and waits.
  func run(_ commands: [Command]) throws {
    try submit(try record(commands))
    try waitUntilIdle()
  }
}

/// Adds a push constant to each word: `data[i] = data[i] * scale + addend` with a specialization constant.
let scaleAndAdd = """
  layout(local_size_x = 64) in;
  layout(constant_id = 3) const uint scale = 1;
  layout(push_constant) uniform Constants { uint addend; uint count; };
  layout(set = 0, binding = 0) buffer Data { uint data[]; };
  void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i < count) data[i] = data[i] * scale + addend;
  }
  """
