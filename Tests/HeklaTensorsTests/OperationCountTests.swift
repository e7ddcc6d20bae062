import Foundation
import HeklaArrays
import Testing

@testable import HeklaTensors

/// What profiles divide by time.
@Suite struct OperationCountTests {
  private func count(_ primitive: any Primitive, _ shapes: Shape...) -> Double? {
    primitive.operationCount(of: shapes.map { Signature($0) })
  }

  @Test func `a matrix product multiplies and adds once for each element and inner index`() {
    let product = MatrixProduct(transposingLeft: false, transposingRight: true)
    #expect(count(product, [2, 3, 4], [1, 5, 4]) == Double(2 * 2 * 3 * 5 * 4))
  }

  @Test func `the directions of a convolution do as much as there are pairs that meet`() {
    // Without borders, at which some taps meet nothing but count.
    let item = ConvolutionCase("strided", [2, 4, 9, 7], [6, 2, 3, 2], strides: [2, 1], groups: 2)
    var pairs = 0
    item.geometry.forEachProduct(item.input, item.weights, item.output) { _, _, _ in pairs += 1 }
    let wanted = Double(2 * pairs)
    #expect(count(Convolution(geometry: item.geometry), item.input, item.weights) == wanted)
    let back = ConvolutionInputGradient(geometry: item.geometry, inputShape: item.input)
    #expect(count(back, item.output, item.weights) == wanted)
    let weights = ConvolutionWeightGradient(geometry: item.geometry, weightShape: item.weights)
    #expect(count(weights, item.input, item.output) == wanted)
  }

  @Test func `attention is two matrix products, its gradient five`() {
    let options = AttentionOptions(scale: 1, isCausal: true, hasMask: false, hasLengths: false)
    let inputs: [Shape] = [[2, 4, 3, 8], [2, 2, 5, 8], [2, 2, 5, 6]]
    let forward = Attention(options: options).operationCount(of: inputs.map { Signature($0) })
    #expect(forward == Double(2 * 2 * 4 * 3 * 5 * (8 + 6)))
    let gradient = AttentionGradient(options: options).operationCount(of: inputs.map { Signature($0) })
    #expect(gradient == Double(2 * 2 * 4 * 3 * 5 * (3 * 8 + 2 * 6)))
  }

  @Test func `transforms, factorizations and sums have the counts of textbooks, movement has none`() {
    #expect(count(Fourier(isInverse: false), [3, 8, 2], [8, 2]) == Double(3 * 5 * 8 * 3))
    #expect(count(Cholesky(), [2, 6, 6]) == Double(2 * 72))
    #expect(count(LUFactorization(), [2, 6, 6]) == Double(2 * 144))
    let solve = TriangularSolve(isLower: true, isTransposed: false, hasUnitDiagonal: false)
    #expect(count(solve, [2, 6, 6], [2, 6, 5]) == Double(2 * 36 * 5))
    #expect(count(ScatterSum(rows: 9), [7, 3], [7]) == 21)
    #expect(count(LinearRecurrence(isReversed: false), [2, 7, 3], [2, 7, 3]) == 84)
    #expect(count(Scan(fold: .sum, isReversed: false), [2, 7, 3]) == 42)
    #expect(Scan(fold: .sum, isReversed: false).operationCount(of: [Signature([2, 7, 3], .int32)]) == nil)
    #expect(count(Gather(), [7, 3], [5]) == nil)
  }
}
