import HeklaArrays
import HeklaDevices

/// Which terms belong together: edges by their target, atoms by their molecule, words by their bag.
///
/// Holds the terms in order of segments (a compressed sparse row form), which every fold over the segments and
/// every gradient of a gather reads. Made from indices that are known, it is sorted here, once, and enters
/// computations as constants; made from a tensor, it is sorted in each run. One value is best used for all
/// operations over the same segments, so that they share it.
public struct Segments: Sendable {
  /// The segment of each term, `int32` of shape `[terms]`.
  public let indices: Tensor
  /// The terms by segment, within a segment in their own order, `int32` of shape `[terms]`.
  public let order: Tensor
  /// Segment `r` is `order[offsets[r]..<offsets[r + 1]]`, `int32` of shape `[count + 1]`.
  public let offsets: Tensor
  /// The number of segments, empty ones included.
  public let count: Int

  package init(indices: Tensor, order: Tensor, offsets: Tensor, count: Int) {
    (self.indices, self.order, self.offsets, self.count) = (indices, order, offsets, count)
  }

  /// The number of terms.
  public var termCount: Int { indices.shape[0] }

  /// The segments that a tensor of indices names, sorted in each run.
  ///
  /// - Parameters:
  ///   - indices: `int32` of rank 1, each in `0..<count`. Another index throws on the host when the step runs;
  ///     on other devices its term belongs to no segment, and throws where `CompilerOptions.checksIndices` is on.
  ///   - count: The number of segments.
  public init(at indices: Tensor, count: Int) {
    let order =
      indices.shape.count > 0
      ? Tensor(SegmentOrder(rows: count), [indices]) : Tensor.zeros(indices.shape, .int32)
    let offsets =
      indices.shape.count > 0 ? SecondaryOutput.outputs(of: order.node)[0] : Tensor.zeros([count + 1], .int32)
    self.init(indices: indices, order: order, offsets: offsets, count: count)
  }

  /// The segments that `indices` name, sorted now.
  /// - Throws: `DeviceError.indexOutOfRange` when an index is not in `0..<count`.
  public init(_ indices: [Int32], count: Int) throws(DeviceError) {
    var offsets = [Int32](repeating: 0, count: count + 1)
    for index in indices {
      guard index >= 0, Int(index) < count else {
        throw .indexOutOfRange(operation: "segments", index: Int(index), bound: count)
      }
      offsets[Int(index) + 1] += 1
    }
    for row in 0..<count { offsets[row + 1] += offsets[row] }
    var places = offsets
    var order = [Int32](repeating: 0, count: indices.count)
    for (term, index) in indices.enumerated() {
      order[Int(places[Int(index)])] = Int32(term)
      places[Int(index)] += 1
    }
    self.init(indices: Tensor(indices), order: Tensor(order), offsets: Tensor(offsets), count: count)
  }

  /// Segments that lie one after the other: segment `r` has the terms `offsets[r]..<offsets[r + 1]`.
  /// - Throws: `DeviceError.invalidArgument` when the offsets do not start at 0 or fall.
  public init(offsets: [Int32]) throws(DeviceError) {
    guard offsets.first == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw .invalidArgument(
        call: "segments", reason: "offsets have to start at 0 and never to fall. Check how they were summed.")
    }
    let indices = zip(offsets, offsets.dropFirst()).enumerated().flatMap { row, bounds in
      repeatElement(Int32(row), count: Int(bounds.1 - bounds.0))
    }
    self.init(
      indices: Tensor(indices), order: Tensor((0..<Int32(indices.count)).map { $0 }),
      offsets: Tensor(offsets),
      count: offsets.count - 1)
  }
}
