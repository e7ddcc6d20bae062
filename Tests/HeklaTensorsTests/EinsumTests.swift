import HeklaArrays
import Testing

@testable import HeklaTensors

@Suite struct EinsumTests {
  /// The sum by its definition: one loop over all labels.
  static func direct(_ equation: String, _ operands: [(values: [Double], shape: Shape)]) -> [Double] {
    let sides = equation.split(separator: ">", omittingEmptySubsequences: false)
    let terms = sides[0].dropLast().split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    let output = Array(sides[1])
    var extents: [Character: Int] = [:]
    for (term, operand) in zip(terms, operands) {
      for (label, extent) in zip(term, operand.shape.extents) { extents[label] = extent }
    }
    let labels = output + extents.keys.filter { !output.contains($0) }.sorted()
    let space = Shape(labels.map { extents[$0, default: 1] })
    let result = Shape(output.map { extents[$0, default: 1] })
    var sums = [Double](repeating: 0, count: result.count)
    for index in 0..<space.count {
      let at = Dictionary(uniqueKeysWithValues: zip(labels, space.coordinates(ofIndex: index)))
      var product = 1.0
      for (term, operand) in zip(terms, operands) {
        product *=
          operand.values[zip(term, operand.shape.strides).reduce(0) { $0 + at[$1.0, default: 0] * $1.1 }]
      }
      sums[zip(output, result.strides).reduce(0) { $0 + at[$1.0, default: 0] * $1.1 }] += product
    }
    return sums
  }

  static let cases: [(String, [Shape])] = [
    ("ij,jk->ik", [[3, 4], [4, 5]]), ("ij,kj->ki", [[3, 4], [5, 4]]), ("ji,jk->ik", [[4, 3], [4, 5]]),
    ("bij,bjk->bik", [[2, 3, 4], [2, 4, 5]]), ("bqhd,bkhd->bhqk", [[2, 3, 2, 4], [2, 5, 2, 4]]),
    ("i,j->ij", [[3], [4]]), ("i,i->", [[5], [5]]), ("ij->j", [[3, 4]]), ("ii->", [[4, 4]]),
    ("ii->i", [[4, 4]]),
    ("iij->ji", [[3, 3, 2]]), ("ij,jk,kl->il", [[2, 7], [7, 3], [3, 4]]),
    ("abc,cd->", [[2, 3, 4], [4, 5]]),
    ("a,ab,abc->c", [[3], [3, 4], [3, 4, 2]]), ("ij,ij,ij->ij", [[2, 3], [2, 3], [2, 3]]),
    ("bfx,kxy,koy->bkof", [[2, 3, 4], [5, 4, 3], [5, 2, 3]]),
    ("ab,bc,cd,de,ef,fg,ga->", [[2, 3], [3, 2], [2, 3], [3, 2], [2, 3], [3, 2], [2, 2]]),
    (",ij->ji", [[], [2, 3]]), ("ijk,ilk->jl", [[2, 3, 4], [2, 5, 4]]),
  ]

  @Test(arguments: 0..<19) func `Every equation is its sum, with its gradient`(_ index: Int) {
    let (equation, shapes) = Self.cases[index]
    let values = shapes.enumerated().map { spread($1.count, seed: UInt64($0)) }
    let tensors = zip(values, shapes).map { Tensor($0, shape: $1) }
    let found = numbers(of: .einsum(equation, tensors))
    // Sums of some hundred products of numbers below 1.
    #expect(agree(found, Self.direct(equation, Array(zip(values, shapes)).map { ($0, $1) }), within: 1e-13))
    for position in shapes.indices {
      let error = gradientError(at: values[position], shapes[position]) { x in
        var operands = tensors
        operands[position] = x
        return .einsum(equation, operands)
      }
      #expect(error < 1e-8, "\(equation), operand \(position)")
    }
  }

  @Test func `An ellipsis broadcasts and an equation without an arrow sorts its labels`() {
    let x = Tensor(spread(24, seed: 1), shape: [2, 1, 3, 4])
    let y = Tensor(spread(40, seed: 2), shape: [2, 4, 5])
    let found = Tensor.einsum("...ij,...jk->...ik", x, y)
    #expect(found.shape == [2, 2, 3, 5])
    #expect(agree(numbers(of: found), numbers(of: x.matrixProduct(y)), within: 1e-14))
    let z = Tensor(spread(12, seed: 3), shape: [3, 4])
    #expect(Tensor.einsum("zb", z).shape == [4, 3])
    #expect(Tensor.einsum("ij,jk", z, Tensor.zeros([4, 2], .float64)).shape == [3, 2])
    let wholes = Tensor([1, 2, 3, 4] as [Int32], shape: [2, 2])
    #expect(numbers(of: .einsum("ij,jk->ik", wholes, wholes)) == [7, 10, 15, 22])
  }

  @Test func `The order of contraction is the cheapest`() {
    // (A B) C takes 10 x 100 x 5 + 10 x 5 x 50, A (B C) ten times as much. Source: Cormen et al., section 15.2.
    let extents = [1: 10, 2: 100, 3: 5, 4: 50]
    let order = ContractionOrder([[1, 2], [2, 3], [3, 4]], output: [1, 4], extents: extents)
    #expect(order.cost == 7_500)
    #expect(order.pairs.map { [$0.0, $0.1] } == [[0, 1], [0, 1]])
    let other = ContractionOrder([[3, 4], [1, 2], [2, 3]], output: [1, 4], extents: extents)
    #expect(other.cost == 7_500)
  }

  @Test func `A wrong equation says what is wrong`() {
    func message(_ equation: String, _ shapes: [Shape]) -> String {
      do {
        _ = try EinsteinSummation(equation, shapes: shapes)
        return ""
      } catch { return error.message }
    }
    #expect(message("ij,jk->ik", [[2, 3]]) == "it has 2 terms for 1 operands")
    #expect(message("ijk->i", [[2, 3]]) == "term ijk has 3 labels for shape [2, 3]")
    #expect(message("ij,jk->ik", [[2, 3], [4, 2]]) == "the axes that label j names have extents 3 and 4")
    #expect(message("ij->ijj", [[2, 3]]) == "the result names a label twice")
    #expect(message("ij->ik", [[2, 3]]) == "no operand has label k, which the result names")
    #expect(message("i1->i", [[2, 3]]) == "1 in term i1 is no label; labels are the letters a-z and A-Z")
  }

  @Test func `Tensor, outer and vector products are sums too`() {
    let (x, y) = (
      Tensor(spread(24, seed: 1), shape: [2, 3, 4]), Tensor(spread(60, seed: 2), shape: [3, 4, 5])
    )
    let expected = numbers(of: .einsum("abc,bcd->ad", x, y))
    #expect(agree(numbers(of: x.tensorProduct(y, contracting: 2)), expected, within: 1e-14))
    #expect(numbers(of: Tensor([1.0, 2]).outerProduct(Tensor([3.0, 4]))) == [3, 4, 6, 8])
    let v = Tensor(spread(8, seed: 3), shape: [2, 4])
    #expect(agree(numbers(of: x.vectorProduct(v)), numbers(of: .einsum("bij,bj->bi", x, v)), within: 1e-14))
  }
}
