import HeklaArrays
import HeklaTensors

extension Array where Element == Tensor {
  /// The Euclidean norm of all elements of all tensors together, of rank 0.
  /// - Precondition: There is a tensor, and all have one element type.
  public var globalNorm: Tensor {
    dropFirst().reduce(self[0].squared().sum()) { $0 + $1.squared().sum() }.squareRoot()
  }

  /// The tensors, all scaled by one factor such that their global norm is at most `limit`.
  ///
  /// Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
  public func clipped(toGlobalNorm limit: Double) -> [Tensor] {
    guard !isEmpty else { return [] }
    require(limit > 0, "clipping: the limit is \(limit); it must be positive")
    // Exactly 1 where the norm is within the limit, and no division by 0.
    let factor = globalNorm.map { Scalar(limit) / .maximum($0, Scalar(limit)) }
    return map { $0 * factor }
  }

  /// The tensors with each element brought into `range`.
  public func clipped(to range: ClosedRange<Double>) -> [Tensor] {
    map { tensor in
      tensor.map { .minimum(.maximum($0, Scalar(range.lowerBound)), Scalar(range.upperBound)) }
    }
  }
}
