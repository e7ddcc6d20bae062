/// What came out of comparing the variants of a primitive at one shape on one device.
public struct TuningResult: Sendable, Hashable, Codable {
  /// One variant, and what became of it.
  public struct Candidate: Sendable, Hashable, Codable {
    /// How far a variant came.
    public enum Outcome: String, Sendable, Hashable, Codable {
      /// Verified, and timed to the end.
      case timed
      /// Verified, but dropped after its first run, or never run because verifying it took too long.
      case slow
      /// Wrong, or it does not run: never chosen.
      case rejected
      /// Not tried, because it does not run where it would be verified, or because another one came close enough to what
      /// the device can do.
      case skipped
      /// Not tried, because the time was up.
      case untried
    }

    /// The variant's name.
    public let variant: String
    /// How far it came.
    public var outcome: Outcome
    /// The median time of one evaluation; of a slow one the time of its first runs.
    public var milliseconds: Double?
    /// Why it came no further.
    public var reason: String?

    init(_ variant: String, _ outcome: Outcome, milliseconds: Double? = nil, reason: String? = nil) {
      self.variant = variant
      self.outcome = outcome
      self.milliseconds = milliseconds
      self.reason = reason
    }
  }

  /// The signatures that were measured, of the class that the key stands for.
  public let inputs: [String]
  /// The variant that the rules choose.
  public let defaultVariant: String
  /// The variants that apply: the rules' choice, then the others in the primitive's order.
  public internal(set) var candidates: [Candidate]
  /// The variant to use; nil where none was found right.
  public internal(set) var chosen: String?

  /// Whether every variant had its turn: then there is nothing to do again.
  public var isComplete: Bool { !candidates.contains { $0.outcome == .untried } }

  /// The median time of the variant `name` in milliseconds, where it was timed to the end.
  public func milliseconds(of name: String) -> Double? {
    candidates.first { $0.variant == name && $0.outcome == .timed }?.milliseconds
  }
}
