/// Finds the step of the lowest validation loss, and ends training when no lower one comes for a while.
public struct EarlyStopping: Sendable, Equatable {
  /// How many steps without a lower loss are waited for.
  public let patience: Int
  /// The step of the lowest loss so far; of equal ones, the first.
  public private(set) var bestStep: Int?
  /// The lowest loss so far.
  public private(set) var lowest = Double.infinity
  /// Whether the last loss came `patience` steps or more after the lowest.
  public private(set) var isOver = false

  /// Waits for `patience` steps; for ever when nil.
  public init(patience: Int?) { self.patience = patience ?? .max }

  /// Notes the loss of a step, and says whether it is the lowest so far; NaN never is.
  public mutating func isBest(_ loss: Double, at step: Int) -> Bool {
    let isBest = loss < lowest
    if isBest { (lowest, bestStep) = (loss, step) }
    isOver = step - (bestStep ?? 0) >= patience
    return isBest
  }
}
