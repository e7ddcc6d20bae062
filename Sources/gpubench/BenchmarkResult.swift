import Foundation
import HeklaArrays
import HeklaText

/// One measurement, and whether what was measured is right.
struct BenchmarkResult: Equatable, Encodable {
  /// Which case.
  var caseName: String
  /// The kernels that ran, joined with `+`.
  var kernel: String
  /// Which of several kernels for the same primitive; `loop` where the kernel was generated.
  var variant: String
  /// The device's name.
  var device: String
  /// The case's shape.
  var shape: String
  /// The elements' type.
  var type: ElementType
  /// The median time of one evaluation in milliseconds.
  var medianMilliseconds: Double
  /// 10^9 arithmetic operations a second.
  var gigaflops: Double
  /// 10^9 bytes a second, of those that have to move at least.
  var gigabytesPerSecond: Double
  /// The least time that the operations and the bytes would take on this device, as a share of the time taken; see
  /// `Roofline`.
  var rooflineShare: Double
  /// The largest error, in units of what rounding alone may cause.
  var error: Double

  /// Whether rounding alone explains the error.
  var hasPassed: Bool { error <= 1 }

  private enum CodingKeys: String, CodingKey {
    case caseName = "case"
    case kernel, variant, device, shape, type
    case medianMilliseconds = "median_ms"
    case gigaflops = "gflops"
    case gigabytesPerSecond = "gbps"
    case rooflineShare = "of_roofline"
    case error, passed
  }

  /// Writes the members that the help promises, in that order.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(caseName, forKey: .caseName)
    try container.encode(kernel, forKey: .kernel)
    try container.encode(variant, forKey: .variant)
    try container.encode(device, forKey: .device)
    try container.encode(shape, forKey: .shape)
    try container.encode(type.rawValue, forKey: .type)
    try container.encode(medianMilliseconds, forKey: .medianMilliseconds)
    try container.encode(gigaflops, forKey: .gigaflops)
    try container.encode(gigabytesPerSecond, forKey: .gigabytesPerSecond)
    try container.encode(rooflineShare, forKey: .rooflineShare)
    try container.encode(error, forKey: .error)
    try container.encode(hasPassed, forKey: .passed)
  }

  /// A table of `results`, a line each.
  static func text(of results: [BenchmarkResult], for terminal: Terminal) -> String {
    var table = TextTable([
      "case", "kernel", "variant", "device", "shape", "type", "median ms", "GFLOP/s", "GB/s",
      "of roofline", "error", "check",
    ])
    for result in results {
      table.add([
        result.caseName, result.kernel, result.variant, result.device, result.shape, result.type.rawValue,
        NumberText.plain(result.medianMilliseconds, 4),
        result.gigaflops > 0 ? NumberText.plain(result.gigaflops, 4) : "-",
        NumberText.plain(result.gigabytesPerSecond, 4), NumberText.plain(result.rooflineShare * 100, 2) + "%",
        NumberText.digits(result.error, 2),
        result.hasPassed ? terminal.styled("passed", .green) : terminal.styled("failed", .red),
      ])
    }
    return table.isEmpty ? "Nothing was measured." : table.text()
  }
}
