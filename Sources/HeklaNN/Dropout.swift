import HeklaArrays
import HeklaTensors

/// Elements set to 0 at random in training, the others enlarged so that the expectation stays.
///
/// Source: Srivastava et al. 2014, "Dropout", section 4, with the scaling moved from evaluation to training.
public struct Dropout: Module {
  /// The probability with which an element becomes 0.
  public let rate: Double

  /// Elements become 0 with probability `rate`.
  /// - Precondition: `rate` is in `0..<1`.
  public init(rate: Double, file: StaticString = #fileID, line: UInt = #line) {
    require(
      (0..<1).contains(rate), "dropout: the rate is \(rate); it must be in 0..<1", file: file, line: line)
    self.rate = rate
  }

  /// `x` with elements dropped; `x` itself in evaluation, when `key` is nil, and when the rate is 0.
  /// - Parameters:
  ///   - x: Of any shape.
  ///   - key: What decides which elements go, `uint32` of shape `[2]`: a new one for each step and each call.
  ///     See `Tensor.folded(in:)`.
  ///   - axes: Along which elements go together: the spatial axes for whole channels (Tompson et al. 2015), all
  ///     but the batch's for whole residual branches (stochastic depth, Huang et al. 2016).
  public func callAsFunction(_ x: Tensor, key: Tensor?, sharing axes: [Int] = []) -> Tensor {
    guard let key, rate > 0 else { return x }
    let shape = x.shape.reduced(along: axes.map { x.shape.normalized(axis: $0) }, keepingAxes: true)
    return .map(x, .uniform(shape, key: key)) { x, uniform in
      .select(uniform .>= Scalar(rate), x * Scalar(1 / (1 - rate)), 0)
    }
  }

  /// The matrix with stored elements dropped, as `callAsFunction(_:key:)` does with those of a tensor.
  ///
  /// The others are 0 whether they are dropped or not, so this is dropout of the whole matrix.
  public func callAsFunction(_ x: SparseMatrix, key: Tensor?) -> SparseMatrix {
    x.withValues(self(x.values, key: key))
  }
}
