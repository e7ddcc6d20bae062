import Foundation
import HeklaArrays
import HeklaTensors

/// A learned vector for each position, which is added to what stands there.
///
/// Source: Gehring et al. 2017, "Convolutional sequence to sequence learning", section 3.1.
public struct LearnedPositions: Module {
  /// One vector per position, shape `[count, width]`.
  public let weight: Parameter

  /// Vectors of `width` numbers for `count` positions, at first normal with standard deviation 0.02.
  public init(count: Int, width: Int, key: RandomKey) {
    let initializer = Initializer.normal(standardDeviation: 0.02)
    weight = Parameter(initializer([count, width], fanIn: 1, fanOut: width, key: key.folded(in: "weight")))
  }

  /// `x` with its positions' vectors added.
  /// - Parameter x: Shape `[..., S, width]`, S at most the number of positions.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank >= 2 && x.shape[-1] == weight.shape[1] && x.shape[-2] <= weight.shape[0],
      "learned-positions: the input is \(x.shape); it must be [..., S, \(weight.shape[1])] with S of at most "
        + "\(weight.shape[0])", file: file, line: line)
    return x + weight.tensor.sliced(0..<x.shape[-2], along: 0)
  }
}

extension Tensor {
  /// The fixed vectors of positions 0 ..< `count`, shape `[count, width]`: in column 2i the sine, in column 2i + 1
  /// the cosine of position / 10000^(2i / width).
  ///
  /// Source: Vaswani et al. 2017, "Attention is all you need", section 3.5.
  public static func sinusoidalPositions(count: Int, width: Int) -> Tensor {
    // In double precision on the host: large arguments lose digits in single precision, and more on GPUs.
    let numbers = (0..<count * width).map { index -> Float in
      let (position, column) = (index / width, index % width)
      let angle = Double(position) / Foundation.pow(10_000, Double(column - column % 2) / Double(width))
      return Float(column % 2 == 0 ? Foundation.sin(angle) : Foundation.cos(angle))
    }
    return Tensor(numbers, shape: [count, width])
  }
}

/// Queries and keys turned by angles that grow with their positions, so that a score depends on the distance.
///
/// Column i of the first half and column i of the second are one point in the plane; at position p it turns by
/// p / base^(2i / D). Source: Su et al. 2021, "RoFormer", equation 34, with the halves in place of even and odd.
public struct RotaryPositions: Sendable {
  /// What the columns' wavelengths are powers of.
  public let base: Double

  /// Rotations whose wavelengths grow to `base` times 2 pi.
  public init(base: Double = 10_000) { self.base = base }

  /// `x` turned.
  /// - Parameter x: Shape `[..., S, D]`, D even.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank >= 2 && x.shape[-1] % 2 == 0,
      "rotary-positions: the input is \(x.shape); its innermost extent must be even",
      file: file, line: line)
    let (count, half) = (x.shape[-2], x.shape[-1] / 2)
    let angles = (0..<count * half).map { index in
      Double(index / half) / pow(base, Double(2 * (index % half)) / Double(2 * half))
    }
    let cosines = Tensor(angles.map { Float(cos($0)) }, shape: [count, half]).converted(to: x.elementType)
    let sines = Tensor(angles.map { Float(sin($0)) }, shape: [count, half]).converted(to: x.elementType)
    let (a, b) = (x.sliced(0..<half, along: -1), x.sliced(half..<2 * half, along: -1))
    return .concatenating([a * cosines - b * sines, a * sines + b * cosines], along: -1)
  }
}
