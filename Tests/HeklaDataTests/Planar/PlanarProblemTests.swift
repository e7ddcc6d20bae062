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

  @Test func `The longest answers are reached`() throws {
    let triangle = try PlanarPoints([SIMD2(0, 0), SIMD2(4, 0), SIMD2(0, 4), SIMD2(1, 1.1), SIMD2(1.3, 1)])
    let problem = PlanarProblem.delaunayTriangulation
    #expect(problem.answer(for: triangle).count == problem.longestAnswer(for: 5))
  }

  @Test func `Hulls are scored by sequence and area`() throws {
    let (points, truth) = (try square(), [1, 4, 5, 2, 0])
    func scores(_ answer: [Int]) -> [String: Double] {
      PlanarProblem.convexHull.scores(of: answer, truth: truth, for: points)
    }
    #expect(scores(truth) == ["exact": 1, "area": 1, "simple": 1])
    #expect(scores([1, 4, 5, 0]) == ["exact": 0, "area": 0.5, "simple": 1])
    #expect(scores([4, 5, 2, 1, 0]) == ["exact": 0, "area": 1, "simple": 1])
    #expect(scores([1, 5, 4, 2, 0]) == ["exact": 0, "area": 0, "simple": 0])
    #expect(scores([0]) == ["exact": 0, "area": 0, "simple": 0])
    // Without its end a sequence is not the same.
    #expect(scores([1, 4, 5, 2])["exact"] == 0)
  }

  @Test func `Triangulations are scored as sets`() throws {
    let points = try square(), problem = PlanarProblem.delaunayTriangulation
    let truth = problem.answer(for: points)
    #expect(problem.scores(of: truth, truth: truth, for: points) == ["exact": 1, "coverage": 1])
    let turned = [3, 4, 1] + truth.dropLast(4) + [0]
    #expect(problem.scores(of: turned, truth: truth, for: points) == ["exact": 1, "coverage": 1])
    #expect(
      problem.scores(of: [2, 3, 5, 1, 2], truth: truth, for: points) == ["exact": 0, "coverage": 0.25])
    #expect(problem.scores(of: [0], truth: truth, for: points) == ["exact": 0, "coverage": 0])
  }

  @Test func `Tours are scored by length`() throws {
    let points = try square()
    let truth = PlanarProblem.shortestTour.answer(for: points)
    let scores = PlanarProblem.shortestTour.scores(of: [1, 1, 2, 3, 4], truth: truth, for: points)
    #expect(scores["valid"] == 0)
    let right = PlanarProblem.shortestTour.scores(of: truth, truth: truth, for: points)
    #expect(right["valid"] == 1 && right["length"] == right["shortest"])
    #expect((right["nearest"] ?? 0) >= (right["shortest"] ?? 1))
  }
}
