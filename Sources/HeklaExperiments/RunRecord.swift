import Foundation

/// Everything a run leaves behind, as one JSON object: what was run, on what, and what came out.
public struct RunRecord: Sendable, Equatable, Codable {
  /// The recipe's name.
  public var recipe: String
  /// The device's name, such as `vulkan:0`.
  public var device: String
  /// The seed that all randomness came from.
  public var seed: UInt64
  /// The settings, all of them, as an object.
  public var settings: JSONValue
  /// The number of training steps.
  public var steps: Int
  /// The training loss of each step, in order.
  public var losses: [Double]
  /// What was measured.
  public var metrics: Metrics
  /// How long the run took, in seconds.
  public var seconds: Double
  /// The kernel variants that were chosen by measurement instead of by rule, by what they compute; nil where steps were
  /// compiled by rule alone. Without the same choices, a run on the same device may differ in the last bits.
  public var tunedVariants: [String: String]?

  /// The record of a run of one step per loss.
  public init(
    recipe: String, device: String, seed: UInt64, settings: JSONValue, losses: [Double], metrics: Metrics,
    seconds: Double, tunedVariants: [String: String]? = nil
  ) {
    self.recipe = recipe
    self.device = device
    self.seed = seed
    self.settings = settings
    steps = losses.count
    self.losses = losses
    self.metrics = metrics
    self.seconds = seconds
    self.tunedVariants = tunedVariants
  }

  /// Reads a record from JSON text, as `jsonText` writes it.
  ///
  /// - Throws: `DecodingError`, naming the member that is missing or does not fit.
  public init(jsonText: String) throws {
    self = try JSONValue.decode(RunRecord.self, from: Foundation.Data(jsonText.utf8))
  }

  /// The record as JSON text, members in the order of their declaration.
  ///
  /// A loss that is not finite, which JSON cannot say as a number, is `"NaN"`, `"Infinity"` or `"-Infinity"`.
  public var jsonText: String {
    var members: [JSONValue.Member] = [
      .init("recipe", .text(recipe)),
      .init("device", .text(device)),
      .init("seed", JSONValue(seed)),
      .init("settings", settings),
      .init("steps", JSONValue(steps)),
      .init("losses", .array(losses.map { JSONValue($0) })),
      .init("metrics", .object(metrics.names.map { .init($0, JSONValue(metrics[$0] ?? .nan)) })),
      .init("seconds", JSONValue(seconds)),
    ]
    if let tunedVariants {
      let choices = tunedVariants.sorted { $0.key < $1.key }
      members.append(.init("tunedVariants", .object(choices.map { .init($0.key, .text($0.value)) })))
    }
    return JSONValue.object(members).indented + "\n"
  }
}
