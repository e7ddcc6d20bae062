import ArgumentParser
import Foundation
import HeklaCommands
import HeklaDevices
import HeklaRuntime
import HeklaText

/// `gpubench step STEP`.
struct StepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Trains a network on a device, checks that it learns, and times a step.",
    usage: "gpubench step <step> [--device <device>] [--steps <count>] [<options>]",
    discussion: """
      STEPS, each a whole one with gradient and update, in float32 on generated data:
      \(TrainingStep.help)

      EXAMPLES:
        gpubench step lenet --device cpu
        gpubench step transformer --device vulkan:0 --json
        gpubench step resnet --device opencl:0 --steps 20 --rerecord
        gpubench step lstm --device cpu --profile

      TIME: the median of a step, each with the next batch from the host's memory and no loss read. On GPUs over \
      blocks of steps of some 20 ms, submitted back to back and waited for once; on cpu over single steps. The \
      first step's is told from the start of the process to its end, with everything: loading, data, planning and \
      compiling. Host time is the processor time of the submitting thread for a step whose batch is there, on an \
      idle device, divided by the launches; wall is the same by the clock, which counts waiting too, for a core above \
      all where the driver's threads share them; on cpu, where submitting is running, both are what is spent outside \
      of the launches, by the clock. Upload is the time until a batch is handed over, on GPUs to one that is at \
      work on the step before. Each is a median over as many steps as are timed.

      MEMORY: the peak is by how much the process's resident memory grew at most, from before the step was \
      compiled to after the last (VmHWM less VmRSS in /proc/self/status); memory of a GPU's own is not in it. \
      Planned are the arenas and parameters, as the plan has them.

      CHECK: passed where the loss is finite and fell from the first step to the last, which has the first one's \
      batch, and a second training from the same seed had the same bits of both losses.

      PROFILE: instead of the above, steps as they are by turns with steps whose launches are timed one by one, and \
      a table as 'hekla profile' has it.

      JSON: an object with step, device, median_ms, first_ms, peak_bytes, planned_bytes, launches, \
      host_us_per_launch, host_wall_us_per_launch, upload_us, loss_first, loss_last and passed. What the \
      system does not tell is null.
      """)

  @Argument(help: ArgumentHelp("The network, its data and its optimizer.", valueName: "step"))
  var name: String

  @Option(help: "Where to run: cpu, vulkan:N, opencl:N, or auto for the fastest real GPU, else cpu.")
  var device = "auto"

  @Option(
    help: ArgumentHelp(
      "How many steps are timed. (default: about a second's worth, at least 10)", valueName: "count"))
  var steps: Int?

  @Option(help: ArgumentHelp("Examples of a step. (default: as above)", valueName: "count"))
  var batch: Int?

  @Flag(help: "Record the commands anew for each step, to see what replaying them is worth.")
  var rerecord = false

  @Flag(help: "Tell kernel by kernel where the time of a step goes.")
  var profile = false

  @Option(
    help: ArgumentHelp(
      "With --profile, also write a trace that ui.perfetto.dev and chrome://tracing show.", valueName: "file")
  )
  var trace: String?

  @Flag(help: "Print a JSON object to standard output instead of a table.")
  var json = false

  func validate() throws {
    if let batch, batch < 1 { throw ValidationError("--batch is at least 1; \(batch) was given.") }
    if let steps, steps < 1 { throw ValidationError("--steps is at least 1; \(steps) was given.") }
    if trace != nil, !profile { throw ValidationError("--trace writes what --profile measures; give both.") }
  }

  func run() throws {
    if profile {
      let report = try profileReport()
      print(json ? report.document.indented : report.text(for: .standardOutput), terminator: json ? "\n" : "")
      return
    }
    let result = try measure()
    print(json ? try JSONValue(encoding: result).indented : result.text(for: .standardOutput))
    if !result.hasPassed { throw ExitCode(ExitReport.failure) }
  }

  /// Trains as the options say.
  func measure() throws -> StepResult {
    let (step, run) = try opened()
    return try run.result(of: step)
  }

  /// Trains as the options say, launch by launch; writes what `--trace` asks for.
  func profileReport() throws -> ProfileReport {
    if let trace { try TraceFile(trace).requireWritable() }
    let (step, run) = try opened()
    let profile = try run.profile(of: step)
    let report = ProfileReport(
      "gpubench step \(name)", on: run.device, roofline: try Roofline.measured(on: run.device),
      steps: [ProfileReport.Step("step", profile)])
    if let trace { try TraceFile(trace).write(report.trace) }
    return report
  }

  private func opened() throws -> (TrainingStep, StepRun) {
    // What can be known to be wrong without a device is told before one is opened.
    let step = try TrainingStep.named(name)
    if batch != nil, step.batchSize == nil { throw BenchmarkError.noBatches(step: name) }
    let device = try DeviceCatalog.shared.device(named: device)
    return (step, StepRun(device: device, stepCount: steps, batchSize: batch, replays: !rerecord))
  }
}
