import Foundation
import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import HeklaText
import TestSupport
import Testing

@testable import gpubench

@Suite struct GPUBenchRunTests {
  static let devices = ["cpu", "vulkan:0", "opencl:0"]
  /// Shapes around the edges of tiles, and what a family takes besides.
  static let runs: [[String]] = [
    ["matmul", "--shape", "65x33x17", "--variant", "all"],
    ["matmul", "--shape", "9x12x5", "--batch", "3", "--transpose", "both"],
    ["elementwise", "--shape", "33x7"], ["elementwise", "--shape", "257", "--type", "bfloat16"],
    ["reduce", "--shape", "33x65"], ["scatter", "--shape", "100x8x13", "--variant", "all"],
    ["depthwise-convolution", "--shape", "2x3x7x6x3"], ["dot-product-attention", "--shape", "1x2x9x8"],
    ["sort", "--shape", "5x33"], ["fft", "--shape", "3x60"],
  ]
  /// What PoCL compiles for seconds, and other tests run there.
  static let longRuns: [[String]] = [
    ["convolution-2d", "--shape", "2x3x7x6x5x3"], ["convolution-3d", "--shape", "1x2x4x5x3x3x3"],
    ["layer-normalization", "--shape", "5x33"], ["cholesky", "--shape", "2x33"],
  ]

  @Test("every case is right on every device", arguments: devices, runs)
  func cases(device: String, arguments: [String]) throws {
    try check(device, arguments)
  }

  @Test(
    "cases with many kernels are right on the processor and on Vulkan", arguments: ["cpu", "vulkan:0"],
    longRuns)
  func longCases(device: String, arguments: [String]) throws {
    try check(device, arguments)
  }

  private func check(_ device: String, _ arguments: [String]) throws {
    try requireDevice(device)
    let command = try RunCommand.parse(arguments + ["--device", device, "--repeat", "2", "--seconds", "0"])
    let (results, hasFailed) = try command.measure { _ in }
    #expect(!hasFailed)
    let (_, members) = try CaseFamily.cases(named: arguments[0])
    #expect(results.count >= members.count)
    for result in results {
      #expect(result.hasPassed, "\(result)")
      #expect(result.device == device)
      #expect(result.medianMilliseconds > 0 && result.gigabytesPerSecond > 0)
    }
  }

  /// A generated loop, whole numbers, a sum, a factorization with few variants, and a kernel below another primitive's.
  static let sampleNames = [
    "pad", "sort/many-equal", "segment-reduction/sum", "cholesky/edge-33", "gather/all",
    "matrix-product/double-33x9x7",
  ]

  @Test(
    "samples of primitives are right on every device, with every variant", arguments: devices, sampleNames)
  func samples(device: String, name: String) throws {
    try requireDevice(device)
    let arguments = [name, "--device", device, "--repeat", "1", "--seconds", "0", "--variant", "all"]
    let (results, hasFailed) = try RunCommand.parse(arguments).measure { _ in }
    #expect(!hasFailed)
    let request = try #require(try SampleRequest(named: name))
    #expect(Set(results.map(\.caseName)) == Set(request.cases.map(\.name)))
    for result in results {
      #expect(result.hasPassed, "\(result)")
      #expect(result.medianMilliseconds > 0 && result.gigabytesPerSecond > 0)
    }
    if name == "segment-reduction/sum" {
      #expect(results.map(\.variant) == [device == "cpu" ? "host" : "ordered"])
      let result = try #require(results.first)
      #expect(result.shape == "200x5,200" && result.gigaflops > 0)
    }
  }

  @Test("samples that lack the variant are passed over among all, and an error alone")
  func passedOver() throws {
    try requireDevice("vulkan:0")
    func run(_ name: String, variant: String?) throws -> (results: [BenchmarkResult], hasFailed: Bool) {
      let variant = variant.map { ["--variant", $0] } ?? []
      return try RunCommand.parse(
        [name, "--device", "vulkan:0", "--repeat", "1", "--seconds", "0"] + variant
      )
      .measure { _ in }
    }
    // Rows of more than 1,024 elements are sorted in another way.
    let (results, hasFailed) = try run("sort/all", variant: "rows")
    #expect(!hasFailed && results.allSatisfy { $0.hasPassed && $0.variant == "rows" })
    let ran = results.map(\.caseName)
    #expect(ran.contains("sort/rows") && !ran.contains("sort/long-rows"))
    #expect(ran.count > 1 && ran.count < (Self.samples("sort").count))
    for (name, variant) in [("sort/long-rows", "rows"), ("sort/all", "host")] {
      #expect(throws: BenchmarkError.self) { try run(name, variant: variant) }
    }
  }

