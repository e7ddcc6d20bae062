import ArgumentParser
import Foundation
import HeklaDevices
import HeklaText

/// How a command's process ends: the code that scripts test, and what a person reads.
public struct ExitReport: Equatable, Sendable {
  /// The work failed while it ran.
  public static let failure: Int32 = 1
  /// What was asked for cannot be: an option, a name, a setting, a file.
  public static let badInput: Int32 = 2

  /// The process's exit code.
  public let code: Int32
  /// What to print; empty for nothing.
  public let message: String

  /// The end with `code`, after `message`.
  public init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  /// The end that `error` means to every command; `root` knows the errors of its parser.
  public init(of error: any Error, in root: any ParsableCommand.Type) {
    switch error {
    case let error as DeviceError:
      self.init(of: error)
    case let error as ExitCode:
      self.init(code: error.rawValue, message: "")
    default:
      // The parser's own errors, requests for help, and errors of a kind that nobody knows.
      let code = root.exitCode(for: error)
      self.init(
        code: code == .validationFailure ? Self.badInput : code.rawValue,
        message: root.fullMessage(for: error))
    }
  }

  private init(of error: DeviceError) {
    switch error {
    case .unknownDevice(let name, let known):
      let question = NearestNames(to: name, among: known + ["auto"]).question
      self.init(code: Self.badInput, message: "Error: \(error)\(question)")
    case .unavailable:
      self.init(code: Self.badInput, message: "Error: \(error)")
    default:
      self.init(code: Self.failure, message: "Error: \(error)")
    }
  }

  /// Prints the message, help on standard output and errors on standard error, and returns the code.
  public func send() -> Int32 {
    if code == 0 {
      print(message)
    } else if !message.isEmpty {
      FileHandle.standardError.write(Foundation.Data((message + "\n").utf8))
    }
    return code
  }
}
