import Foundation

/// A built command, which lies beside the tests, as a person starts it.
struct BuiltCommand {
  /// What a run came to.
  struct Outcome {
    var code: Int32
    var output: String
    var errors: String
  }

  let name: String

  init(_ name: String) { self.name = name }

  /// Runs the command and waits for its end.
  func callAsFunction(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    let process = Process()
    process.executableURL = Bundle.main.bundleURL.appendingPathComponent(name)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "HOME": NSTemporaryDirectory()].merging(environment) {
      $1
    }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // What these commands print fits a pipe's buffer, so one stream after the other cannot block.
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    let errorText = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: errorText, as: UTF8.self))
  }
}
