import Foundation
import Synchronization

/// The folder of one run: `metrics.jsonl` as training goes, then plots (`*.svg`), `report.md` and `report.json`.
///
/// Files appear whole: only `metrics.jsonl` grows, a complete line at a time. `report.json` comes last, so a
/// folder that holds it holds a finished run, and one without it holds what an interrupted run reached.
public final class RunFolder: Sendable {
  /// Where the folder is.
  public let path: String
  private let isNew: Bool
  private let metrics: Mutex<MetricsFile>

  private struct MetricsFile {
    let descriptor: Int32
    var isEmpty = true
  }

  /// Makes the folder `path`, with the folders above it, or takes it where it is empty.
  ///
  /// - Parameters:
  ///   - path: Where.
  ///   - isOverwriting: Whether a folder with a run may be taken; that run's files are deleted, others stay.
  /// - Throws: `ExperimentError.outputNotEmpty` or `.cannotWrite`; nothing has changed then.
  public init(_ path: String, isOverwriting: Bool = false) throws(ExperimentError) {
    self.path = path
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw .cannotWrite(path: path, reason: "The folder above it cannot be made.")
    }
    isNew = mkdir(path, 0o777) == 0
    if !isNew {
      guard errno == EEXIST else { throw .cannotWrite(path: path, reason: AtomicFile.systemMessage()) }
      try Self.takeOver(path, isOverwriting: isOverwriting)
    }
    // One call that both tests and makes: of two runs that want the folder at once, one gets it.
    let descriptor = open(path + "/metrics.jsonl", O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      if errno == EEXIST { throw .outputNotEmpty(path: path) }
      let reason = AtomicFile.systemMessage()
      if isNew { rmdir(path) }
      throw .cannotWrite(path: path, reason: reason)
    }
    metrics = Mutex(MetricsFile(descriptor: descriptor))
  }

  deinit { metrics.withLock { _ = close($0.descriptor) } }

  /// Adds a line to `metrics.jsonl`: one object with these members.
  public func append(_ members: [JSONValue.Member]) throws(ExperimentError) {
    let line = JSONValue.object(members).description + "\n"
    let reason: String? = metrics.withLock { metrics in
      metrics.isEmpty = false
      return AtomicFile.writeAll(Array(line.utf8), to: metrics.descriptor) ? nil : AtomicFile.systemMessage()
    }
    if let reason { throw .cannotWrite(path: path + "/metrics.jsonl", reason: reason) }
  }

  /// Adds a line to `metrics.jsonl`: the step's number and these metrics.
  public func append(step: Int, _ metrics: Metrics) throws(ExperimentError) {
    try append(
      [.init("step", JSONValue(step))] + metrics.names.map { .init($0, JSONValue(metrics[$0] ?? .nan)) })
  }

  /// Writes the file `name`, whole.
  public func write(_ text: String, to name: String) throws(ExperimentError) {
    try AtomicFile.write(text, to: path + "/" + name)
  }

  /// Writes the plot `name` as `name.svg`.
  public func write(_ chart: LineChart, named name: String) throws(ExperimentError) {
    try write(chart.svg, to: name + ".svg")
  }

  /// Writes `report.md` and, last, `report.json`.
  public func write(_ report: Report) throws(ExperimentError) {
    try write(report.markdown(plots: plotNames), to: "report.md")
    try write(report.record.jsonText, to: "report.json")
  }

  /// Takes back what making the folder left, where nothing was put into it, as when the run's input was bad.
  public func discardIfEmpty() {
    guard metrics.withLock({ $0.isEmpty }) else { return }
    unlink(path + "/metrics.jsonl")
    // rmdir refuses a folder that holds anything.
    if isNew { rmdir(path) }
  }

  /// The plots in the folder, sorted by name.
  private var plotNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(".svg") }
      .sorted()
  }

  /// Empties a folder of the run in it, where that is wanted.
  private static func takeOver(_ path: String, isOverwriting: Bool) throws(ExperimentError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      throw .cannotWrite(path: path, reason: "It is a file, not a folder.")
    }
    guard let contents = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .cannotWrite(path: path, reason: "What it holds cannot be read.")
    }
    if contents.isEmpty { return }
    guard isOverwriting else { throw .outputNotEmpty(path: path) }
    let reports = ["report.json", "metrics.jsonl", "report.md"]
    guard contents.contains(where: { reports.contains($0) }) else {
      throw .cannotWrite(path: path, reason: "It holds files, but no run that could be overwritten.")
    }
    // report.json first: what is left while files go is never taken for a finished run.
    for name in reports + contents.filter({ $0.hasSuffix(".svg") }) where contents.contains(name) {
      guard unlink(path + "/" + name) == 0 else {
        throw .cannotWrite(path: path + "/" + name, reason: AtomicFile.systemMessage())
      }
    }
  }
}
