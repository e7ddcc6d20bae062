/// An input of a primitive that names places of an array.
public struct IndexOperand: Sendable, Hashable {
  /// Which input; its type is `int32`.
  public let input: Int
  /// Each of its elements is to be in `0..<bound`.
  public let bound: Int

  /// Input `input`, whose elements are to be in `0..<bound`.
  public init(input: Int, below bound: Int) {
    self.input = input
    self.bound = bound
  }
}
