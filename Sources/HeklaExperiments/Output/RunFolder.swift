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
  private let metricsDescriptor = Mutex<Int32?>(nil)

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
    // One call that both tests and makes, so two runs cannot both believe that the folder is theirs.
    isNew = mkdir(path, 0o777) == 0
    if !isNew {
      guard errno == EEXIST else { throw .cannotWrite(path: path, reason: AtomicFile.systemMessage()) }
      try takeOver(isOverwriting: isOverwriting)
    }
    do throws(ExperimentError) {
      try AtomicFile.requireWritable(path + "/report.json")
    } catch {
      discardIfEmpty()
      throw error
    }
  }

  deinit {
    if let descriptor = metricsDescriptor.withLock({ $0 }) { close(descriptor) }
  }

  /// Adds a line to `metrics.jsonl`: one object with these members.
  public func append(_ members: [JSONValue.Member]) throws(ExperimentError) {
    let file = path + "/metrics.jsonl"
    let line = JSONValue.object(members).description + "\n"
    let message: String? = metricsDescriptor.withLock { descriptor in
      let opened = descriptor ?? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
      guard opened >= 0 else { return AtomicFile.systemMessage() }
      descriptor = opened
      return AtomicFile.writeAll(Array(line.utf8), to: opened) ? nil : AtomicFile.systemMessage()
    }
    if let message { throw .cannotWrite(path: file, reason: message) }
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

  /// Removes the folder where this run made it and put nothing into it, as when the run's input was bad.
  public func discardIfEmpty() {
    // rmdir refuses a folder that holds anything.
    if isNew { rmdir(path) }
  }

  /// The plots in the folder, sorted by name.
  private var plotNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0.hasSuffix(".svg") }
      .sorted()
  }

  private func takeOver(isOverwriting: Bool) throws(ExperimentError) {
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
