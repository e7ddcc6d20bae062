/// The two parts in which benchmark sets are published.
public enum DataPart: String, Sendable, Hashable, Codable, CaseIterable {
  /// What models are fitted to.
  case train
  /// What they are judged on.
  case test
}
