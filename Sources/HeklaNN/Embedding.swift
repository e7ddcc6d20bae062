import HeklaArrays
import HeklaTensors

/// A learned vector for each of a number of symbols.
public struct Embedding: Module {
  /// One vector per row, shape `[count, width]`.
  public let weight: Parameter

  /// Vectors of `width` numbers for `count` symbols.
  /// - Parameters:
  ///   - count: The number of symbols.
  ///   - width: The extent of each vector.
  ///   - initializer: Draws the vectors; each symbol reaches `width` outputs and each output sums one term.
  ///   - key: What they are drawn from.
  public init(
    count: Int, width: Int, initializer: Initializer = .normal(standardDeviation: 1), key: RandomKey
  ) {
    weight = Parameter(initializer([count, width], fanIn: 1, fanOut: width, key: key.folded(in: "weight")))
  }

  /// The vectors of `symbols`, shape `symbols.shape + [width]`.
  /// - Parameter symbols: `int32`, each in `0..<count`.
  public func callAsFunction(_ symbols: Tensor) -> Tensor { weight.tensor.gathered(at: symbols) }

  /// The sums, or means, of the vectors of each bag of symbols, shape `[bags.count, width]`; 0 for empty bags.
  /// - Parameters:
  ///   - symbols: `int32` of rank 1, each in `0..<count`.
  ///   - bags: The bag of each symbol.
  ///   - takesMean: Whether sums are divided by the number of symbols.
  public func bags(_ symbols: Tensor, in bags: Segments, takesMean: Bool = false) -> Tensor {
    let vectors = self(symbols)
    return takesMean ? vectors.segmentMean(bags) : vectors.segmentSum(bags)
  }
}
