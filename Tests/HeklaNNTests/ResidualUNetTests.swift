import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct ResidualUNetTests {
  /// A float32 constant, as the weights are, which the reference widens.
  private func single(_ numbers: [Double], _ shape: Shape) -> Tensor {
    Tensor(numbers.map { Float($0) }, shape: shape)
  }

  @Test func `A context block adds to what comes in: nothing where its last convolution is 0`() throws {
    let block = ContextBlock(features: 2, axes: 2, key: RandomKey(seed: 1))
    let x = single(numbers(32, seed: 2), [1, 2, 4, 4])
    let weight = block.convolutions[1].weight
    let zero = [weight.tensor.node: HostArray(zeros: weight.shape, of: .float64)]
    #expect(values(block(x), feeding: zero) == values(x))
    // By its parts.
    let inner = block.convolutions[0](block.normalizations[0](x).leakyRelu())
    let wanted = x + block.convolutions[1](block.normalizations[1](inner).leakyRelu())
    #expect(values(block(x)) == values(wanted))
    #expect(values(block(x)) != values(x))
    // With a key elements are dropped, and others with another key.
    let dropped = (0..<2).map { values(block(x, key: Tensor(RandomKey(seed: UInt64($0))))) }
    #expect(dropped[0] != dropped[1] && dropped[0] != values(block(x)))
  }

  @Test func `A unit convolves, normalizes and rectifies`() throws {
    let unit = ConvolutionUnit(channels: 1, features: 1, stride: 2, axes: 1, key: RandomKey(seed: 3))
    #expect(unit.convolution.bias == nil)
    let x = numbers(8, seed: 4).map { Double(Float($0)) }
    // Windows of 3 with stride 2 over 8 elements have one element of border behind, so that they begin at even ones.
    let tap = [1.0, 0, 0]
    let found = values(
      unit(single(x, [1, 1, 8])),
      feeding: [unit.convolution.weight.tensor.node: HostArray(tap, shape: [1, 1, 3])])
    let kept = [x[0], x[2], x[4], x[6]]
    let wanted = NormalizationTests.normal(kept).map { $0 > 0 ? $0 : 0.01 * $0 }
    // The slope and the norm's epsilon are float32 constants of the expressions.
    #expect(agree(found, wanted, within: 1e-6))
  }

  @Test(arguments: [1, 2, 3])
  func `Outputs have the extents of the input, padded and cropped back where 4 does not divide them`(
    axes: Int
  ) {
    let extents = Array([6, 3, 5].prefix(axes))
    let f = ResidualUNet(channels: 2, features: [1, 2, 2], outputs: 3, axes: axes, key: RandomKey(seed: 5))
    #expect(f.strideProduct == 4)
    let padded = extents.map { ($0 + 3) / 4 * 4 }
    let x = single(numbers(2 * extents.reduce(1, *), seed: 6), Shape([1, 2] + extents))
    let behind = x.padded(after: [0, 0] + zip(padded, extents).map { $0 - $1 })
    let (y, whole) = (f(x), f(behind))
    #expect(y.shape == Shape([1, 3] + extents) && whole.shape == Shape([1, 3] + padded))
    let found = referenceValues(
      of: [y, whole.sliced(starts: [Int](repeating: 0, count: axes + 2), extents: y.shape.extents)])
    #expect(found[0] == found[1])
  }

  @Test func `All weights but those of the heads are the same whatever the outputs are`() {
    func network(_ outputs: Int) -> ResidualUNet {
      ResidualUNet(channels: 1, features: [2, 3], outputs: outputs, axes: 1, key: RandomKey(seed: 7))
    }
    let (one, four) = (network(1).parameters(), network(4).parameters())
    #expect(one.map(\.path) == four.map(\.path))
    for (a, b) in zip(one, four) where !a.path.hasPrefix("heads") {
      #expect(values(a.parameter.initial) == values(b.parameter.initial), "\(a.path)")
    }
    #expect(four.last { $0.path.hasPrefix("heads") }?.parameter.shape == [4])
  }

  @Test func `Every level's head adds to the outputs, the lower one's resized`() throws {
    let f = ResidualUNet(
      channels: 1, features: [2, 2, 2], outputs: 1, axes: 1, dropout: 0, key: RandomKey(seed: 8))
    let x = single(numbers(16, seed: 9), [1, 1, 16])
    let top = try #require(f.parameters().first { $0.path == "heads.0.weight" }?.parameter)
    let below = try #require(f.parameters().first { $0.path == "heads.1.weight" }?.parameter)
    func output(without parameters: [Parameter]) -> [Double] {
      let zeros = parameters.map { ($0.tensor.node, HostArray(zeros: $0.shape, of: .float64)) }
      return values(f(x), feeding: Dictionary(uniqueKeysWithValues: zeros))
    }
    let (both, lower, upper) = (output(without: []), output(without: [top]), output(without: [below]))
    // Both heads are linear and their shifts start at 0.
    #expect(agree(zip(lower, upper).map { $0 + $1 }, both, within: 1e-14))
    // Elements 2i - 1 and 2i lie a quarter and three quarters of the way from center i - 1 to center i of the 8 below,
    // 2i + 1 and 2i + 2 likewise to center i + 1, so that both pairs tell the number at center i.
    #expect(lower.contains { abs($0) > 1e-3 })
    for place in stride(from: 2, to: 13, by: 2) {
      let (before, after) = (3 * lower[place] - lower[place - 1], 3 * lower[place + 1] - lower[place + 2])
      #expect(abs(before - after) < 1e-13)
    }
    #expect(output(without: [top, below]).allSatisfy { $0 == 0 })
  }

  @Test func `Gradients of all weights agree with central differences along random directions`() {
    let f = ResidualUNet(channels: 2, features: [2, 2], outputs: 2, axes: 2, key: RandomKey(seed: 10))
    let x = single(numbers(32, seed: 11), [1, 2, 4, 4])
    let weights = single(numbers(32, seed: 12), [1, 2, 4, 4])
    let theta = f.trainableParameters
    let loss = (f(x, key: Tensor(RandomKey(seed: 13))) * weights).sum()
    #expect(directionalErrors(loss, theta).allSatisfy { $0 < 1e-7 })
  }
}
