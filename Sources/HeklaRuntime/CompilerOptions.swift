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
  /// What is cheap to compute is computed again for a late use, where keeping it would take memory when most is taken.
  public var recomputes = true
  /// What kernels of a repetition prepare of inputs that stay as they are is prepared once before it.
  public var preparesOnce = true
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
  /// Whether variants that are not preferred are chosen by what `gpubench tune` has measured on the device.
  ///
  /// Off, unless `HEKLA_TUNING` is 1: variants sum in different orders, so the bits of a result would depend on a file,
  /// and the same program with the same seed could give other bits on the next machine, or after the next tuning.
  /// Where it is on, `TunedVariants.choices` tells what was chosen, and a run's record keeps it.
  public var tuning = CompilerOptions.tuningByDefault

  /// Where choices between kernel variants come from.
  public enum Tuning: String, Sendable, Hashable, Codable {
    /// Rules alone, which depend on the device's capabilities and the shapes.
    case off
    /// The device's tuning cache, and the rules for what is not in it. Measures nothing itself.
    case cached
  }

  /// Every pass on.
  public init() {}

  private static let checksIndicesByDefault =
    ProcessInfo.processInfo.environment["HEKLA_CHECK_INDICES"] == "1"

  private static let tuningByDefault: Tuning =
    ProcessInfo.processInfo.environment["HEKLA_TUNING"] == "1" ? .cached : .off

  /// Everything on, and each single pass off in turn: what a test runs to show that passes change nothing.
  public static var variations: [(name: String, options: CompilerOptions)] {
    let switches: [(String, WritableKeyPath<CompilerOptions, Bool>)] = [
      ("no sharing", \.sharesSubexpressions), ("no fusion", \.fuses), ("no merging", \.mergesLoops),
      ("no memory reuse", \.reusesMemory), ("no recomputation", \.recomputes),
      ("no preparation", \.preparesOnce), ("no update in place", \.updatesInPlace), ("no replay", \.replays),
    ]
    return [("all passes", CompilerOptions())]
      + switches.map { name, path in
        var options = CompilerOptions()
        options[keyPath: path] = false
        return (name, options)
      }
  }
}
