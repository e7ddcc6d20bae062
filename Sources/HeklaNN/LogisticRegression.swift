import HeklaArrays
import HeklaTensors

/// The weights w, `[..., d]`, with the least sum of r_i BCE(x_i w, y_i) and sum of penalty_j w_j^2 / 2, by
/// Newton's method from 0.
///
/// Many small problems at once: outer axes broadcast. With a positive penalty on every weight the minimum is
/// unique, also where a plane separates the classes. Source: Hastie et al. 2009, "The elements of statistical
/// learning", section 4.4.1.
/// - Parameters:
///   - x: Shape `[..., n, d]`; a column of ones makes an intercept.
///   - labels: 0 or 1, `[..., n]`.
///   - rowWeights: How much each example counts, `[..., n]`.
///   - penalty: Shape `[..., d]`.
///   - steps: How many steps of Newton's method are made.
public func logisticRegression(
  _ x: Tensor, labels: Tensor, rowWeights: Tensor, penalty: Tensor, steps: Int = 12
) -> Tensor {
  let outer = [
    x.shape.extents.dropLast(2), rowWeights.shape.extents.dropLast(), penalty.shape.extents.dropLast(),
  ]
  .map { Shape(Array($0)) }
  guard let shape = outer.dropFirst().reduce(outer[0] as Shape?, { $0?.broadcast(with: $1) }) else {
    stop(
      "logistic-regression: examples \(x.signature), their weights \(rowWeights.signature) and penalties "
        + "\(penalty.signature) do not broadcast", file: #fileID, line: #line)
  }
  var w = Tensor.zeros(Shape(shape.extents + [x.shape[-1]]), x.elementType)
  for _ in 0..<steps {
    let p = x.vectorProduct(w).sigmoid()
    let residual = Tensor.map(p, labels, rowWeights) { ($0 - $1) * $2 }
    let curvature = Tensor.map(p, rowWeights) { $0 * (1 - $0) * $1 }
    let slope = x.transposed().vectorProduct(residual) + w * penalty
    let hessian = x.transposed().matrixProduct(x * curvature.expanded(at: -1)) + penalty.embeddedAsDiagonal()
    w = w - hessian.solvePositiveDefinite(slope.expanded(at: -1)).squeezed([-1])
  }
  return w
}
