import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors

/// Operations in which many elements meet.
extension RandomGraph {
  // MARK: Reductions, orders and scans

  mutating func reduction() -> Tensor {
    let x = withAxis()
    let axis = random.below(x.rank)
    let keeps = random.oneIn(2)
    return switch random.below(13) {
    case 0: x.mean()
    case 1: x.mean(along: axis, keepingAxes: keeps)
    case 2: kinked(x).maximum(along: axis, keepingAxes: keeps)
    case 3: kinked(x).minimum(along: axis, keepingAxes: keeps)
    // Of numbers from 1/2 to 1: the gradient divides by them.
    case 4:
      (x * 0.25 + 0.75).product(along: axis, keepingAxes: keeps) * min(1, 4 / Double(x.shape[axis]))
    case 5: x.variance(along: axis, keepingAxes: keeps) * 0.5
    case 6: x.softmax(along: axis)
    case 7: (x.logSumExp(along: axis, keepingAxes: keeps) - log(Double(x.shape[axis]))) * 0.5
    case 8: (x.logSoftmax(along: axis) + log(Double(x.shape[axis]))) * 0.25
    case 9: normalized(x)
    case 10: kinked(x).sorted(along: axis, descending: keeps)
    case 11: kinked(x).topK(1 + random.below(x.shape[axis]), along: axis, smallest: keeps).values
    default: positions(x, axis)
    }
  }

  /// A layer's or a group's normalization. With 1 added to the variance it spreads nothing apart.
  private mutating func normalized(_ x: Tensor) -> Tensor {
    let batch = x.reshaped(to: x.rank == 1 ? [1, x.shape[0]] : x.shape.extents)
    let channels = batch.shape[1]
    let groups = [1, channels][random.below(2)]
    let layer = GroupNormalization(channels: channels, groups: groups, isLearned: false, epsilon: 1)
    return layer(batch) * 0.25
  }

  /// Positions among numbers that were given, as fractions.
  private mutating func positions(_ x: Tensor, _ axis: Int) -> Tensor {
    let given = leaf(x.shape)
    let found: Tensor =
      switch random.below(5) {
      case 0: given.argumentMaximum(along: axis)
      case 1: given.argumentMinimum(along: axis)
      case 2: given.argumentSorted(along: axis, descending: random.oneIn(2))
      case 3: given.topK(1, along: axis).positions
      default: given.sorted(along: -1).searchSorted(leaf(given.shape), afterEquals: random.oneIn(2))
      }
    return found.converted(to: .float32) / Double(x.shape.count)
  }

  /// A recurrence along the outermost axis. It halves what it carries, so that the errors of all steps together are
  /// twice those of one.
  private mutating func folded(_ x: Tensor) -> Tensor {
    let start = factor(Shape(Array(x.shape.extents.dropFirst())))
    let memory = [FoldMemory.products, .states, .every(2)][random.below(3)]
    let (state, outputs) = fold([start], over: [x], reversed: random.oneIn(2), keeping: memory) {
      state, element in
      let next = (state[0] + element[0]) * 0.5
      return ([next.tanh()], [next])
    }
    return random.oneIn(2) ? state[0] : outputs[0]
  }

  mutating func scan() -> Tensor {
    let x = withAxis()
    let axis = random.below(x.rank)
    let (isReversed, extent) = (random.oneIn(2), Double(x.shape[axis]))
    return switch random.below(8) {
    case 6, 7: folded(x)
    case 0, 1:
      x.cumulativeSum(along: axis, isExclusive: random.oneIn(2), isReversed: isReversed) * (1 / extent)
    case 2: (x * 0.25 + 0.75).cumulativeProduct(along: axis, isReversed: isReversed) * (1 / extent)
    case 3: kinked(x).cumulativeMaximum(along: axis, isReversed: isReversed)
    case 4: kinked(x).cumulativeMinimum(along: axis, isReversed: isReversed)
    // Factors of at most 1/2 keep the results below 2, and their derivatives by factors below 4.
    default:
      x.linearRecurrence(factors: factor(x.shape) * 0.5, along: axis, isReversed: isReversed) * 0.2
    }
  }

  // MARK: Products

  mutating func linear() -> Tensor {
    let x = withAxis()
    return switch random.below(8) {
    case 0, 1: product(x)
    case 2: summed(x)
    case 3: solved(x)
    case 4: factored()
    case 5: attended(x)
    // Each result is the sum of n numbers times numbers of absolute value 1.
    case 6: x.rfft() * (1 / Double(x.shape[-1]))
    default: interpolated(x)
    }
  }

  private mutating func product(_ x: Tensor) -> Tensor {
    let left = x.rank == 1 ? x.expanded(at: 0) : x
    let right = factor([left.shape[-1], 1 + random.below(5)])
    let isTransposed = random.oneIn(2)
    let factor = isTransposed ? right.transposed().copied.transposed() : right
    return left.matrixProduct(factor) * (0.5 / Double(left.shape[-1]))
  }

  /// Einstein sums; the factor is one over twice the number of terms.
  private mutating func summed(_ x: Tensor) -> Tensor {
    let matrix = x.reshaped(to: [x.shape.count / x.shape[-1], x.shape[-1]])
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    return switch random.below(5) {
    case 0: Tensor.einsum("ij,kj->ki", matrix, factor([3, columns])) * (0.5 / Double(columns))
    case 1: Tensor.einsum("ij,ik->jk", matrix, factor([rows, 2])) * (0.5 / Double(rows))
    case 2: Tensor.einsum("ij,ij->i", matrix, factor([rows, columns])) * (0.5 / Double(columns))
    case 3:
      Tensor.einsum("bij,bjk->bik", matrix.expanded(at: 0), factor([1, columns, 2])) * (0.5 / Double(columns))
    default: matrix.squaredDistances(to: factor([2, columns])) * (0.125 / Double(columns))
    }
  }

