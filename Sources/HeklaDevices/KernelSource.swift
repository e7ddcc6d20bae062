/// What a kernel is made from, and the key it is cached under.
public enum KernelSource: Sendable, Hashable {
  /// A GLSL compute shader, for Vulkan and OpenCL.
  case glsl(GLSLSource)
  /// A body in the process itself, for the host device.
  case host(HostSource)

  /// What messages and profiles call the kernel.
  public var name: String {
    switch self {
    case .glsl(let source): source.name
    case .host(let source): source.name
    }
  }
}

/// A GLSL compute shader and the constants it is specialized with.
///
/// Conventions every shader follows: storage buffers in set 0 at bindings 0, 1, 2, ...; at most one push
/// constant block, made of 32-bit words; `local_size_*` either literal or `local_size_*_id`; `main` as entry.
/// For Vulkan alone, a buffer that is only read may be a `samplerBuffer`, bound as texels of four floats.
public struct GLSLSource: Sendable, Hashable {
  /// The kernel's name: the file's base name, or what the generator calls it.
  public var name: String
  /// The text, from `#version` on; `#include "name"` lines are resolved by the device's compiler.
  public var text: String
  /// The value of each specialization constant by its `constant_id`, as bits; those left out keep their default.
  public var constants: [UInt32: UInt32]
  /// `#define`s put after the `#version` line, name to replacement.
  public var defines: [String: String]

  /// The shader `text`, called `name`, specialized with `constants`.
  public init(name: String, text: String, constants: [UInt32: UInt32] = [:], defines: [String: String] = [:])
  {
    self.name = name
    self.text = text
    self.constants = constants
    self.defines = defines
  }
}

/// A kernel body of the host device.
///
/// Two sources are the same kernel when `name` and `key` agree, so `key` spells everything the body depends on.
public struct HostSource: Sendable {
  /// What messages and profiles call the kernel.
  public let name: String
  /// Everything that distinguishes this body from others of its name.
  public let key: String
  /// Runs the kernel; the host device parallelizes inside, so it is called once per dispatch.
  public let body: @Sendable (HostArguments) throws(DeviceError) -> Void

  /// The kernel `name`, told apart by `key`, that does `body`.
  public init(
    name: String, key: String, body: @escaping @Sendable (HostArguments) throws(DeviceError) -> Void
  ) {
    self.name = name
    self.key = key
    self.body = body
  }
}

extension HostSource: Hashable {
  /// Whether name and key agree.
  public static func == (left: HostSource, right: HostSource) -> Bool {
    left.name == right.name && left.key == right.key
  }

  /// Feeds name and key to `hasher`.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(key)
  }
}

/// What a host kernel body gets: the bound memory, in binding order.
public struct HostArguments {
  /// The bound slices; valid until the body returns.
  public let bindings: [UnsafeMutableRawBufferPointer]
  /// The push constants.
  public let pushConstants: [UInt32]

  /// The arguments of one dispatch.
  public init(bindings: [UnsafeMutableRawBufferPointer], pushConstants: [UInt32]) {
    self.bindings = bindings
    self.pushConstants = pushConstants
  }
}
