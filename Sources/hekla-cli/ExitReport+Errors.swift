import Hekla
import HeklaCommands
import HeklaExperiments

extension ExitReport {
  /// A claim failed, or none could be checked.
  static let claimFailed: Int32 = 3

  /// The end that `error` means.
  init(of error: any Error) {
    switch error {
    case let error as ExperimentError:
      self.init(code: error.isBadInput ? Self.badInput : Self.failure, message: "Error: \(error)")
    case let error as DataError:
      // A file is what the person gave, whatever is wrong with it.
      self.init(code: Self.badInput, message: "Error: \(error)")
    default:
      self.init(of: error, in: HeklaCommand.self)
    }
  }
}
