import HeklaArrays

/// Points of the plane: at least three, with finite coordinates.
///
/// Points may coincide or lie on one line; what each construction makes of that is said there.
public struct PlanarPoints: Sendable, Equatable {
  /// The coordinates, point by point.
  public let points: [SIMD2<Double>]

  /// These points.
  /// - Throws: `PlanarPointsError` where there are fewer than three, or a coordinate is not finite.
  public init(_ points: [SIMD2<Double>]) throws(PlanarPointsError) {
    guard points.count >= 3 else { throw .tooFew(count: points.count) }
    if let row = points.firstIndex(where: { !$0.x.isFinite || !$0.y.isFinite }) {
      throw .notFinite(row: row, x: points[row].x, y: points[row].y)
    }
    self.points = points
  }

  /// `count` points, evenly distributed over the unit square; `float32` holds their coordinates exactly.
  /// - Precondition: `count` is at least 3.
  public init(uniform count: Int, key: RandomKey) {
    require(count >= 3, "PlanarPoints: \(count) points; there must be at least 3")
    points = (0..<count).map { index in
      let words = key.block(at: SIMD2(1, UInt32(index)))
      return SIMD2(Double(words.x >> 8), Double(words.y >> 8)) * 0x1p-24
    }
  }

  /// How many points there are.
  public var count: Int { points.count }

  /// Twice the signed area of the triangle of three points: positive where they turn to the left.
  static func turn(_ a: SIMD2<Double>, _ b: SIMD2<Double>, _ c: SIMD2<Double>) -> Double {
    let (u, v) = (b - a, c - a)
    return u.x * v.y - u.y * v.x
  }

  /// How far two points are from each other.
  static func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
    let d = b - a
    return (d.x * d.x + d.y * d.y).squareRoot()
  }
}

/// Why points cannot be used.
public enum PlanarPointsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// There are fewer than three.
  case tooFew(count: Int)
  /// A coordinate is NaN or infinite; rows count from 0.
  case notFinite(row: Int, x: Double, y: Double)

  /// What is wrong, and what is needed.
  public var description: String {
    switch self {
    case .tooFew(let count): "There are \(count) points; give at least 3."
    case .notFinite(let row, let x, let y):
      "Point \(row), counted from 0, is (\(x), \(y)); give finite coordinates."
    }
  }
}
