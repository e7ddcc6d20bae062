import HeklaArrays

extension Tensor {
  /// The Einstein summation of any number of tensors.
  ///
  /// ```swift
  /// let scores = Tensor.einsum("bqhd,bkhd->bhqk", queries, keys)
  /// let trace = Tensor.einsum("ii->", matrix)
  /// ```
  ///
  /// Labels that the result does not name are summed over; a label that one term names twice takes the
  /// diagonal; an ellipsis stands for any axes, which broadcast. Without an arrow the result has the labels that
  /// occur once, in alphabetical order. Operands are contracted two at a time as matrix products, in the order
  /// that takes the fewest multiplications, found exhaustively for up to six.
  /// - Parameters:
  ///   - equation: The terms with commas between, an arrow, and the labels of the result.
  ///   - operands: A tensor for each term, of one type.
  public static func einsum(
    _ equation: String, _ operands: Tensor..., file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor { einsum(equation, operands, file: file, line: line) }

  /// The Einstein summation of the tensors of an array; see the other form.
  public static func einsum(
    _ equation: String, _ operands: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      Set(operands.map(\.elementType)).count == 1,
      "einsum: \(equation) of \(operands.map(\.signature)): there must be operands, all of one type",
      file: file,
      line: line)
    let summation: EinsteinSummation
    do {
      summation = try EinsteinSummation(equation, shapes: operands.map(\.shape))
    } catch {
      stop("einsum: \(equation) of \(operands.map(\.shape)): \(error.message)", file: file, line: line)
    }
    return contracted(
      zip(operands, summation.operands).map { LabeledTensor($0, $1) }, to: summation.output, summation.extents
    )
  }

  /// The sum over the innermost `axisCount` axes of this tensor and the outermost of `other`, pairwise.
  public func tensorProduct(
    _ other: Tensor, contracting axisCount: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let (mine, theirs) = (shape.extents.suffix(axisCount), other.shape.extents.prefix(axisCount))
    require(
      Array(mine) == Array(theirs),
      "tensor-product: the inner \(axisCount) extents of \(shape) are not the outer "
        + "ones of \(other.shape)", file: file, line: line)
    let labels = Array(1...max(rank + other.rank, 1))
    let left = Array(labels.prefix(rank))
    let right = Array(left.suffix(axisCount)) + labels.dropFirst(rank).prefix(other.rank - axisCount)
    let output = Array(left.dropLast(axisCount)) + right.dropFirst(axisCount)
    let extents = Dictionary(
      zip(left + right, shape.extents + other.shape.extents), uniquingKeysWith: { first, _ in first })
    return Tensor.contracted([LabeledTensor(self, left), LabeledTensor(other, right)], to: output, extents)
  }

  /// Every element times every element of `other`: shape `shape + other.shape`.
  public func outerProduct(_ other: Tensor) -> Tensor {
    reshaped(to: shape.extents + other.shape.extents.map { _ in 1 }) * other
  }

  /// Matrices times vectors: `[..., m, k]` and `[..., k]` to `[..., m]`; outer axes broadcast.
  public func vectorProduct(_ vectors: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let product = matrixProduct(vectors.expanded(at: -1), file: file, line: line)
    return product.reshaped(to: Array(product.shape.extents.dropLast()))
  }

  private static func contracted(_ operands: [LabeledTensor], to output: [Int], _ extents: [Int: Int])
    -> Tensor
  {
    var list = operands.map { $0.withoutRepeatedLabels() }
    // An ellipsis axis of extent 1 says nothing where another operand is longer there.
    list = list.map { operand in
      operand.reshaped(to: operand.labels.filter { operand.extent($0) == extents[$0] }, extents)
    }
    // What one operand alone has and the result does not want is summed first.
    list = list.enumerated().map { position, operand in
      let others = list.enumerated().filter { $0.offset != position }.flatMap { $0.element.labels }
      return operand.summed(keeping: Set(others).union(output))
    }
    let order = ContractionOrder(list.map { Set($0.labels) }, output: Set(output), extents: extents)
    for (first, second) in order.pairs {
      let right = list.remove(at: second)
      let left = list.remove(at: first)
      let needed = Set(list.flatMap(\.labels)).union(output)
      list.append(left.contracted(with: right, keeping: needed, extents))
    }
    return list[0].permuted(to: output).tensor
  }
}

