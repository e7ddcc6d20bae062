import HeklaArrays
import Synchronization

/// Which rows of a data set make up the batch of each training step.
///
/// A pure function of `count`, `batchSize`, `key`, `remainder` and the step: a run that is resumed at some
/// step sees the batches that it would have seen. Every epoch has an order of its own, `key` folded with the
/// epoch's number and made a permutation, and every batch has exactly `batchSize` rows.
public struct BatchOrder: Sendable {
  /// What becomes of the rows that fill no batch when an epoch ends.
  public enum Remainder: Sendable, Hashable {
    /// They sit this epoch out: it has `count / batchSize` steps, in which no row comes twice. The next
    /// epoch's order leaves out others.
    case drop
    /// They share a batch with the first rows of the next epoch's order: batches are consecutive pieces of
    /// all epochs' orders joined. Each row comes once per epoch; a batch across the border may hold one
    /// twice.
    case wrap
  }

  /// The number of rows in the data set.
  public let count: Int
  /// The number of rows in each batch.
  public let batchSize: Int
  /// The seed of all orders.
  public let key: RandomKey
  /// What becomes of the rows that fill no batch when an epoch ends.
  public let remainder: Remainder
  private let latest = LatestOrder()

  /// The order of the batches of a run.
  /// - Precondition: `count` and `batchSize` are positive, and `batchSize` is at most `count` unless
  ///   `remainder` is `.wrap`.
  public init(count: Int, batchSize: Int, key: RandomKey, remainder: Remainder = .drop) {
    require(
      count > 0 && batchSize > 0, "BatchOrder: count \(count) and batchSize \(batchSize) must be positive")
    require(
      batchSize <= count || remainder == .wrap,
      "BatchOrder: \(count) rows fill no batch of \(batchSize); wrap the remainder or use smaller batches"
    )
    self.count = count
    self.batchSize = batchSize
    self.key = key
    self.remainder = remainder
  }

  /// The number of batches that lie wholly inside of one epoch when it begins with a batch.
  public var stepsPerEpoch: Int { count / batchSize }

  /// The epoch, from 0, that the first row of the batch at `step` belongs to.
  /// - Precondition: `step` is not negative.
  public func epoch(ofStep step: Int) -> Int { start(ofStep: step) / count }

  /// The rows of the batch at `step`, `batchSize` of them, each in `0..<count`.
  ///
  /// The latest epoch's order is kept, so that steps in sequence cost their own rows only.
  /// - Precondition: `step` is not negative.
  /// - Complexity: O(`batchSize`), and O(`count`) more where `step` is in another epoch than the last call's.
  public func indices(step: Int) -> [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(batchSize)
    var position = start(ofStep: step)
    while indices.count < batchSize {
      let offset = position % count
      let length = min(batchSize - indices.count, count - offset)
      indices += order(ofEpoch: position / count)[offset..<(offset + length)]
      position += length
    }
    return indices
  }

  /// Where the batch at `step` begins in the joined orders of all epochs.
  private func start(ofStep step: Int) -> Int {
    require(step >= 0, "BatchOrder: step \(step) is negative")
    switch remainder {
    case .drop: return step / stepsPerEpoch * count + step % stepsPerEpoch * batchSize
    case .wrap: return step * batchSize
    }
  }

  private func order(ofEpoch epoch: Int) -> [Int] {
    if let order = latest.order(ofEpoch: epoch) { return order }
    let order = key.folded(in: UInt64(epoch)).permutation(of: count)
    latest.store(order, ofEpoch: epoch)
    return order
  }
}

/// Remembers one epoch's order, which never changes what a call returns.
private final class LatestOrder: Sendable {
  private let state = Mutex<(epoch: Int, order: [Int])?>(nil)

  func order(ofEpoch epoch: Int) -> [Int]? { state.withLock { $0?.epoch == epoch ? $0?.order : nil } }

  func store(_ order: [Int], ofEpoch epoch: Int) { state.withLock { $0 = (epoch, order) } }
}
