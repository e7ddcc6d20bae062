import HeklaArrays

/// Functions of one number that others are combined from, along a new innermost axis: shape `shape + [count]`.
///
/// Each basis is one expression, which chooses by the coordinate, so it fuses and its gradient does.
extension Tensor {
  /// The Chebyshev polynomials T0, T1, ... at each element, by T(n+1) = 2 x T(n) - T(n-1).
  public func chebyshevBasis(_ count: Int) -> Tensor {
    recurrentBasis(count) { x, _, last, beforeLast in 2 * x * last - beforeLast }
  }

  /// The Hermite polynomials of the normal distribution at each element, divided by the square root of n!.
  ///
  /// 1, x, (x^2 - 1) / sqrt(2), ...: orthonormal under the standard normal distribution.
  public func hermiteBasis(_ count: Int) -> Tensor {
    recurrentBasis(count) { x, degree, last, beforeLast in
      let (n, before) = (Double(degree), Double(degree - 1))
      return Scalar(1 / n.squareRoot()) * x * last - Scalar((before / n).squareRoot()) * beforeLast
    }
  }

  /// The B-splines of degree `degree` over `range` in equal intervals, whose knots go on beyond both ends.
  ///
  /// Inside the range they sum to 1; outside they fall to 0 within `degree` intervals. By the recurrence of Cox and
  /// de Boor. Source: de Boor 1978, "A practical guide to splines", chapter X.
  /// - Returns: Shape `shape + [intervals + degree]`.
  public func bSplineBasis(
    degree: Int = 3, intervals: Int, in range: ClosedRange<Double>, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    require(
      degree >= 0 && intervals > 0 && range.upperBound > range.lowerBound && elementType.isFloating,
      "b-splines: degree \(degree) over \(intervals) intervals of \(range) at \(signature)", file: file,
      line: line)
    let width = (range.upperBound - range.lowerBound) / Double(intervals)
    let wide = spreadOverBasis(intervals + degree)
    return wide.map { x in
      // In units of intervals from the first knot of the function, whose support is 0 ..< degree + 1.
      let place = (x - Scalar(range.lowerBound)) / Scalar(width) + Scalar(Double(degree))
      let u = place - Scalar.coordinate(wide.rank - 1).converted(to: x.type)
      var splines = (0...degree).map { shift -> Scalar in
        let v = u - Scalar(Double(shift))
        return .select((v .>= 0) .& (v .< 1), .constant(1, x.type), .constant(0, x.type))
      }
      for order in 1..<(degree + 1) {
        splines = (0...(degree - order)).map { shift in
          let v = u - Scalar(Double(shift))
          let rise = v * splines[shift]
          let fall = (Scalar(Double(order + 1)) - v) * splines[shift + 1]
          return (rise + fall) * Scalar(1 / Double(order))
        }
      }
      return splines[0]
    }
  }

  /// The values at `points` of the line through these values at `knots`; the first and the last beyond the ends.
  ///
  /// As NumPy's `interp`. Gradients flow to values, points and knots.
  /// - Parameters:
  ///   - points: Where, shape `[m]`.
  ///   - knots: Where this tensor's values lie, ascending, shape `[n]`.
  /// - Returns: For values of shape `[n, ...]` the shape `[m, ...]`.
  public func interpolated(
    at points: Tensor, knots: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      rank >= 1 && shape[0] > 0 && knots.shape == [shape[0]] && points.rank == 1
        && knots.elementType == points.elementType,
      "interpolate: values \(signature) with knots \(knots.signature) at \(points.signature)", file: file,
      line: line)
    let last = shape[0] - 1
    guard last > 0 else { return broadcast(to: Shape([points.shape[0]] + shape.extents.dropFirst())) }
    let lower = knots.searchSorted(points, afterEquals: true).map {
      .clamp($0 - 1, from: 0, to: .constant(Double(last - 1), .int32))
    }
    let upper = lower.map { $0 + 1 }
    let share = Tensor.map(points, knots.gathered(at: lower), knots.gathered(at: upper)) { x, left, right in
      // Two knots at one place are a step; the share there is either end's.
      let width = right - left
      let held = Scalar.select(width .> 0, width, 1)
      return .clamp((x - left) / held, from: 0, to: 1)
    }
    let column = share.converted(to: elementType)
      .reshaped(to: [share.shape[0]] + [Int](repeating: 1, count: rank - 1))
    return .map(gathered(at: lower), gathered(at: upper), column) { .between($0, $1, at: $2) }
  }

  private func spreadOverBasis(_ count: Int) -> Tensor {
    expanded(at: -1).broadcast(to: Shape(shape.extents + [count]))
  }

  /// 1, x, and what `next` makes of x, the degree, and the two functions before.
  private func recurrentBasis(
    _ count: Int, _ next: (_ x: Scalar, _ degree: Int, _ last: Scalar, _ beforeLast: Scalar) -> Scalar
  ) -> Tensor {
    require(
      count > 0 && elementType.isFloating,
      "polynomials: \(count) at \(signature); there must be one, of floats")
    let wide = spreadOverBasis(count)
    return wide.map { x in
      var (beforeLast, last) = (Scalar.constant(1, x.type), x)
      var result = beforeLast
      for degree in 1..<max(count, 2) where degree < count {
        if degree > 1 { (beforeLast, last) = (last, next(x, degree, last, beforeLast)) }
        let isChosen = Scalar.coordinate(wide.rank - 1) .>= .constant(Double(degree), .int32)
        result = .select(isChosen, last, result)
      }
      return result
    }
  }
}
