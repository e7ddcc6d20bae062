import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct AttentionLayerTests {
  @Test func `a causal transformer block does not look ahead`() {
    let block = TransformerBlock(width: 8, heads: 4, groups: 2, key: RandomKey(seed: 1))
    let x = numbers(2 * 5 * 8, seed: 2)
    var changed = x
    // The last position of both entries.
    for index in x.indices where index / 8 % 5 == 4 { changed[index] += 1 }
    let input = Tensor.input(0, Signature([2, 5, 8]))
    let output = block(input, isCausal: true, rotary: RotaryPositions())
    let before = values(output, feeding: [input.node: HostArray(x, shape: [2, 5, 8])])
    let after = values(output, feeding: [input.node: HostArray(changed, shape: [2, 5, 8])])
    for index in x.indices { #expect((before[index] == after[index]) == (index / 8 % 5 < 4)) }
  }

  @Test func `a block whose last maps start at 0 adds nothing at first`() {
    let block = TransformerBlock(width: 8, heads: 2, outputInitializer: .zeros, key: RandomKey(seed: 1))
    let x = numbers(3 * 8, seed: 2)
    let input = Tensor.input(0, Signature([3, 8]))
    #expect(values(block(input), feeding: [input.node: HostArray(x, shape: [3, 8])]) == x)
    #expect(values(block.expansion.weight.initial).contains { $0 != 0 })
  }

  @Test func `rotary positions keep lengths and make products depend on the distance`() {
    let x = (0..<6).flatMap { _ in [0.3, -0.7, 0.2, 0.9] }
    let turned = values(RotaryPositions()(constant(x, [6, 4])))
    func product(_ a: Int, _ b: Int) -> Double {
      (0..<4).reduce(0) { $0 + turned[a * 4 + $1] * turned[b * 4 + $1] }
    }
    // The angles' sines and cosines are single precision.
    #expect(abs(product(0, 0) - product(5, 5)) < 1e-6)
    #expect(abs(product(0, 2) - product(3, 5)) < 1e-6)
    #expect(abs(product(0, 2) - product(0, 3)) > 1e-2)
  }

  @Test func `sinusoidal positions are those of the definition`() {
    let found = values(.sinusoidalPositions(count: 3, width: 4))
    let expected = (0..<3).flatMap { position -> [Double] in
      let p = Double(position)
      return [sin(p), cos(p), sin(p / 100), cos(p / 100)]
    }
    // Rounded to single precision.
    #expect(agree(found, expected, within: 1e-7))
  }
}
