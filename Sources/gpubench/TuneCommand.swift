import ArgumentParser
import Foundation
import HeklaArrays
import HeklaCommands
import HeklaDevices
import HeklaRuntime
import HeklaText

/// `gpubench tune CASE`.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Finds the fastest kernel variants of a device, among those that are right.",
    usage: """
      gpubench tune <case> [--device <device>] [--shape <shape>] [--budget <seconds>] [<options>]
      gpubench tune (--list | --clear) [--device <device>]
      """,
    discussion: """
      WHAT CAN BE TUNED: every operation with more than one variant on the device in a case of 'gpubench run', in the \
      samples of a primitive, in one sample, or in all samples of all primitives.

      EXAMPLES:
        gpubench tune matmul --device vulkan:0 --shape 2048x2048x2048
        gpubench tune convolution --device opencl:0 --budget 120
        gpubench tune all --json
        gpubench tune --list
        HEKLA_TUNING=1 gpubench run matmul --shape 2000x2000x2000

      HOW: each variant is verified first, on memory full of NaN and between guard words, against a reference in \
      float64; for large shapes at a smaller one, and then against the others at the shape itself. Those that fail \
      are rejected. The others are timed in alternation, and the one that the rules choose stays unless another \
      saves more than 5% of its time. Variants that take three times as long at first are dropped.

      WHAT FOR: choices are kept per device and driver, beside the compiled kernels (HEKLA_CACHE), for all extents \
      that round up to the same powers of two; a second run keeps them. Programs compile by them only where \
      HEKLA_TUNING is 1 or their compiler options say so, because a choice changes the last bits of results.

      JSON: a list of objects with primitive, attributes, inputs, default, chosen (null where no variant was right), \
      kept (from an earlier run) and variants: objects with variant, outcome (timed, slow, rejected, skipped, \
      untried), median_ms and reason.
      """)

  @Argument(
    help: ArgumentHelp(
      "A case or family of cases, a primitive or one of its samples, or all.", valueName: "case"))
  var name: String?

  @Option(help: "What to tune: cpu, vulkan:N, opencl:N, or auto for the fastest real GPU, else cpu.")
  var device = "auto"

  @Option(help: "The extents, in the form that the case takes.")
  var shape: String?

  @Option(help: ArgumentHelp("What an element is, such as float32 or float64. (default: float32)"))
  var type: String?

  @Option(help: "matmul: which factors are stored transposed: left, right or both.")
  var transpose: Transposition?

  @Option(help: "matmul: how many products are computed at once.")
  var batch: Int?

  @Option(help: ArgumentHelp("Begin no variant after this time.", valueName: "seconds"))
  var budget = 60.0

  @Flag(help: "Print what was chosen on the device so far.")
  var list = false

  @Flag(help: "Forget what was chosen on the device so far.")
  var clear = false

  @Flag(help: "Print a JSON array to standard output instead of a table.")
  var json = false

  func validate() throws {
    if [name != nil, list, clear].count(where: { $0 }) != 1 {
      throw ValidationError("Name a case to tune, or give one of --list and --clear.")
    }
    if let batch, batch < 1 { throw ValidationError("--batch is at least 1; \(batch) was given.") }
    if !(0...86_400).contains(budget) {
      throw ValidationError("--budget is between 0 and 86400; \(budget) was given.")
    }
  }

  func run() throws {
    let request = try name.map(request)
    let device = try DeviceCatalog.shared.device(named: device)
    var cache = TuningCache(for: device.capabilities)
    guard let path = cache.path else { throw BenchmarkError.noCacheFolder }
    if clear {
      print(
        cache.clear()
          ? "Removed \(path)." : "There are no choices for \(device.name): \(path) does not exist.")
      return
    }
    var report = TuningReport()
    if let request {
      report = try tune(request, on: device, keepingIn: &cache) { line in
        FileHandle.standardError.write(Foundation.Data((line + "\n").utf8))
      }
    } else {
      let own = cache.results.filter { $0.key.device == cache.device }
      report.entries = own.sorted { $0.key.description < $1.key.description }
        .map { .init(key: $0.key, result: $0.value, isKept: true) }
    }
    if json {
      print(report.document.indented)
    } else if report.entries.isEmpty {
      print("Nothing was tuned on \(device.name) yet.")
    } else {
      print(report.text(for: .standardOutput))
    }
    if !list, report.hasRejected { throw ExitCode(ExitReport.failure) }
  }

  /// Tunes what `request` stands for and is not in `cache` yet, and keeps the choices there and in its file.
  func tune(
    _ request: TuneRequest, on device: any Device, keepingIn cache: inout TuningCache,
    reporting: (String) -> Void
  ) throws -> TuningReport {
    // Before anything is measured in vain.
    guard cache.save() else { throw BenchmarkError.cacheNotWritable(cache.path ?? "") }
    reporting("\(device.name): \(device.capabilities.deviceName), \(device.capabilities.driver)")
    let items = try request.items(on: device)
    var limits = Tuner.Limits()
    limits.seconds = budget
    let tuner = try Tuner(on: device, limits: limits)
    var report = TuningReport()
    var seen: Set<TuningKey> = []
    for item in items {
      guard let key = item.subject.key(on: device.capabilities), seen.insert(key).inserted else { continue }
      if let known = cache[key], known.isComplete {
        report.entries.append(.init(key: key, result: known, isKept: true))
        continue
      }
      reporting("\(key)")
      let result = try tuner.tune(item.subject, verifyingAt: item.exam)
      report.entries.append(.init(key: key, result: result, isKept: false))
      // What is wrong everywhere is tried again, when it is mended perhaps.
      guard result.chosen != nil else { continue }
      cache[key] = result
      guard cache.save() else { throw BenchmarkError.cacheNotWritable(cache.path ?? "") }
    }
    let kept = report.entries.count { $0.isKept }
    reporting("\(report.entries.count - kept) measured, \(kept) kept from earlier runs; \(cache.path ?? "")")
    return report
  }

  /// What can be known to be wrong without a device is told before one is opened.
  private func request(_ name: String) throws(BenchmarkError) -> TuneRequest {
    let type = type ?? ElementType.float32.rawValue
    guard let elementType = ElementType(rawValue: type) else { throw .unknownType(type) }
    let request = TuneRequest(
      name: name, shape: shape, elementType: elementType, transposition: transpose, batch: batch)
    guard let samples = try request.samples() else {
      _ = try CaseFamily.cases(named: name)
      return request
    }
    let options = [
      ("--shape", shape != nil), ("--type", self.type != nil), ("--transpose", transpose != nil),
      ("--batch", batch != nil),
    ]
    if let option = options.first(where: \.1) {
      // All primitives are several.
      throw .optionOfCases(option.0, primitive: samples.count == 1 ? samples[0].primitive : name)
    }
    return request
  }
}
