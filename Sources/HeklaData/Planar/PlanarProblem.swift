import HeklaArrays

/// A problem about points of the plane whose answer is a sequence of them, in a canonical order.
///
/// Answers are written with positions: points count from 1, and 0 ends a sequence.
/// Source: Vinyals et al. 2015, "Pointer networks", section 3.
public enum PlanarProblem: Sendable, CaseIterable {
  /// The corners of the hull, counter-clockwise from the least index, then 0.
  case convexHull
  /// All points in the order of the shortest tour, from the first; its length is known, so 0 does not follow.
  case shortestTour
  /// The triangles one after the other, each in ascending order, by their in-centres, then 0.
  case delaunayTriangulation

  /// The answer for some points.
  public func answer(for points: PlanarPoints) -> [Int] {
    switch self {
    case .convexHull: points.convexHull.map { $0 + 1 } + [0]
    case .shortestTour: points.shortestTour.map { $0 + 1 }
    case .delaunayTriangulation: points.delaunayTriangles.joined().map { $0 + 1 } + [0]
    }
  }

  /// The most positions in the answer for `count` points no four of which lie on a circle; a triangulation then has
  /// 2 count - 5 triangles at most.
  public func longestAnswer(for count: Int) -> Int {
    switch self {
    case .convexHull: count + 1
    case .shortestTour: count
    case .delaunayTriangulation: 3 * (2 * count - 5) + 1
    }
  }

  /// Whether `position` may follow `chosen` in an answer: tours and hulls have no point twice, tours no end, and hulls
  /// no end before the third point. Of triangulations all is possible.
  public func allows(_ position: Int, after chosen: [Int]) -> Bool {
    switch self {
    case .convexHull: position > 0 ? !chosen.contains(position) : chosen.count >= 3
    case .shortestTour: position > 0 && !chosen.contains(position)
    case .delaunayTriangulation: true
    }
  }

  /// The parts that an answer consists of, as positions without 0: triangles, each in ascending order, or all of it.
  public func parts(of answer: [Int]) -> [[Int]] {
    let chosen = answer.filter { $0 > 0 }
    guard self == .delaunayTriangulation else { return [chosen] }
    return stride(from: 0, to: chosen.count, by: 3).map { chosen[$0..<min($0 + 3, chosen.count)].sorted() }
  }

  /// What an answer draws: its parts as polygons, without positions of no point.
  public func polygons(of answer: [Int], for points: PlanarPoints) -> [Polygon] {
    parts(of: answer).map { polygon(of: $0, for: points) }
  }

  /// The polygon through those of `positions` that are points.
  func polygon(of positions: [Int], for points: PlanarPoints) -> Polygon {
    Polygon(chosen(positions, of: points).map { points.points[$0 - 1] })
  }

  /// Those of `positions` that are points.
  func chosen(_ positions: [Int], of points: PlanarPoints) -> [Int] {
    positions.filter { (1...points.count).contains($0) }
  }
}

/// Examples of a problem with their answers, as arrays padded to one size.
public struct PlanarExamples: Sendable {
  /// The points of each example.
  public let points: [PlanarPoints]
  /// The answer to each.
  public let answers: [[Int]]
  /// The coordinates, `float32` of shape `[size, count, 2]`: one point of every example after the other, then zeros.
  public let x: HostArray
  /// How many points each example has, `int32` of shape `[count]`.
  public let lengths: HostArray
  /// The answers, `int32` of shape `[longest answer, count]`, padded by -1.
  public let positions: HostArray

  /// What a step takes: `x`, `lengths` and `positions`.
  public var arrays: [HostArray] { [x, lengths, positions] }

  /// These examples.
  /// - Parameters:
  ///   - problem: What is asked.
  ///   - points: Of each example.
  ///   - size: How many points there is room for.
  /// - Precondition: No example has more points than `size`, nor an answer longer than `longestAnswer(for: size)`.
  public init(_ problem: PlanarProblem, _ points: [PlanarPoints], size: Int) {
    let (count, longest) = (points.count, problem.longestAnswer(for: size))
    self.points = points
    answers = points.map(problem.answer)
    var x = [Float](repeating: 0, count: size * count * 2)
    var positions = [Int32](repeating: -1, count: longest * count)
    for (example, (points, answer)) in zip(points, answers).enumerated() {
      require(
        points.count <= size && answer.count <= longest,
        "PlanarExamples: \(points.count) points with an answer of \(answer.count); the most are \(size) and \(longest)"
      )
      for (index, point) in points.points.enumerated() {
        x[(index * count + example) * 2] = Float(point.x)
        x[(index * count + example) * 2 + 1] = Float(point.y)
      }
      for (step, position) in answer.enumerated() { positions[step * count + example] = Int32(position) }
    }
    self.x = HostArray(x, shape: [size, count, 2])
    lengths = HostArray(points.map { Int32($0.count) })
    self.positions = HostArray(positions, shape: [longest, count])
  }

  /// `count` examples of points in the unit square, each of any number in `sizes`; a function of `key`.
  public init(_ problem: PlanarProblem, count: Int, sizes: ClosedRange<Int>, key: RandomKey) {
    let points = (0..<count).map { index in
      let key = key.folded(in: UInt64(index))
      return PlanarPoints(uniform: sizes.lowerBound + Int(key.word(at: 0)) % sizes.count, key: key)
    }
    self.init(problem, points, size: sizes.upperBound)
  }
}
