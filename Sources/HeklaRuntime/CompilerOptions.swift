import Foundation

/// Which passes run: all by default; turned off one by one to find out which one a wrong result comes from.
public struct CompilerOptions: Sendable, Hashable, Codable {
  /// Equal subcomputations are done once.
  public var sharesSubexpressions = true
  /// Elementwise operations, movement and reductions share kernels.
  public var fuses = true
  /// Kernels over the same points share one launch.
  public var mergesLoops = true
  /// Values whose lifetimes do not overlap share memory.
  public var reusesMemory = true
  /// Parameters are updated where they lie.
  public var updatesInPlace = true
  /// The commands are recorded once; otherwise anew for each run.
  public var replays = true
  /// GPUs look for indices out of range, which they otherwise leave out without a word; see `CompiledStep.run(_:)`.
  ///
  /// Off, unless `HEKLA_CHECK_INDICES` is 1: it costs two launches for each array of indices. The host checks always.
  public var checksIndices = CompilerOptions.checksIndicesByDefault
  /// Every array of a step lies between guard words, which `CompiledStep.brokenGuards` checks: for tests of kernels.
  ///
  /// Arrays share no memory then. Parameters, whose memory belongs to the executor, have no guards.
  public var guardsMemory = false
  /// For a primitive, by its name such as `matrix-product`, the kernel variant that computes it wherever it occurs.
  ///
  /// Others are chosen by rule. Planning throws `DeviceError.invalidArgument` for a variant that does not exist,
  /// and `DeviceError.unsupported` for one that does not run on the device or with the inputs; it never falls
  /// back to another. Names of primitives that do not occur are ignored.
  public var preferredVariants: [String: String] = [:]

  /// Every pass on.
  public init() {}

  private static let checksIndicesByDefault =
    ProcessInfo.processInfo.environment["HEKLA_CHECK_INDICES"] == "1"

  /// Everything on, and each single pass off in turn: what a test runs to show that passes change nothing.
  public static var variations: [(name: String, options: CompilerOptions)] {
    let switches: [(String, WritableKeyPath<CompilerOptions, Bool>)] = [
      ("no sharing", \.sharesSubexpressions), ("no fusion", \.fuses), ("no merging", \.mergesLoops),
      ("no memory reuse", \.reusesMemory), ("no update in place", \.updatesInPlace), ("no replay", \.replays),
    ]
    return [("all passes", CompilerOptions())]
      + switches.map { name, path in
        var options = CompilerOptions()
        options[keyPath: path] = false
        return (name, options)
      }
  }
}
