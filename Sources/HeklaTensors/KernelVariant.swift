import HeklaArrays
import HeklaDevices

/// One of several ways to compute a primitive with hand-written kernels.
public struct KernelVariant: Sendable {
  /// What the variant is called in benchmarks, plans and the tuner's cache.
  public let name: String
  /// Whether the device, the inputs and the output allow it. Precision and limits are decided here, speed is not.
  public let applies:
    @Sendable (_ capabilities: Capabilities, _ inputs: [Signature], _ output: Signature) -> Bool
  /// Whether it is a good choice where nothing has been measured.
  public let suits:
    @Sendable (_ capabilities: Capabilities, _ inputs: [Signature], _ output: Signature) -> Bool
  /// The inputs that it has kernel calls of their own for, which write temporaries alone: where all of these inputs
  /// stay as they are in a repetition, such calls run once before it, and the variant is chosen before others.
  public let prepares: Set<Int>
  /// What it runs.
  public let program:
    @Sendable (_ inputs: [Signature], _ output: Signature, _ capabilities: Capabilities) -> KernelProgram

  /// The variant `name`.
  public init(
    _ name: String,
    applies: @escaping @Sendable (Capabilities, [Signature], Signature) -> Bool,
    suits: @escaping @Sendable (Capabilities, [Signature], Signature) -> Bool = { _, _, _ in true },
    preparing prepares: Set<Int> = [],
    program: @escaping @Sendable ([Signature], Signature, Capabilities) -> KernelProgram
  ) {
    self.name = name
    self.applies = applies
    self.suits = suits
    self.prepares = prepares
    self.program = program
  }
}

/// Kernel calls in order, and the temporary memory they share.
public struct KernelProgram: Sendable {
  /// The size of each temporary in bytes.
  public var temporaries: [Int]
  /// What runs; each call sees the writes of those before it.
  public var calls: [KernelCall]

  /// `calls` in order, with temporaries of these sizes.
  public init(_ calls: [KernelCall], temporaries: [Int] = []) {
    self.calls = calls
    self.temporaries = temporaries
  }
}

/// One run of a hand-written kernel, in terms of a primitive's inputs and output.
public struct KernelCall: Sendable {
  /// Which kernel.
  public enum Body: Sendable, Hashable {
    /// A GLSL kernel of the shader library, with specialization constants by id and defines.
    case shader(String, constants: [UInt32: UInt32] = [:], defines: [String: String] = [:])
    /// A body of the host device, with what it is built for.
    case host(String, [Int])
  }

  /// What a binding holds.
  public enum Operand: Sendable, Hashable {
    /// Input `i`.
    case input(Int)
    /// The output.
    case output
    /// Further result `i` of a primitive that has several.
    case secondary(Int)
    /// Temporary `i` of the program.
    case temporary(Int)
  }

  /// Which kernel.
  public var body: Body
  /// What each binding holds, by number.
  public var bindings: [Operand]
  /// How many of the last bindings are written; the others are only read.
  public var writtenCount: Int
  /// The number of workgroups.
  public var groupCount: GroupCount
  /// The push constants.
  public var pushConstants: [UInt32]

  /// A run of `body`; the last `writtenCount` bindings are written.
  public init(
    _ body: Body, bindings: [Operand], writing writtenCount: Int = 1, groupCount: GroupCount = GroupCount(1),
    pushConstants: [UInt32] = []
  ) {
    self.body = body
    self.bindings = bindings
    self.writtenCount = writtenCount
    self.groupCount = groupCount
    self.pushConstants = pushConstants
  }
}
