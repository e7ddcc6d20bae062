/// The border of zeros around what windows move over.
public enum ConvolutionPadding: Sendable, Hashable {
  /// No border: every window lies inside of the input.
  case valid
  /// As much as makes the output the input's extent divided by the stride, rounded up; an odd one lies behind.
  case same
  /// So many elements in front of and behind each spatial axis.
  case explicit(before: [Int], after: [Int])

  /// `border` elements on both sides of each spatial axis.
  public static func symmetric(_ border: [Int]) -> ConvolutionPadding {
    .explicit(before: border, after: border)
  }

  /// What it comes to for windows of `reach` elements, `strides` apart, over `input`.
  func resolved(input: [Int], reach: [Int], strides: [Int]) -> (before: [Int], after: [Int]) {
    switch self {
    case .valid: return (input.map { _ in 0 }, input.map { _ in 0 })
    case .explicit(let before, let after): return (before, after)
    case .same:
      let totals = input.indices.map { axis in
        let windows = (input[axis] + strides[axis] - 1) / strides[axis]
        return max((windows - 1) * strides[axis] + reach[axis] - input[axis], 0)
      }
      return (totals.map { $0 / 2 }, totals.map { $0 - $0 / 2 })
    }
  }
}
