import Foundation
import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaText
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
  ]

  /// Skips the test where the device is missing, except on continuous integration, where that is a failure.
  private func require(_ device: String) throws {
    do {
      _ = try DeviceCatalog.shared.device(named: device)
    } catch {
      if ProcessInfo.processInfo.environment["CI"] == "true" { throw error }
      try Test.cancel("\(error)")
    }
  }

  @Test("every case is right on every device", arguments: devices, runs)
  func cases(device: String, arguments: [String]) throws {
    try require(device)
    let command = try RunCommand.parse(arguments + ["--device", device, "--repeat", "2", "--seconds", "0"])
    let (results, hasFailed) = try command.measure { _ in }
    #expect(!hasFailed)
    let (_, names) = try CaseFamily.cases(named: arguments[0])
    #expect(results.count >= names.count)
    for result in results {
      #expect(result.hasPassed, "\(result)")
      #expect(result.device == device)
      #expect(result.medianMilliseconds > 0 && result.gigabytesPerSecond > 0)
    }
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
        "case", "kernel", "variant", "device", "shape", "type", "median_ms", "gflops", "gbps", "error",
        "passed",
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
      medianMilliseconds: 12.5, gigaflops: 1234.5, gigabytesPerSecond: 0.25, error: 0.125)
    var wrong = right
    (wrong.caseName, wrong.gigaflops, wrong.error) = ("copy", 0, .infinity)
    #expect(
      BenchmarkResult.text(of: [right, wrong], for: .file) == """
        case    kernel        variant  device  shape  type     median ms  GFLOP/s    GB/s  error  check
        matmul  matmul_naive  naive    cpu     2x2x2  float32      12.50     1234  0.2500  0.12   passed
        copy    matmul_naive  naive    cpu     2x2x2  float32      12.50        -  0.2500  inf    failed
        """)
    let colored = BenchmarkResult.text(of: [wrong], for: Terminal(isInteractive: true, hasColor: true))
    #expect(colored.hasSuffix("\u{1B}[31mfailed\u{1B}[0m"))
  }
}