  private static func samples(_ primitive: String) -> [Sample] {
    Sample.all.first { $0.primitive == primitive }?.samples ?? []
  }

  @Test("operations share a kernel, or are apart when asked to be", arguments: ["vulkan:0", "opencl:0"])
  func apart(device: String) throws {
    try requireDevice(device)
    let kernels = try [[], ["--apart"]].map { option in
      let arguments = ["matrix-product/bias-gelu", "--device", device, "--repeat", "1", "--seconds", "0"]
      let (results, hasFailed) = try RunCommand.parse(arguments + option).measure { _ in }
      #expect(!hasFailed && results.allSatisfy { $0.variant != "loop" })
      return results.map(\.kernel)
    }
    #expect(kernels[0].count == 1 && kernels[1] == kernels[0].map { "\($0)+map" }, "\(kernels)")
  }

  @Test(
    "every sample in single precision has a variant for each device",
    arguments: ["cpu", "vulkan:0", "opencl:0"])
  func everywhere(name: String) throws {
    try requireDevice(name)
    let device = try DeviceCatalog.shared.device(named: name).capabilities
    for (primitive, samples) in Sample.all {
      for sample in samples where !sample.inputs.contains(where: { $0.signature.elementType == .float64 }) {
        guard let choice = KernelChoice(of: sample, primitive: primitive) else { continue }
        #expect(!choice.usable(on: device).isEmpty, "\(primitive)/\(sample.label)")
      }
    }
  }

