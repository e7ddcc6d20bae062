import Foundation
import HeklaRuntime
import HeklaText

/// What was chosen for each operation, and why.
struct TuningReport {
  /// One operation.
  struct Entry {
    let key: TuningKey
    let result: TuningResult
    /// Whether it comes from an earlier run.
    let isKept: Bool
  }

  var entries: [Entry] = []

  /// Whether a variant was wrong, or did not run.
  var hasRejected: Bool {
    entries.contains { $0.result.candidates.contains { $0.outcome == .rejected } }
  }

  /// A line for each variant of each operation.
  func text(for terminal: Terminal) -> String {
    var table = TextTable(["operation", "inputs", "variant", "check", "median ms", "choice", "remark"])
    for entry in entries {
      for (index, candidate) in entry.result.candidates.enumerated() {
        table.add(
          (index == 0 ? [entry.operation, entry.result.inputs.joined(separator: " ")] : ["", ""]) + [
            candidate.variant, check(of: candidate, for: terminal),
            candidate.milliseconds.map { NumberText.plain($0, 4) } ?? "-", entry.choice(candidate.variant),
            candidate.reason ?? (index == 0 && entry.isKept ? "kept from an earlier run" : ""),
          ])
      }
    }
    return table.text()
  }

  private func check(of candidate: TuningResult.Candidate, for terminal: Terminal) -> String {
    switch candidate.outcome {
    case .timed, .slow: terminal.styled("passed", .green)
    case .rejected: terminal.styled("failed", .red)
    case .skipped, .untried: "-"
    }
  }

  /// The same as JSON.
  var document: JSONValue {
    .array(
      entries.map { entry in
        .object([
          .init("primitive", .text(entry.key.primitive)),
          .init("attributes", .text(entry.key.attributes)),
          .init("inputs", .array(entry.result.inputs.map { .text($0) })),
          .init("default", .text(entry.result.defaultVariant)),
          .init("chosen", entry.result.chosen.map { .text($0) } ?? .null),
          .init("kept", .flag(entry.isKept)),
          .init("variants", .array(entry.result.candidates.map(Self.document))),
        ])
      })
  }

  private static func document(of candidate: TuningResult.Candidate) -> JSONValue {
    .object([
      .init("variant", .text(candidate.variant)),
      .init("outcome", .text(candidate.outcome.rawValue)),
      .init("median_ms", candidate.milliseconds.map { JSONValue($0) } ?? .null),
      .init("reason", candidate.reason.map { .text($0) } ?? .null),
    ])
  }
}

extension TuningReport.Entry {
  fileprivate var operation: String {
    key.primitive + (key.attributes.isEmpty ? "" : " \(key.attributes)")
  }

  fileprivate func choice(_ variant: String) -> String {
    switch (variant == result.defaultVariant, variant == result.chosen) {
    case (true, true): "default, chosen"
    case (true, false): "default"
    case (false, true): "chosen"
    case (false, false): ""
    }
  }
}