/// A tensor whose axes have labels.
private struct LabeledTensor {
  var tensor: Tensor
  var labels: [Int]

  init(_ tensor: Tensor, _ labels: [Int]) {
    self.tensor = tensor
    self.labels = labels
  }

  func extent(_ label: Int) -> Int { labels.firstIndex(of: label).map { tensor.shape.extents[$0] } ?? 1 }

  /// The diagonal of each pair of axes with one label.
  func withoutRepeatedLabels() -> LabeledTensor {
    var result = self
    while let second = result.labels.indices.first(where: { result.labels[..<$0].contains(result.labels[$0]) }
    ),
      let first = result.labels.firstIndex(of: result.labels[second])
    {
      let label = result.labels[second]
      result.tensor = result.tensor.diagonal(along: first, second)
      result.labels.remove(at: second)
      result.labels.remove(at: first)
      result.labels.append(label)
    }
    return result
  }

  /// The axes of other labels, which all have extent 1, dropped.
  func reshaped(to kept: [Int], _ extents: [Int: Int]) -> LabeledTensor {
    kept == labels ? self : LabeledTensor(tensor.reshaped(to: kept.map { extents[$0] ?? 1 }), kept)
  }

  func summed(keeping kept: Set<Int>) -> LabeledTensor {
    let axes = labels.indices.filter { !kept.contains(labels[$0]) }
    return axes.isEmpty ? self : LabeledTensor(tensor.sum(along: axes), labels.filter(kept.contains))
  }

  func permuted(to order: [Int]) -> LabeledTensor {
    LabeledTensor(tensor.permuted(order.compactMap { labels.firstIndex(of: $0) }), order)
  }

  /// The product with `other`, summed over what both have and nobody needs.
  func contracted(with other: LabeledTensor, keeping needed: Set<Int>, _ extents: [Int: Int]) -> LabeledTensor
  {
    let shared = labels.filter(other.labels.contains)
    let batch = shared.filter(needed.contains)
    let inner = shared.filter { !needed.contains($0) }
    let (rows, columns) = (
      labels.filter { !shared.contains($0) }, other.labels.filter { !shared.contains($0) }
    )
    func sizes(_ labels: [Int]) -> [Int] { labels.map { extents[$0] ?? 1 } }
    func count(_ labels: [Int]) -> Int { sizes(labels).reduce(1, *) }
    let isReal = [.float32, .float64].contains(tensor.elementType)
    guard !inner.isEmpty, isReal else {
      // Nothing to sum: an elementwise product, which fuses with what surrounds it.
      let left = permuted(to: batch + inner + rows).tensor
        .reshaped(to: sizes(batch + inner + rows) + columns.map { _ in 1 })
      let right = other.permuted(to: batch + inner + columns).tensor
        .reshaped(to: sizes(batch + inner) + rows.map { _ in 1 } + sizes(columns))
      let product = LabeledTensor(left * right, batch + inner + rows + columns)
      return product.summed(keeping: Set(batch + rows + columns))
    }
    // Read as it lies where that is one of the two layouts that a product takes.
    func matrix(_ operand: LabeledTensor, _ outer: [Int], _ first: [Int], _ second: [Int]) -> Tensor {
      if operand.labels == outer + second + first {
        return operand.tensor.reshaped(to: [count(outer), count(second), count(first)]).transposed()
      }
      return operand.permuted(to: outer + first + second).tensor
        .reshaped(to: [count(outer), count(first), count(second)])
    }
    let product = matrix(self, batch, rows, inner).matrixProduct(matrix(other, batch, inner, columns))
    return LabeledTensor(product.reshaped(to: sizes(batch + rows + columns)), batch + rows + columns)
  }
}