  @Test("every primitive's samples have different names, and none that a case or 'all' has")
  func names() throws {
    for (primitive, samples) in Sample.all {
      #expect(Set(samples.map(\.label)).count == samples.count, "\(primitive)")
      for sample in samples {
        let request = try #require(try SampleRequest(named: "\(primitive)/\(sample.label)"))
        #expect(request.samples.map(\.label) == [sample.label])
      }
    }
    #expect(try SampleRequest(named: "gather") == nil)
    #expect(try SampleRequest(named: "sort") == nil)
    #expect(try SampleRequest(named: "no-such-thing") == nil)
    #expect(
      try SampleRequest(named: "gather/all")?.samples.map(\.label) == Self.samples("gather").map(\.label))
  }

  @Test("the inventory has every primitive and says which devices run which variants")
  func inventory() throws {
    var small = Capabilities(interface: .vulkan, kind: .software, deviceName: "Paper", driver: "none")
    small.maxBindingCount = 16
    let entries = [
      DeviceCatalog.Entry(
        name: "cpu", capabilities: try DeviceCatalog.shared.device(named: "cpu").capabilities),
      DeviceCatalog.Entry(name: "paper:0", capabilities: small),
      DeviceCatalog.Entry(
        name: "opencl", problem: .unavailable(device: "opencl", reason: "None.", remedy: "Install one.")),
    ]
    let inventory = Inventory(devices: entries)
    let lines = inventory.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines[0] == ["primitive", "variant", "cpu", "paper:0"])
    let count = "\(Self.samples("segment-reduction").count)"
    #expect(lines.contains(["segment-reduction", "host", count, "of", count, "-"]))
    let list = try #require(
      try JSONSerialization.jsonObject(with: Data(inventory.document.indented.utf8)) as? [[String: Any]])
    #expect(list.compactMap { $0["primitive"] as? String } == Sample.all.map(\.primitive))
    let sort = try #require(list.first { $0["primitive"] as? String == "sort" })
    #expect(sort["variants"] as? [String] == ["host", "rows", "radix"])
    let samples = try #require(sort["samples"] as? [[String: Any]])
    let long = try #require(samples.first { $0["label"] as? String == "long-rows" })
    // The paper device's workgroups of 128 are too small for the radix sort, and the rows too long for the other.
    #expect(long["variants"] as? [String: [String]] == ["cpu": ["host"], "paper:0": []])
  }

  @Test("HEKLA_CHECK_INDICES=1 has every step check its indices on GPUs", arguments: ["0", "1"])
  func checksIndices(setting: String) throws {
    try requireDevice("vulkan:0")
    let outcome = try BuiltCommand("gpubench")(
      ["run", "gather/rows", "--device", "vulkan:0", "--seconds", "0", "--repeat", "1", "--json"],
      environment: ["HEKLA_CHECK_INDICES": setting])
    #expect(outcome.code == 0)
    let list = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    #expect(
      list?.first?["kernel"] as? String == (setting == "1" ? "check_indices+gather_rows" : "gather_rows"))
  }

  @Test("JSON is a list on standard output alone, with exactly the promised keys")
  func json() throws {
    let outcome = try BuiltCommand("gpubench")([
      "run", "matmul", "--device", "cpu", "--shape", "8x4x2", "--seconds", "0", "--repeat", "1", "--json",
    ])
    #expect(outcome.code == 0)
    #expect(outcome.errors.contains("matmul 8x4x2 float32"))
    let list = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    let result = try #require(list.first)
    #expect(list.count == 1)
    #expect(
      Set(result.keys) == [
        "case", "kernel", "variant", "device", "shape", "type", "median_ms", "gflops", "gbps",
        "of_roofline", "error", "passed",
      ])
    #expect(result["case"] as? String == "matmul")
    #expect(result["kernel"] as? String == "matrix_product")
    #expect(result["variant"] as? String == "host")
    #expect(result["shape"] as? String == "8x4x2")
    #expect(result["type"] as? String == "float32")
    #expect(result["passed"] as? Bool == true)
    let milliseconds = try #require(result["median_ms"] as? Double)
    let gigaflops = try #require(result["gflops"] as? Double)
    // 2 m n k operations; the two numbers come from one time.
    #expect(abs(gigaflops * milliseconds * 1e6 - 128) < 1e-6)
  }

  @Test("a trace has the launches of every case")
  func trace() throws {
    let folder = try TemporaryFolder()
    let command = try RunCommand.parse([
      "scatter", "--device", "cpu", "--shape", "20x4x9", "--repeat", "2", "--seconds", "0", "--trace",
      folder.path + "/trace.json",
    ])
    let (results, hasFailed) = try command.measure { _ in }
    #expect(!hasFailed && results.allSatisfy { $0.rooflineShare > 0 })
    let text = try folder.text(of: "trace.json")
    let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let events = try #require(document?["traceEvents"] as? [[String: Any]])
    let launches = events.filter { $0["cat"] as? String == "kernel" }
    // Each launch twice, for the two repetitions; a softmax over segments has several.
    let names = launches.compactMap { $0["name"] as? String }
    #expect(names.prefix(4) == ["scatter-sum", "scatter-sum", "gather", "gather"])
    #expect(names.count > 6 && names.count % 2 == 0)
    let steps = launches.compactMap { ($0["args"] as? [String: Any])?["step"] as? String }
    #expect(
      Set(steps) == [
        "scatter-sum 20x4x9 float32", "gather 20x4x9 float32", "segment-softmax 20x4x9 float32",
      ])
  }

  @Test("lists as JSON are JSON", arguments: ["devices", "list"])
  func lists(command: String) throws {
    let outcome = try BuiltCommand("gpubench")([command, "--json"])
    #expect(outcome.code == 0)
    #expect(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) is [[String: Any]])
  }

  @Test("the table names units, and says passed or failed")
  func table() {
    let right = BenchmarkResult(
      caseName: "matmul", kernel: "matmul_naive", variant: "naive", device: "cpu", shape: "2x2x2",
      type: .float32,
      medianMilliseconds: 12.5, gigaflops: 1234.5, gigabytesPerSecond: 0.25, rooflineShare: 0.625,
      error: 0.125)
    var wrong = right
    (wrong.caseName, wrong.gigaflops, wrong.error) = ("copy", 0, .infinity)
    #expect(
      BenchmarkResult.text(of: [right, wrong], for: .file) == """
        case    kernel        variant  device  shape  type     median ms  GFLOP/s    GB/s  of roofline  error  check
        matmul  matmul_naive  naive    cpu     2x2x2  float32      12.50     1234  0.2500          62%  0.12   passed
        copy    matmul_naive  naive    cpu     2x2x2  float32      12.50        -  0.2500          62%  inf    failed
        """)
    let colored = BenchmarkResult.text(of: [wrong], for: Terminal(isInteractive: true, hasColor: true))
    #expect(colored.hasSuffix("\u{1B}[31mfailed\u{1B}[0m"))
  }
}

/// Skips the test where the device is missing, except on continuous integration, where that is a failure.
func requireDevice(_ name: String) throws {
  do {
    _ = try DeviceCatalog.shared.device(named: name)
  } catch {
    if ProcessInfo.processInfo.environment["CI"] == "true" { throw error }
    try Test.cancel("\(error)")
  }
}
