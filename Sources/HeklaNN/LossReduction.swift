import HeklaTensors

/// What becomes of the losses of single examples.
public enum LossReduction: Sendable {
  /// Their arithmetic mean, of rank 0.
  case mean
  /// Their sum, of rank 0.
  case sum
  /// They stay as they are.
  case none

  func callAsFunction(_ losses: Tensor) -> Tensor {
    switch self {
    case .mean: losses.mean()
    case .sum: losses.sum()
    case .none: losses
    }
  }
}