  /// Solutions of systems with a diagonal of 2 to 3 and small numbers beside: below 1, as are their derivatives.
  private mutating func solved(_ x: Tensor) -> Tensor {
    let rows = x.rank == 1 ? x.expanded(at: -1) : x
    let n = rows.shape[-2]
    let matrix = factor([n, n]) * (0.5 / Double(n)) + Tensor.identity(n) * 2.5
    return matrix.triangularSolve(
      rows, isLower: random.oneIn(2), isTransposed: random.oneIn(2), hasUnitDiagonal: false) * 0.5
  }

  /// The factor of a matrix whose eigenvalues lie from 2 to 3.
  private mutating func factored() -> Tensor {
    let n = 1 + random.below(5)
    let x = factor([n, n])
    let matrix = x.matrixProduct(x.transposed()) * (1 / Double(n * n)) + Tensor.identity(n) * 2
    return matrix.cholesky() * 0.5
  }

  /// Attention: means of values. With this scale the scores follow queries and keys by half of their change.
  private mutating func attended(_ x: Tensor) -> Tensor {
    let (rows, depth) = (x.shape.count / x.shape[-1], x.shape[-1])
    let keys = 1 + random.below(5)
    let mask = random.oneIn(3) ? leaf([rows, keys]) : nil
    return .attention(
      queries: x.reshaped(to: [1, rows, depth]), keys: factor([1, keys, depth]),
      values: factor([1, keys, 1 + random.below(4)]), scale: 0.25 / Double(depth), isCausal: random.oneIn(2),
      mask: mask) * 0.5
  }

  /// Means of neighbours; a cubic's weights may add up to more than 1 in absolute value, but to less than 2.
  private mutating func interpolated(_ x: Tensor) -> Tensor {
    let kinds: [Interpolation] = [.nearest, .linear, .cubic]
    return x.resized(
      to: [1 + random.below(7)], along: [random.below(x.rank)], by: kinds[random.below(3)],
      aligningCorners: random.oneIn(2)) * 0.5
  }

  // MARK: Indices

  mutating func indexed() -> Tensor {
    let x = withAxis()
    let rows = x.shape[0]
    return switch random.below(9) {
    case 0: x.gathered(at: indices(1 + random.below(5), below: rows))
    case 1: .scatterSum(x, at: indices(rows, below: 4), rows: 4) * (1 / Double(rows))
    case 2: x.segmentSum(segments(rows)) * (1 / Double(rows))
    case 3: x.segmentMean(segments(rows))
    case 4: kinked(x).segmentMaximum(segments(rows), empty: 0.5)
    case 5: kinked(x).segmentMinimum(segments(rows), empty: -0.5)
    case 6: x.segmentSoftmax(segments(rows))
    case 7: x.replacing(at: indices(2, below: rows), by: factor(Shape([2] + x.shape.extents.dropFirst())))
    default: taken(x)
    }
  }

  private mutating func taken(_ x: Tensor) -> Tensor {
    let axis = random.below(x.rank)
    return x.takenAlong(axis, indices(x.shape.count, below: x.shape[axis]).reshaped(to: x.shape))
  }

  /// Five segments, the last of which has no terms: sorted when the graph is made, or in each run.
  private mutating func segments(_ terms: Int) -> Segments {
    let rows = (0..<terms).map { _ in Int32(random.below(4)) }
    let known = random.oneIn(2) ? try? Segments(rows, count: 5) : nil
    return known ?? Segments(at: Tensor(rows), count: 5)
  }

  // MARK: Windows

  mutating func windowed() -> Tensor {
    let x = images()
    let axes = x.rank - 2
    let kernel = x.shape.extents.dropFirst(2).map { 1 + random.below(min(3, $0)) }
    let strides = (0..<axes).map { _ in 1 + random.below(2) }
    let padding: ConvolutionPadding = random.oneIn(2) ? .same : .valid
    let (channels, features) = (x.shape[1], 1 + random.below(3))
    let scale = 0.5 / Double(channels * kernel.reduce(1, *))
    switch random.below(7) {
    case 0, 1:
      return x.convolved(
        with: factor(Shape([features, channels] + kernel)), strides: strides, padding: padding)
        * scale
    case 2:
      let weights = factor(Shape([2 * channels, 1] + kernel))
      return x.convolved(with: weights, strides: strides, padding: padding, groups: channels) * scale
    case 3:
      return x.convolvedTransposed(with: factor(Shape([channels, features] + kernel)), strides: strides)
        * scale
    case 4: return kinked(x).maximumPooled(kernel, strides: strides, padding: padding)
    case 5:
      return x.averagePooled(kernel, strides: strides, padding: padding, countingBorder: random.oneIn(2))
    default:
      let windows = x.windows([kernel[0]], along: [2], strides: [strides[0]])
      return random.oneIn(2) ? windows : windows.mean(along: -1)
    }
  }

  /// Something as a batch of one or two images of one or two axes.
  private mutating func images() -> Tensor {
    let x = some()
    var rest = x.shape.count
    func divisor(_ most: Int) -> Int {
      let divisors = (1...most).filter { rest % $0 == 0 }
      let chosen = divisors[random.below(divisors.count)]
      rest /= chosen
      return chosen
    }
    let (batch, channels) = (divisor(2), divisor(4))
    let height = random.oneIn(2) ? [divisor(6)] : []
    return x.reshaped(to: [batch, channels] + height + [rest])
  }
}
