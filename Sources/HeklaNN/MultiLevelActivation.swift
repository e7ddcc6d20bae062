import HeklaArrays
import HeklaTensors

/// One number for classes that lie inside of each other: f(x) = sum over k = 1...C of sigmoid(h (x - t_k)).
///
/// Class k lies inside of class k - 1, and 0 is the background. With thresholds t_k = k - 1/2 the function has plateaus
/// at 0, 1, ..., C, and P(class >= k) = sigmoid(h (x - t_k)) falls with k whatever x is, so that no prediction breaks
/// the nesting.
/// Source: Hu et al. 2018, "Hierarchical multi-class segmentation of glioma images using networks with multi-level
/// activation function", section 2; the spacing of the thresholds is chosen here.
public struct MultiLevelActivation: Sendable {
  /// C, the number of classes without the background.
  public let classCount: Int
  /// h, how steep the function is between its plateaus; where it is large, the gradient vanishes on them.
  public let steepness: Double

  /// The activation of `classCount` nested classes.
  /// - Precondition: `classCount` is at least 1 and `steepness` positive.
  public init(classCount: Int, steepness: Double, file: StaticString = #fileID, line: UInt = #line) {
    require(
      classCount > 0 && steepness > 0,
      "multi-level activation: \(classCount) classes with steepness \(steepness); both must be positive",
      file: file, line: line)
    self.classCount = classCount
    self.steepness = steepness
  }

  /// The log-odds h (x - t_k) of class >= k, for k = 1...C along axis 1.
  /// - Parameter x: Shape `[batch, 1, ...]`.
  /// - Returns: Shape `[batch, C, ...]`.
  public func logits(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    requireOneChannel(x, file: file, line: line)
    var shape = x.shape.extents
    shape[1] = classCount
    let h = Scalar(steepness)
    return x.broadcast(to: .init(shape)).map { x in
      h * (x - (.coordinate(1).converted(to: x.type) + 0.5))
    }
  }

  /// f, between 0 and C, of the input's shape.
  /// - Parameter x: Shape `[batch, 1, ...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    requireOneChannel(x, file: file, line: line)
    let h = Scalar(steepness)
    return x.map { x in
      (0..<classCount).map { .sigmoid(h * (x - Scalar(Double($0) + 0.5))) }.reduce(0, +)
    }
  }

  /// How many classes hold a place, `int32` of the input's shape: as many as P(class >= k) exceeds 1/2 for.
  ///
  /// On the plateaus it is f rounded.
  /// - Parameter x: Shape `[batch, 1, ...]`.
  public func labels(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    requireOneChannel(x, file: file, line: line)
    return x.map { x in
      (0..<classCount).map {
        .select(x .> Scalar(Double($0) + 0.5), .constant(1, .int32), .constant(0, .int32))
      }
      .reduce(.constant(0, .int32), +)
    }
  }

  private func requireOneChannel(_ x: Tensor, file: StaticString, line: UInt) {
    require(
      x.rank >= 2 && x.shape[1] == 1,
      "multi-level activation: the input is \(x.shape); it must be [batch, 1, ...]",
      file: file, line: line)
  }
}
