import HeklaArrays
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// Which loops the host runs row by row, and what comes out.
@Suite struct RowFusionTests {
  private func labels(
    _ outputs: [Tensor], assigning assignments: [Assignment] = [], inputs: [Shape]
  ) throws -> [String] {
    let computation = Computation(StepDescription(outputs: outputs, assignments: assignments))
    return try Compiler(capabilities: paperHost, options: CompilerOptions())
      .plan(computation, inputs: inputs.map { Signature($0) }).steps.map(\.label)
  }

  private func input(_ position: Int, _ shape: Shape) -> Tensor { .input(position, Signature(shape)) }

  @Test func `softmax and a normalization are one launch, and nothing between is kept`() throws {
    let x = input(0, [64, 96])
    #expect(try labels([x.softmax()], inputs: [[64, 96]]) == ["rows of 4"])
    #expect(try labels([x.standardized(along: [-1])], inputs: [[64, 96]]) == ["rows of 3"])
    let plan = try Compiler(capabilities: paperHost, options: CompilerOptions())
      .plan(
        Computation(StepDescription(outputs: [x.standardized(along: [-1])])), inputs: [Signature([64, 96])])
    #expect(plan.arenaByteCounts == [64 * 96 * 4])
  }

  @Test func `what comes before, and the sum over all rows after, are taken in`() throws {
    let (x, y) = (input(0, [8, 16, 32]), input(1, [8, 16, 32]))
    let sum = (x + y).exp()
    let normal = sum.standardized(along: [-1])
    #expect(
      try labels([normal, normal.sum(along: [0, 1]), sum], inputs: [[8, 16, 32], [8, 16, 32]]) == [
        "rows of 5"
      ])
  }

  @Test func `few rows, columns and what a parameter takes are left alone`() throws {
    #expect(try labels([input(0, [4, 96]).softmax()], inputs: [[4, 96]]).count == 4)
    // Of columns, only the sum of the exponentials goes along with what it sums.
    let columns = try labels([input(0, [64, 96]).softmax(along: 0)], inputs: [[64, 96]])
    #expect(columns == ["maximum", "rows of 2", "map"])
    let w = Parameter(.ones([64, 96]))
    let steps = try labels([], assigning: [w.assigning((w.tensor * 2).softmax())], inputs: [])
    #expect(steps.last == "map")
  }

  @Test func `a sum of columns is left to itself`() throws {
    // Its rows would be columns, which are read across memory a few at a time.
    let x = input(0, [832, 512])
    #expect(try labels([x.sum(along: 0).squared().sum()], inputs: [[832, 512]]) == ["sum", "sum"])
    #expect(try labels([x.sum(along: 1).squared().sum()], inputs: [[832, 512]]) == ["rows of 2"])
  }

  @Test func `a loop that needs another kernel's result of the rows stays behind it`() throws {
    let (x, w) = (input(0, [64, 32]), input(1, [32, 32]))
    let normal = x.standardized(along: [-1])
    let steps = try labels([(normal + normal.matrixProduct(w)).softmax()], inputs: [[64, 32], [32, 32]])
    #expect(steps == ["rows of 3", "matrix-product", "rows of 4"])
  }

  @Test func `rows give the values of the references, whatever they are`() throws {
    let executor = try PlanExecutor(DeviceCatalog.shared.device(named: "cpu"))
    let x = Tensor.normal([96, 40], key: RandomKey(seed: 1))
    let cube = x.reshaped(to: [32, 3, 5, 8])
    let (gamma, mask) = (Tensor.normal([40], key: RandomKey(seed: 2)), x .> 0.2)
    let normal = x.standardized(along: [-1]) * gamma
    let slopes = gradients(of: (normal * x).tanh(), withRespectTo: [x, gamma], upstream: x.exp())
    let outputs: [Tensor] =
      [
        x.softmax(), x.logSoftmax(), normal, x.softmax(where: mask),
        cube.standardized(along: [2, 3]), cube.standardized(along: [1, 2, 3]).sum(along: 0),
        cube.softmax(along: 2), x.transposed().softmax(), cube.permuted([0, 2, 1, 3]).softmax(along: 3),
        (x - x.maximum(along: 1, keepingAxes: true)).argumentMaximum(along: 1),
        x.padded(before: [0, 1], after: [0, 2]).softmax(), normal.sum(), normal.squared().maximum(along: 0),
      ] + slopes
    let wanted = referenceValues(of: outputs)
    // Each by itself, and all together, which share rows.
    let found = try outputs.map { try executor.values(of: [$0])[0] } + executor.values(of: outputs)
    for (position, (value, want)) in zip(found, wanted + wanted).enumerated() {
      // Of at most some hundred terms of up to a hundred that are each rounded a few times.
      let difference = disagreement(value, want, within: value.elementType == .float32 ? 1e-3 : 0)
      #expect(difference == nil, "output \(position): \(difference ?? "")")
    }
  }
}

extension Tensor {
  /// Brought to mean 0 and variance 1 along `axes`.
  fileprivate func standardized(along axes: [Int]) -> Tensor {
    let centered = self - mean(along: axes, keepingAxes: true)
    let variance = centered.squared().mean(along: axes, keepingAxes: true)
    return .map(centered, variance) { $0 * .reciprocalSquareRoot($1 + 1e-5) }
  }
}
