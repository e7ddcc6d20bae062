import HeklaArrays
import HeklaDevices

extension Tensor {
  /// The sum of each element and all before it along `axis`.
  ///
  /// - Parameters:
  ///   - axis: Along which the sums run.
  ///   - isExclusive: Whether the element itself is left out; the first result is 0 then.
  ///   - isReversed: Whether the sums run from the last element to the first.
  public func cumulativeSum(along axis: Int, isExclusive: Bool = false, isReversed: Bool = false) -> Tensor {
    scanned(.sum, along: axis, isExclusive, isReversed, start: 0)
  }

  /// The product of each element and all before it along `axis`; see `cumulativeSum(along:isExclusive:isReversed:)`.
  ///
  /// The gradient divides by nothing, so it is right where elements are 0.
  public func cumulativeProduct(along axis: Int, isExclusive: Bool = false, isReversed: Bool = false)
    -> Tensor
  {
    scanned(.product, along: axis, isExclusive, isReversed, start: 1)
  }

  /// The largest of each element and all before it along `axis`, NaN from the first NaN on.
  ///
  /// The gradient of a result goes to the first element that attains it. Exclusive, a floating result starts
  /// with minus infinity.
  public func cumulativeMaximum(along axis: Int, isExclusive: Bool = false, isReversed: Bool = false)
    -> Tensor
  {
    scanned(.maximum, along: axis, isExclusive, isReversed, start: elementType.isFloating ? -.infinity : nil)
  }

  /// The smallest of each element and all before it along `axis`; see `cumulativeMaximum`.
  public func cumulativeMinimum(along axis: Int, isExclusive: Bool = false, isReversed: Bool = false)
    -> Tensor
  {
    scanned(.minimum, along: axis, isExclusive, isReversed, start: elementType.isFloating ? .infinity : nil)
  }

  /// `y[i] = factors[i] * y[i - 1] + self[i]` along `axis`, from `y[0] = self[0]`: the first factor is not used.
  ///
  /// What a state-space layer, a discounted return or an exponential average computes.
  public func linearRecurrence(factors: Tensor, along axis: Int, isReversed: Bool = false) -> Tensor {
    let axis = shape.normalized(axis: axis)
    guard shape.count > 0 else { return self }
    return inThree(axis).recurrence(
      factors: factors.broadcast(to: shape).inThree(axis), isReversed: isReversed
    )
    .reshaped(to: shape)
  }

  /// The logarithm of the sum of the exponentials of each element and all before it along `axis`, without overflow.
  ///
  /// Real numbers of `float32`, on the host also of `float64`.
  public func cumulativeLogSumExp(along axis: Int, isReversed: Bool = false) -> Tensor {
    let axis = shape.normalized(axis: axis)
    guard shape.count > 0 else { return self }
    // The shift is the largest element so far; it cancels, so no gradient flows through it. Before the first
    // finite element nothing has been summed, and any factor will do that does not overflow.
    let largest = cumulativeMaximum(along: axis, isReversed: isReversed).stoppingGradient()
    let shift = largest.map { .select(.isFinite($0), $0, 0) }
    let factors = Tensor.map(shift.shifted(by: isReversed ? -1 : 1, along: axis, filling: 0), shift) {
      .exp(.minimum($0 - $1, 0))
    }
    return (self - shift).exp().linearRecurrence(factors: factors, along: axis, isReversed: isReversed).log()
      + shift
  }

  private func scanned(
    _ fold: Loop.Fold, along axis: Int, _ isExclusive: Bool, _ isReversed: Bool, start: Double?
  ) -> Tensor {
    let axis = shape.normalized(axis: axis)
    guard shape.count > 0 else { return self }
    let whole = inThree(axis).scan(fold, isReversed: isReversed)
    guard isExclusive else { return whole.reshaped(to: shape) }
    guard let start else {
      stop(
        "cumulative-\(fold.operationName): \(signature) has no least element to start an exclusive scan with; "
          + "convert it to float32", file: #fileID, line: #line)
    }
    return whole.shifted(by: isReversed ? -1 : 1, along: 1, filling: start).reshaped(to: shape)
  }

  /// As `[outer, extent along the axis, inner]`.
  private func inThree(_ axis: Int) -> Tensor {
    let (outer, inner) = (shape.extents[..<axis].reduce(1, *), shape.extents[(axis + 1)...].reduce(1, *))
    return reshaped(to: [outer, shape[axis], inner])
  }

  func scan(_ fold: Loop.Fold, isReversed: Bool) -> Tensor {
    Tensor(Scan(fold: fold, isReversed: isReversed), [self])
  }

  func recurrence(factors: Tensor, isReversed: Bool) -> Tensor {
    Tensor(LinearRecurrence(isReversed: isReversed), [self, factors])
  }

  /// Element `i` moved to `i + step` along `axis`, for a step of 1 or -1; `fill` where none arrives.
  func shifted(by step: Int, along axis: Int, filling fill: Double) -> Tensor {
    let extent = shape[axis]
    var border = [Int](repeating: 0, count: rank)
    border[axis] = 1
    return step > 0
      ? sliced(0..<(extent - 1), along: axis).padded(before: border, with: fill)
      : sliced(1..<extent, along: axis).padded(after: border, with: fill)
  }
}
