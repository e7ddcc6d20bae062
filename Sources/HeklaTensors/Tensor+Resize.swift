import Foundation
import HeklaArrays

/// How a resized axis takes its values from the old one.
public enum Interpolation: Sendable, Hashable {
  /// The old element whose cell the new one's center, or with aligned corners the position, lies in.
  case nearest
  /// Evenly between two neighbours; along two axes bilinear, along three trilinear.
  case linear
  /// A cubic through four neighbours, with slope parameter -0.75. Source: Keys 1981, "Cubic convolution
  /// interpolation for digital image processing", equation 15.
  case cubic
}

extension Tensor {
  /// The tensor with other extents along some axes, interpolated.
  ///
  /// Each axis is a product with a small constant matrix, so gradients of every order are exact. Where lies
  /// element i of n new ones among m old ones: with aligned corners at i (m - 1) / (n - 1), so that first and last
  /// coincide; else at (i + 1/2) m / n - 1/2, so that the cells' outer edges do. Beyond the border the outermost
  /// element is taken. Nothing is smoothed first where an axis shrinks.
  /// - Parameters:
  ///   - extents: The new extents.
  ///   - axes: Of which axes.
  ///   - interpolation: The kernel.
  ///   - aligningCorners: Which convention holds; see above.
  public func resized(
    to extents: [Int], along axes: [Int], by interpolation: Interpolation = .linear,
    aligningCorners: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let axes = axes.map { shape.normalized(axis: $0) }
    require(
      Set(axes).count == axes.count && axes.count == extents.count && extents.allSatisfy { $0 > 0 }
        && axes.allSatisfy { shape.extents[$0] > 0 } && elementType.isFloating,
      "resize: axes \(axes) of \(signature) to \(extents)", file: file, line: line)
    return zip(axes, extents).reduce(self) { result, change in
      let (axis, extent) = change
      let old = result.shape.extents[axis]
      guard old != extent else { return result }
      let matrix = interpolation.matrix(from: old, to: extent, aligningCorners: aligningCorners)
      let weights = Tensor(HostArray(converting: matrix, shape: [extent, old], to: elementType))
      // [outer, old, inner] times the matrix from the left, which all of the batch share.
      let outer = result.shape.extents[..<axis].reduce(1, *)
      let inner = result.shape.extents[(axis + 1)...].reduce(1, *)
      var new = result.shape.extents
      new[axis] = extent
      if inner == 1 {
        return result.reshaped(to: [outer, old]).matrixProduct(weights.transposed()).reshaped(to: Shape(new))
      }
      return weights.expanded(at: 0).matrixProduct(result.reshaped(to: [outer, old, inner])).reshaped(
        to: Shape(new))
    }
  }
}

extension Interpolation {
  /// The weights of old elements (columns) in new ones (rows), in row-major order.
  func matrix(from old: Int, to new: Int, aligningCorners: Bool) -> [Double] {
    var weights = [Double](repeating: 0, count: old * new)
    for row in 0..<new {
      let position =
        aligningCorners
        ? (new == 1 ? 0 : Double(row * (old - 1)) / Double(new - 1))
        : (Double(row) + 0.5) * Double(old) / Double(new) - 0.5
      func add(_ weight: Double, at column: Int) {
        weights[row * old + min(max(column, 0), old - 1)] += weight
      }
      let first = Int(floor(position))
      let share = position - floor(position)
      switch self {
      // Whole numbers, so that no rounding moves a center across an edge.
      case .nearest where !aligningCorners: add(1, at: (2 * row + 1) * old / (2 * new))
      case .nearest: add(1, at: Int((position + 0.5).rounded(.down)))
      case .linear:
        add(1 - share, at: first)
        add(share, at: first + 1)
      case .cubic:
        for offset in -1...2 { add(Self.cubicWeight(share - Double(offset)), at: first + offset) }
      }
    }
    return weights
  }

  /// Keys's kernel at `distance`.
  static func cubicWeight(_ distance: Double) -> Double {
    let (a, x) = (-0.75, abs(distance))
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return 0
  }
}
