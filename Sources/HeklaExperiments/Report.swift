/// What a person reads after a run: the claims with their numbers, the metrics, the settings.
public struct Report: Sendable {
  /// One claim, checked.
  public struct Entry: Sendable {
    /// The claim.
    public let claim: Claim
    /// What checking it found.
    public let finding: Finding
  }

  /// The run.
  public let record: RunRecord
  /// The paper it repeats.
  public let paper: Paper
  /// The paper's claims, checked on the run's metrics.
  public let entries: [Entry]

  /// The report on a run of `experiment`.
  public init(_ record: RunRecord, of experiment: any Experiment.Type) {
    self.record = record
    paper = experiment.paper
    entries = experiment.claims.map { Entry(claim: $0, finding: $0.finding(on: record.metrics)) }
  }

  /// Whether a claim failed that is not marked as known to fail.
  public var hasUnexpectedFailure: Bool {
    entries.contains { $0.finding.verdict == .fails && $0.claim.failure == nil }
  }

  /// Whether the run checked at least one claim, and none failed that is not marked as known to fail.
  public var isVerified: Bool {
    let isChecked = entries.contains { $0.finding.verdict == .holds || $0.finding.verdict == .fails }
    return isChecked && !hasUnexpectedFailure
  }

  /// The report for a terminal.
  ///
  /// - Parameters:
  ///   - terminal: Its width and colours.
  ///   - hasMetrics: Whether the metrics are listed, besides the claims.
  public func text(for terminal: Terminal, hasMetrics: Bool = true) -> String {
    var blocks = [terminal.styled(record.recipe, .bold) + "  " + paper.citation, facts]
    if hasMetrics, !record.metrics.names.isEmpty { blocks.append(metricsTable.text(margin: "  ")) }
    if !entries.isEmpty { blocks.append(claimsText(for: terminal)) }
    return blocks.joined(separator: "\n\n") + "\n"
  }

  /// Each claim with its numbers, and how many hold.
  public func claimsText(for terminal: Terminal) -> String {
    let width = max(40, terminal.columns)
    var lines: [String] = []
    for entry in entries {
      // The verdicts are as wide as the longest, so that the statements stand in a column.
      let verdict = terminal.styled(entry.verdictText.padded(to: 15), entry.style)
      let statement = "\(entry.claim.statement) (\(entry.claim.source))".wrapped(to: width - 17)
      lines.append("  \(verdict)\(statement[0])")
      let margin = String(repeating: " ", count: 17)
      lines += statement.dropFirst().map { margin + $0 }
      lines += entry.details.flatMap { $0.wrapped(to: width - 19) }.map { margin + "  " + $0 }
    }
    return lines.joined(separator: "\n") + "\n\n" + summary
  }

  /// The report as Markdown, with these plots from the same folder.
  public func markdown(plots: [String] = []) -> String {
    var blocks = ["# \(record.recipe)", paper.citation, facts]
    if !entries.isEmpty {
      var table = TextTable(["claim", "source", "verdict", "numbers"])
      for entry in entries {
        table.add([
          entry.claim.statement, entry.claim.source, entry.verdictText, entry.details.joined(separator: " "),
        ])
      }
      blocks += ["## Claims", table.markdown]
    }
    if !record.metrics.names.isEmpty { blocks += ["## Metrics", metricsTable.markdown] }
    for plot in plots { blocks.append("![\(plot.dropLast(4))](\(plot))") }
    blocks += ["## Settings", "```json\n\(record.settings.indented)\n```"]
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private var facts: String {
    var line =
      "\(record.steps) steps on \(record.device) in \(NumberText.time(record.seconds)), seed \(record.seed)"
    if let first = record.losses.first, let last = record.losses.last {
      line += ", loss \(NumberText.short(first)) to \(NumberText.short(last))"
    }
    return line + "."
  }

  private var metricsTable: TextTable {
    var table = TextTable(["metric", "value"])
    for name in record.metrics.names {
      table.add([name, NumberText.digits(record.metrics[name] ?? .nan, 6)])
    }
    return table
  }

  private var summary: String {
    let verdicts = entries.map(\.verdictText)
    let counts = ["holds", "fails", "known to fail", "not measured"].compactMap { verdict -> String? in
      let count = verdicts.filter { $0 == verdict }.count
      return count == 0 ? nil : "\(count) \(verdict == "holds" && count > 1 ? "hold" : verdict)"
    }
    return "\(entries.count) \(entries.count == 1 ? "claim" : "claims"): \(counts.joined(separator: ", "))."
  }
}

extension Report.Entry {
  /// `holds`, `fails`, `known to fail` or `not measured`.
  var verdictText: String {
    switch finding.verdict {
    case .holds: "holds"
    case .fails: claim.failure == nil ? "fails" : "known to fail"
    case .notMeasured: "not measured"
    }
  }

  fileprivate var style: Terminal.Style {
    switch finding.verdict {
    case .holds: .green
    case .fails: claim.failure == nil ? .red : .yellow
    case .notMeasured: .yellow
    }
  }

  /// The numbers, and what is known about a claim that fails.
  fileprivate var details: [String] {
    var lines = [finding.numbers]
    if case .notMeasured(let names) = finding.verdict {
      let unique = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      lines = ["this setting does not measure \(unique.joined(separator: ", "))"]
    }
    if let failure = claim.failure {
      lines.append(
        finding.verdict == .holds ? "marked as failing, but holds here: \(failure)" : "seen: \(failure)")
    }
    return lines
  }
}
