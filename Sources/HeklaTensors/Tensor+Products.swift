import HeklaArrays

extension Tensor {
  /// The matrix product of rank-3 factors; see `MatrixProduct`.
  static func product(
    _ left: Tensor, _ right: Tensor, transposingLeft: Bool = false, transposingRight: Bool = false
  ) -> Tensor {
    let product = Tensor(
      MatrixProduct(transposingLeft: transposingLeft, transposingRight: transposingRight), [left, right])
    // Sums of nothing; a gradient comes here where the product itself has no elements.
    return left.shape[transposingLeft ? 1 : 2] > 0 ? product : .zeros(product.shape, product.elementType)
  }

  /// The matrix product `[..., m, k] x [..., k, n]`, shape `[..., m, n]`; outer axes broadcast.
  ///
  /// A transposed view of either factor costs nothing: the kernel reads it as it is stored.
  /// - Precondition: Both have rank 2 or more, and `k` agrees.
  public func matrixProduct(_ other: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      rank >= 2 && other.rank >= 2 && shape[-1] == other.shape[-2],
      "matrix-product: \(shape) times \(other.shape): both need rank 2 or more and equal inner extents",
      file: file, line: line)
    let (left, isLeftTransposed) = withoutTransposition()
    let (right, isRightTransposed) = other.withoutTransposition()
    let (m, n) = (shape[-2], other.shape[-1])
    let (outerLeft, outerRight) = (Shape(shape.extents.dropLast(2)), Shape(other.shape.extents.dropLast(2)))
    guard let outer = outerLeft.broadcast(with: outerRight) else {
      stop(
        "matrix-product: the outer axes of \(shape) and \(other.shape) do not broadcast", file: file,
        line: line)
    }
    // Many rows times one matrix is one large product.
    if outerRight.count == 1, outerLeft.count > 1, !isLeftTransposed {
      return Tensor.product(
        left.reshaped(to: [1, -1, shape[-1]]), right.reshaped(to: [1] + right.shape.extents.suffix(2)),
        transposingRight: isRightTransposed
      ).reshaped(to: Shape(outer.extents + [m, n]))
    }
    func batched(_ factor: Tensor, _ own: Shape) -> Tensor {
      let matrix = factor.shape.extents.suffix(2)
      let whole =
        own.count == 1 || own == outer ? factor : factor.broadcast(to: Shape(outer.extents + matrix))
      return whole.reshaped(to: [own.count == 1 ? 1 : outer.count] + matrix)
    }
    return Tensor.product(
      batched(left, outerLeft), batched(right, outerRight), transposingLeft: isLeftTransposed,
      transposingRight: isRightTransposed
    ).reshaped(to: Shape(outer.extents + [m, n]))
  }

  /// The tensor behind an exchange of the two innermost axes, and whether there was one.
  private func withoutTransposition() -> (Tensor, Bool) {
    guard let permute = node.primitive as? Permute,
      permute.order == Array(0..<(rank - 2)) + [rank - 1, rank - 2]
    else { return (self, false) }
    return (Tensor(node.inputs[0]), true)
  }

  /// This batch of matrices summed to one where `shape` has one.
  func summed(overBatchTo shape: Shape) -> Tensor {
    self.shape[0] == shape[0] ? self : sum(along: 0, keepingAxes: true)
  }
}
