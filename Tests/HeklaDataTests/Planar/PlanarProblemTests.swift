import HeklaArrays
import HeklaData
import Testing

@Suite struct PlanarProblemTests {
  /// A square with a point off its middle.
  private func square() throws -> PlanarPoints {
    try PlanarPoints([SIMD2(1, 0), SIMD2(0, 0), SIMD2(0.6, 0.45), SIMD2(1, 1), SIMD2(0, 1)])
  }

  @Test func `Answers count points from 1 and end with 0, but for tours`() throws {
    #expect(PlanarProblem.convexHull.answer(for: try square()) == [1, 4, 5, 2, 0])
    #expect(
      PlanarProblem.delaunayTriangulation.answer(for: try square()) == [
        2, 3, 5, 3, 4, 5, 1, 2, 3, 1, 3, 4, 0,
      ])
    let tour = PlanarProblem.shortestTour.answer(for: try square())
    #expect(tour[0] == 1 && tour.sorted() == [1, 2, 3, 4, 5])
  }

  @Test(arguments: PlanarProblem.allCases)
  func `Arrays hold examples of several sizes, padded`(problem: PlanarProblem) {
    let given = PlanarExamples(problem, count: 30, sizes: 3...6, key: RandomKey(seed: 1))
    let (x, positions) = (given.x.elements(as: Float.self), given.positions.elements(as: Int32.self))
    #expect(given.x.shape == [6, 30, 2] && given.positions.shape == [problem.longestAnswer(for: 6), 30])
    #expect(Set(given.points.map(\.count)) == [3, 4, 5, 6])
    #expect(given.lengths.elements(as: Int32.self) == given.points.map { Int32($0.count) })
    for (example, points) in given.points.enumerated() {
      for index in 0..<6 {
        let wanted = index < points.count ? points.points[index] : SIMD2(0, 0)
        #expect(Double(x[(index * 30 + example) * 2]) == wanted.x)
        #expect(Double(x[(index * 30 + example) * 2 + 1]) == wanted.y)
      }
      let column = (0..<given.positions.shape[0]).map { Int(positions[$0 * 30 + example]) }
      let answer = problem.answer(for: points)
      #expect(column == answer + [Int](repeating: -1, count: column.count - answer.count))
    }
  }

  @Test func `What may follow is what follows in answers, and no point twice`() throws {
    for problem in PlanarProblem.allCases {
      let answer = problem.answer(for: try square())
      for (step, position) in answer.enumerated() {
        #expect(problem.allows(position, after: Array(answer[..<step])), "\(problem), step \(step)")
      }
    }
    #expect(
      !PlanarProblem.convexHull.allows(1, after: [1, 2])
        && !PlanarProblem.convexHull.allows(0, after: [1, 2]))
    #expect(!PlanarProblem.shortestTour.allows(2, after: [1, 2]))
    #expect(!PlanarProblem.shortestTour.allows(0, after: [1, 2, 3, 4, 5]))
  }

  @Test func `The longest answers are reached`() throws {
    let triangle = try PlanarPoints([SIMD2(0, 0), SIMD2(4, 0), SIMD2(0, 4), SIMD2(1, 1.1), SIMD2(1.3, 1)])
    let problem = PlanarProblem.delaunayTriangulation
    #expect(problem.answer(for: triangle).count == problem.longestAnswer(for: 5))
  }

  @Test func `Hulls are scored by sequence and area`() throws {
    let (points, truth) = (try square(), [1, 4, 5, 2, 0])
    func scores(_ answer: [Int]) -> [PlanarScore: Double] {
      PlanarProblem.convexHull.scores(of: answer, truth: truth, for: points)
    }
    #expect(scores(truth) == [.exact: 1, .area: 1, .simple: 1])
    #expect(scores([1, 4, 5, 0]) == [.exact: 0, .area: 0.5, .simple: 1])
    #expect(scores([4, 5, 2, 1, 0]) == [.exact: 0, .area: 1, .simple: 1])
    #expect(scores([1, 5, 4, 2, 0]) == [.exact: 0, .area: 0, .simple: 0])
    #expect(scores([0]) == [.exact: 0, .area: 0, .simple: 0])
    // Without its end a sequence is not the same.
    #expect(scores([1, 4, 5, 2])[.exact] == 0)
  }

  @Test func `Triangulations are scored as sets`() throws {
    let points = try square(), problem = PlanarProblem.delaunayTriangulation
    let truth = problem.answer(for: points)
    #expect(problem.scores(of: truth, truth: truth, for: points) == [.exact: 1, .coverage: 1])
    let turned = [3, 4, 1] + truth.dropLast(4) + [0]
    #expect(problem.scores(of: turned, truth: truth, for: points) == [.exact: 1, .coverage: 1])
    #expect(
      problem.scores(of: [2, 3, 5, 1, 2], truth: truth, for: points) == [.exact: 0, .coverage: 0.25])
    #expect(problem.scores(of: [0], truth: truth, for: points) == [.exact: 0, .coverage: 0])
  }

  @Test func `Tours are scored by length, beside the shortest and the nearest neighbour's`() throws {
    // A rectangle of 4 by 1, its corners out of order.
    let points = try PlanarPoints([SIMD2(0, 0), SIMD2(4, 1), SIMD2(4, 0), SIMD2(0, 1)])
    let truth = PlanarProblem.shortestTour.answer(for: points)
    func scores(_ answer: [Int]) -> [PlanarScore: Double] {
      PlanarProblem.shortestTour.scores(of: answer, truth: truth, for: points)
    }
    #expect(truth == [1, 3, 2, 4])
    #expect(scores(truth) == [.valid: 1, .length: 10, .shortest: 10, .nearest: 10, .improved: 10])
    let diagonals = 17.0.squareRoot()
    let crossed = try #require(scores([1, 2, 3, 4])[.length])
    #expect(abs(crossed - 2 - 2 * diagonals) < 1e-12)
    #expect(scores([1, 2, 3, 4])[.valid] == 1)
    // A point twice, one that is left out, and positions that are none.
    for wrong in [[1, 1, 2, 3], [1, 2, 3], [1, 2, 3, 0], [1, 2, 3, 5], [1, 2, 3, 4, 4], []] {
      #expect(scores(wrong)[.valid] == 0, "\(wrong)")
    }
    #expect(scores([1, 3, 0, 9, -2])[.length] == 8)
    // From the middle of a line the nearest neighbour turns round twice.
    let line = try PlanarPoints([SIMD2(0, 0), SIMD2(-1, 0), SIMD2(3, 0), SIMD2(-5, 0)])
    let known = PlanarProblem.shortestTour.scores(
      of: [1, 2, 3, 4], truth: PlanarProblem.shortestTour.answer(for: line), for: line)
    #expect(known == [.valid: 1, .length: 18, .shortest: 16, .nearest: 18, .improved: 16])
  }

  @Test(arguments: PlanarProblem.allCases)
  func `Any answer about any points has finite scores`(problem: PlanarProblem) throws {
    let (one, line) = (SIMD2(0.5, 0.5), (0..<4).map { SIMD2(Double($0), Double($0)) })
    for points in try [square(), PlanarPoints([one, one, one]), PlanarPoints(line)] {
      let truth = problem.answer(for: points)
      for answer in [truth, [], [0], [1, 1, 1, 1], [3, 2, 1, 0], [99, -1, 2], [1, 2]] {
        let scores = problem.scores(of: answer, truth: truth, for: points)
        #expect(scores.values.allSatisfy { $0.isFinite }, "\(answer): \(scores)")
        _ = problem.polygons(of: answer, for: points)
      }
    }
  }

  @Test func `Where there is no area or triangle the right answer covers all, others nothing`() throws {
    let line = try PlanarPoints([SIMD2(0, 0), SIMD2(1, 1), SIMD2(2, 2)])
    let (hull, triangles) = (PlanarProblem.convexHull, PlanarProblem.delaunayTriangulation)
    #expect(hull.scores(of: [1, 3, 0], truth: [1, 3, 0], for: line) == [.exact: 1, .simple: 0, .area: 1])
    #expect(hull.scores(of: [1, 2, 0], truth: [1, 3, 0], for: line) == [.exact: 0, .simple: 0, .area: 0])
    #expect(triangles.scores(of: [0], truth: [0], for: line) == [.exact: 1, .coverage: 1])
    #expect(triangles.scores(of: [1, 2, 3, 0], truth: [0], for: line) == [.exact: 0, .coverage: 0])
  }
}
