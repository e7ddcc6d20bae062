import ArgumentParser
import Foundation
import Hekla
import HeklaExperiments

/// How the process ends: the code that scripts test, and what a person reads.
struct ExitReport: Equatable {
  /// The work failed while it ran.
  static let failure: Int32 = 1
  /// What was asked for cannot be: an option, a name, a setting, a file.
  static let badInput: Int32 = 2
  /// A claim failed, or none could be checked.
  static let claimFailed: Int32 = 3

  let code: Int32
  /// What to print; empty for nothing.
  let message: String

  init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  /// The end that `error` means.
  init(of error: any Error) {
    switch error {
    case let error as ExperimentError:
      self.init(code: error.isBadInput ? Self.badInput : Self.failure, message: "Error: \(error)")
    case let error as DeviceError:
      self.init(of: error)
    case let error as ExitCode:
      self.init(code: error.rawValue, message: "")
    default:
      // The parser's own errors, requests for help, and errors of a kind that only the recipe knows.
      let code = HeklaCommand.exitCode(for: error)
      self.init(
        code: code == .validationFailure ? Self.badInput : code.rawValue,
        message: HeklaCommand.fullMessage(for: error))
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
  func send() -> Int32 {
    if code == 0 {
      print(message)
    } else if !message.isEmpty {
      FileHandle.standardError.write(Foundation.Data((message + "\n").utf8))
    }
    return code
  }
}
