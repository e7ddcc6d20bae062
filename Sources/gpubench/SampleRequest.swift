import HeklaTensors
import HeklaText

/// The samples of a primitive that a person asked to measure.
struct SampleRequest {
  /// The primitive's name.
  let primitive: String
  /// One sample, or all that the primitive has.
  let samples: [Sample]
  /// Whether all were asked for; those that a device cannot run are then passed over.
  let isWhole: Bool

  /// The word that stands for all samples of a primitive.
  private static let everything = "all"

  /// The samples that `name` stands for: `PRIMITIVE`, `PRIMITIVE/all` or `PRIMITIVE/SAMPLE`.
  ///
  /// Nil where it names a case or a family, which go first, or nothing at all.
  init?(named name: String) throws(BenchmarkError) {
    let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 || !CaseFamily.allNames.contains(name) else { return nil }
    guard let entry = Sample.all.first(where: { $0.primitive == parts[0] }) else {
      guard parts.count == 2 else { return nil }
      throw .unknownPrimitive(parts[0])
    }
    primitive = entry.primitive
    isWhole = parts.count == 1 || parts[1] == Self.everything
    samples = isWhole ? entry.samples : entry.samples.filter { $0.label == parts[1] }
    guard !samples.isEmpty else {
      throw .unknownSample(parts[1], primitive: primitive, known: entry.samples.map(\.label))
    }
  }

  /// The names of all primitives that have samples.
  static var primitives: [String] { Sample.all.map(\.primitive) }

  /// The samples as cases.
  var cases: [BenchmarkCase] { samples.map { .sample($0, of: primitive) } }
}
