import HeklaArrays
import TestSupport
import Testing

@testable import HeklaTensors

@Suite struct IndexExpressionTests {
  /// An expression beside what it has to mean.
  private struct Pair {
    var expression: IndexExpression
    var value: ([Int]) -> Int
  }

  @Test(arguments: 0..<200)
  func `simplified expressions keep their value, and their range holds it`(seed: Int) {
    var random = RandomNumbers(seed: UInt64(seed))
    let extents = (0..<3).map { _ in [1, 2, 3, 4, 6, 8][random.below(6)] }
    var pairs = extents.enumerated().map { number, extent in
      Pair(expression: IndexExpression(.init(number, extent: extent))) { $0[number] }
    }
    for _ in 0..<12 {
      let (left, right) = (pairs[random.below(pairs.count)], pairs[random.below(pairs.count)])
      let number = [2, 3, 4, 6, 12][random.below(5)]
      let made: Pair =
        switch random.below(5) {
        case 0: Pair(expression: left.expression + right.expression) { left.value($0) + right.value($0) }
        case 1: Pair(expression: left.expression * (number - 4)) { left.value($0) * (number - 4) }
        case 2: Pair(expression: left.expression.divided(by: number)) { floorDivide(left.value($0), number) }
        case 3:
          Pair(expression: left.expression.remainder(by: number)) {
            left.value($0) - floorDivide(left.value($0), number) * number
          }
        default: Pair(expression: left.expression + (number - 7)) { left.value($0) + number - 7 }
        }
      pairs.append(made)
    }
    let domain = Shape(extents)
    for pair in pairs {
      for index in 0..<domain.count {
        let point = domain.coordinates(ofIndex: index)
        #expect(evaluate(pair.expression, at: point) == pair.value(point), "\(pair.expression) at \(point)")
        #expect(pair.expression.range.contains(pair.value(point)), "\(pair.expression) at \(point)")
      }
    }
  }

  @Test func `a substituted variable keeps the value`() {
    let variable = IndexExpression(.init(0, extent: 24))
    let expression = variable.divided(by: 4).remainder(by: 3) * 5 + variable.remainder(by: 6)
    let split = expression.substituting { _ in
      IndexExpression(.init(0, extent: 6)) * 4 + IndexExpression(.init(1, extent: 4))
    }
    for value in 0..<24 {
      #expect(evaluate(split, at: [value / 4, value % 4]) == evaluate(expression, at: [value]))
    }
  }

  @Test func `what the ranges decide needs no quotient`() {
    let (i, j) = (IndexExpression(.init(0, extent: 4)), IndexExpression(.init(1, extent: 6)))
    let position = i * 6 + j
    #expect(position.divided(by: 6) == i)
    #expect(position.remainder(by: 6) == j)
    #expect(position.divided(by: 24) == IndexExpression(0))
    #expect(j.divided(by: 2).divided(by: 3) == IndexExpression(0))
    #expect(position.divided(by: 2).divided(by: 3) == i)
    #expect("\(i * 6 + j + 2)" == "6*v0 + v1 + 2")
  }

  /// Reshapes whose factors line up: splitting variables leaves nothing but sums.
  @Test(arguments: [
    ([4, 6], [24]), ([4, 6], [2, 12]), ([4, 6], [8, 3]), ([24], [2, 3, 4]), ([2, 3, 4], [6, 4]),
    ([5, 1, 7], [35]), ([6, 10], [3, 20]), ([8, 9, 2], [2, 4, 18]),
  ])
  func `splitting variables makes a reshape affine`(from source: [Int], to target: [Int]) {
    let (expressions, splits) = affineReshape(Shape(source), Shape(target))
    #expect(expressions.allSatisfy { $0.isAffine }, "\(expressions) after \(splits) splits")
  }

  @Test func `where no factor lines up, no split is offered`() {
    let (expressions, splits) = affineReshape([6, 35], [10, 21])
    #expect(!expressions.allSatisfy { $0.isAffine })
    #expect(splits <= 4)
  }

  /// The coordinates in `source` of a point of `target`, with variables split as long as that is of use.
  private func affineReshape(_ source: Shape, _ target: Shape) -> ([IndexExpression], splits: Int) {
    var factors = target.extents.map { [$0] }
    var splits = 0
    while true {
      var number = 0
      let point = factors.map { axis in
        var coordinate = IndexExpression(0)
        for factor in axis {
          coordinate = coordinate * factor + IndexExpression(.init(number, extent: factor))
          number += 1
        }
        return coordinate
      }
      let result = delinearized(linearized(point, in: target), in: source)
      guard splits < 50, let split = result.lazy.compactMap(\.usefulSplit).first else {
        return (result, splits)
      }
      splits += 1
      number = 0
      factors = factors.map { axis in
        axis.flatMap { factor -> [Int] in
          defer { number += 1 }
          return number == split.variable.number ? [factor / split.innerExtent, split.innerExtent] : [factor]
        }
      }
    }
  }

  private func evaluate(_ expression: IndexExpression, at point: [Int]) -> Int {
    expression.terms.reduce(expression.constant) { sum, term in
      let value =
        switch term.key {
        case .variable(let variable): point[variable.number]
        case .quotient(let inner, let divisor): floorDivide(evaluate(inner, at: point), divisor)
        case .remainder(let inner, let divisor):
          evaluate(inner, at: point) - floorDivide(evaluate(inner, at: point), divisor) * divisor
        }
      return sum + term.value * value
    }
  }
}

private func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
  Int((Double(dividend) / Double(divisor)).rounded(.down))
}
