/// A statement of a paper that a run can check.
///
/// The check compares metrics by name and keeps the numbers it saw:
/// `Claim("tickets keep the accuracy", source: "figure 3") { $0["accuracy.ticket"] >= $0["accuracy.dense"] - 0.005 }`.
/// A claim that turns out not to hold stays, with `failure` saying what was seen.
public struct Claim: Sendable {
  /// The metrics of a run, as a check reads them.
  public struct Evidence: Sendable {
    fileprivate let metrics: Metrics

    /// The metric `name`.
    public subscript(name: String) -> Quantity { Quantity(metric: name, of: metrics) }
  }

  /// What must hold.
  public let statement: String
  /// Where the paper says so: a table, a figure, a section.
  public let source: String
  /// What was seen instead, where the claim is known not to hold; else nil.
  public let failure: String?
  private let check: @Sendable (Evidence) -> Finding

  /// The claim `statement`, which holds where `check` says so.
  ///
  /// - Parameters:
  ///   - statement: What must hold, in words.
  ///   - source: The table, figure or section it is read from.
  ///   - failure: What was seen, for a claim known not to hold in the setting here.
  ///   - check: Compares the run's metrics.
  public init(
    _ statement: String, source: String, failure: String? = nil,
    check: @escaping @Sendable (Evidence) -> Finding
  ) {
    self.statement = statement
    self.source = source
    self.failure = failure
    self.check = check
  }

  /// Checks the claim on the metrics of a run.
  public func finding(on metrics: Metrics) -> Finding { check(Evidence(metrics: metrics)) }
}
