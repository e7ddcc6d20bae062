import ArgumentParser
import Foundation
import HeklaArrays
import HeklaCommands
import HeklaDevices
import HeklaRuntime
import HeklaText

/// `gpubench run CASE`.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Checks and times cases on a device.",
    usage: "gpubench run <case> [--device <device>] [--shape <shape>] [--type <type>] [<options>]",
    discussion: """
      CASES AND SHAPES:
      \(CaseFamily.help)
      Any single case can be named too, such as gelu or conv2d. Without --shape, it is one that suits the device.

      SAMPLES OF PRIMITIVES:
        fourier      every sample of the primitive that the device can run
        gather/all   the same, where a case has the primitive's name
        gather/rows  one sample
      'gpubench list' has the primitives, their samples and variants. Samples have shapes and types of their own, \
      and are timed whole: with what prepares the primitive's inputs.

      EXAMPLES:
        gpubench run matmul --device vulkan:0 --variant all
        gpubench run matmul --shape 512x512x64 --batch 16 --transpose right
        gpubench run softmax-rows --device cpu --shape 4096x1024 --json
        gpubench run conv2d-gradients --device vulkan:0 --shape 32x64x56x56x64x3
        gpubench run cholesky --device opencl:0 --variant all
        gpubench run matrix-product/bias-gelu --device vulkan:0 --apart
        gpubench run sort --device cpu --trace sort.json

      TIME: the median over repetitions of one evaluation, with the inputs on the device and nothing read back. \
      On Vulkan GPUs the sum of the launches' own times, by the device's timestamps; elsewhere the clock over \
      replays submitted back to back, divided by their number. What fits into a cache is measured from there.

      OF ROOFLINE: the least time that the operations and the bytes would take, as a share of the time taken, at the \
      rates of the fastest products or multiplications and of the fastest copy or sum, in float32, that were \
      measured on the device just before. What lies in a cache, or is better than those, can be above 100%.

      ERROR: the largest difference from a reference in float64, as a multiple of what rounding alone may cause; \
      up to 1 the check is passed. Outputs hold NaN before the run that is checked. Of large products the first \
      and last rows and columns and a random sample are checked; a random sample also of large convolutions, \
      attentions, transforms, factors and sorted rows; of everything else every element. For a sample of \
      a primitive, the multiple is of the tolerance that the tests hold it to.

      JSON: a list of objects with case, kernel, variant, device, shape, type, median_ms, gflops (10^9 operations \
      a second), gbps (10^9 bytes a second, inputs and outputs counted once), of_roofline (1 is all of it), error and \
      passed. An infinite error is the text "Infinity".
      """)

  @Argument(
    help: ArgumentHelp("A family of cases, one case, a primitive or one of its samples.", valueName: "case"))
  var name: String

  @Option(help: "Where to run: cpu, vulkan:N, opencl:N, or auto for the fastest real GPU, else cpu.")
  var device = "auto"

  @Option(help: "The extents, in the form that the case takes.")
  var shape: String?

  @Option(help: "What an element is, such as float32 or float64. (default: float32)")
  var type: String?

  @Option(help: "One of the kernel's variants, or all that run on the device. (default: chosen by rule)")
  var variant: String?

  @Option(help: ArgumentHelp("matmul: which factors are stored transposed: left, right or both."))
  var transpose: Transposition?

  @Option(help: "matmul: how many products are computed at once.")
  var batch: Int?

  @Option(help: "reduce: only what folds rows, columns or all.")
  var axis: ReductionAxis?

  @Option(name: .customLong("repeat"), help: ArgumentHelp("The most repetitions.", valueName: "count"))
  var repetitions = 100

  @Option(help: "Begin no repetition after this time; three are made in any case.")
  var seconds = 1.0

  @Flag(help: "Give each operation a kernel of its own, to see what sharing them is worth.")
  var apart = false

  @Option(
    help: ArgumentHelp(
      "Time each launch too, and write a trace that ui.perfetto.dev and chrome://tracing show.",
      valueName: "file"))
  var trace: String?

  @Flag(help: "Print a JSON array to standard output instead of a table.")
  var json = false

  func validate() throws {
    if let batch, batch < 1 { throw ValidationError("--batch is at least 1; \(batch) was given.") }
    if repetitions < 1 { throw ValidationError("--repeat is at least 1; \(repetitions) was given.") }
    if !(0...86_400).contains(seconds) {
      throw ValidationError("--seconds is between 0 and 86400; \(seconds) was given.")
    }
  }

  func run() throws {
    let (results, hasFailed) = try measure { line in
      FileHandle.standardError.write(Foundation.Data((line + "\n").utf8))
    }
    print(
      json ? try Self.document(of: results).indented : BenchmarkResult.text(of: results, for: .standardOutput)
    )
    if hasFailed || !results.allSatisfy(\.hasPassed) { throw ExitCode(ExitReport.failure) }
  }

  /// Measures what the options ask for; a variant that cannot run is reported, and does not stop the others.
  func measure(reporting: (String) -> Void) throws -> (results: [BenchmarkResult], hasFailed: Bool) {
    // What can be known to be wrong without a device is told before one is opened.
    let samples = try SampleRequest(named: name)
    let request = try samples == nil ? caseRequest() : nil
    if let samples { try rejectCaseOptions(for: samples.primitive) }
    if let trace { try TraceFile(trace).requireWritable() }
    let device = try DeviceCatalog.shared.device(named: device)
    let cases = try samples?.cases ?? request?.cases(on: device.capabilities) ?? []
    let run = try BenchmarkRun(
      on: device, timer: LaunchTimer(repetitions: repetitions, seconds: seconds), fuses: !apart,
      profiledRuns: trace == nil ? 0 : min(repetitions, 10))
    let plan = try self.plan(cases, on: run, passesOver: samples?.isWhole == true)
    reporting("\(device.name): \(device.capabilities.deviceName), \(device.capabilities.driver)")
    var (results, hasFailed) = ([BenchmarkResult](), false)
    var steps: [ProfileReport.Step] = []
    for (benchmark, variants) in plan {
      for variant in variants {
        let name =
          "\(benchmark.name) \(benchmark.shape) \(benchmark.elementType.rawValue)"
          + (variant.map { " \($0)" } ?? "")
        reporting(name)
        do {
          let (result, profile) = try run.result(of: benchmark, variant: variant)
          results.append(result)
          if let profile { steps.append(.init(name, profile)) }
        } catch DeviceError.unsupported(let device, let feature, _) where samples?.isWhole == true {
          reporting("Passed over: \(device) does not support \(feature).")
        } catch {
          reporting("Error: \(error)")
          hasFailed = true
        }
      }
    }
    if let trace {
      let report = ProfileReport("gpubench \(name)", on: device, roofline: run.roofline, steps: steps)
      try TraceFile(trace).write(report.trace)
    }
    return (results, hasFailed || results.isEmpty)
  }

  /// The cases with the variants to run; samples that lack a variant may be passed over as long as one has it.
  private func plan(
    _ cases: [BenchmarkCase], on run: BenchmarkRun, passesOver: Bool
  ) throws(BenchmarkError) -> [(BenchmarkCase, [String?])] {
    var plan: [(BenchmarkCase, [String?])] = []
    var refusal: BenchmarkError?
    for benchmark in cases {
      do throws(BenchmarkError) {
        plan.append((benchmark, try run.variants(of: benchmark, choosing: variant)))
      } catch {
        guard passesOver, case .unusableVariant = error else { throw error }
        refusal = error
      }
    }
    if plan.isEmpty, let refusal { throw refusal }
    return plan
  }

  private func caseRequest() throws(BenchmarkError) -> CaseRequest {
    let type = type ?? ElementType.float32.rawValue
    guard let elementType = ElementType(rawValue: type) else { throw .unknownType(type) }
    _ = try CaseFamily.cases(named: name)
    return CaseRequest(
      name: name, shape: shape, elementType: elementType, transposition: transpose, batch: batch, axis: axis)
  }

  private func rejectCaseOptions(for primitive: String) throws(BenchmarkError) {
    let options = [
      ("--shape", shape != nil), ("--type", type != nil), ("--transpose", transpose != nil),
      ("--batch", batch != nil), ("--axis", axis != nil),
    ]
    if let option = options.first(where: \.1) { throw .optionOfCases(option.0, primitive: primitive) }
  }

  /// `results` as the list that `--json` prints.
  static func document(of results: [BenchmarkResult]) throws -> JSONValue {
    .array(try results.map { try JSONValue(encoding: $0) })
  }
}

extension Transposition: ExpressibleByArgument {}
extension ReductionAxis: ExpressibleByArgument {}
