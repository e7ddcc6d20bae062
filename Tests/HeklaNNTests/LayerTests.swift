import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct LayerTests {
  @Test func `Linear computes x W + b over any outer axes`() throws {
    let layer = Linear(inputs: 3, outputs: 2, key: RandomKey(seed: 1))
    let bias = try #require(layer.bias)
    let (w, b, x) = (numbers(6, seed: 2), numbers(2, seed: 3), numbers(12, seed: 4))
    var expected: [Double] = []
    for row in 0..<4 {
      for column in 0..<2 {
        var sum = b[column]
        for inner in 0..<3 { sum += x[row * 3 + inner] * w[inner * 2 + column] }
        expected.append(sum)
      }
    }
    let input = Tensor.input(0, Signature([2, 2, 3]))
    let output = layer(input)
    #expect(output.shape == [2, 2, 2])
    let found = values(
      output,
      feeding: [
        input.node: HostArray(x, shape: [2, 2, 3]), layer.weight.tensor.node: HostArray(w, shape: [3, 2]),
        bias.tensor.node: HostArray(b, shape: [2]),
      ])
    // Sums of three terms in float64.
    #expect(agree(found, expected, within: 1e-14))
    #expect(Linear(inputs: 3, outputs: 2, bias: false, key: RandomKey(seed: 1)).bias == nil)
    #expect(values(bias.initial) == [0, 0])
  }

  @Test func `Embedding gives the rows that the symbols name`() {
    let layer = Embedding(count: 4, width: 3, key: RandomKey(seed: 1))
    let table = numbers(12, seed: 2)
    let output = layer(Tensor([3, 0, 3, 1] as [Int32], shape: [2, 2]))
    #expect(output.shape == [2, 2, 3])
    let found = values(output, feeding: [layer.weight.tensor.node: HostArray(table, shape: [4, 3])])
    let expected = [3, 0, 3, 1].flatMap { row in table[(row * 3)..<(row * 3 + 3)] }
    #expect(found == expected)
  }

  @Test func `Layer normalization brings each vector to mean 0 and variance 1, then scales and shifts`() {
    let layer = LayerNormalization(width: 5)
    let (x, scale, shift) = (
      numbers(10, seed: 1).map { $0 * 3 + 2 }, numbers(5, seed: 2), numbers(5, seed: 3)
    )
    let input = Tensor.input(0, Signature([2, 5]))
    let found = values(
      layer(input),
      feeding: [
        input.node: HostArray(x, shape: [2, 5]), layer.scale.tensor.node: HostArray(scale),
        layer.shift.tensor.node: HostArray(shift),
      ])
    let expected = (0..<2).flatMap { row -> [Double] in
      let vector = Array(x[(row * 5)..<(row * 5 + 5)])
      let mean = vector.reduce(0, +) / 5
      let variance = vector.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5
      let deviation = (variance + 1e-5).squareRoot()
      return (0..<5).map { (vector[$0] - mean) / deviation * scale[$0] + shift[$0] }
    }
    #expect(agree(found, expected, within: 1e-13))
  }

  @Test func `Gradients through layers agree with central differences`() {
    // The layers' own parameters are float32 by type; the reference computes in float64 all the same.
    let normalization = LayerNormalization(width: 5)
    let linear = Linear(inputs: 5, outputs: 3, key: RandomKey(seed: 4))
    let error = gradientError(numbers(10, seed: 1), [2, 5], .float32) { x in
      linear(normalization(x).silu()).softplus().squared().sum()
    }
    // Central differences are good to about 1e-9 of the gradient's size here; see `gradientError`.
    #expect(error < 1e-7)
  }

  @Test func `Dropout keeps the expectation, and is nothing in evaluation and at rate 0`() {
    let x = Tensor.full([100, 100], 3)
    let key = Tensor(RandomKey(seed: 3))
    let layer = Dropout(rate: 0.25)
    let found = values(layer(x, key: key))
    #expect(Set(found) == [0, 4])
    // Four standard errors of a share of 10,000.
    let share = Double(found.filter { $0 == 0 }.count) / 10_000
    let error = (0.25 * 0.75 / 10_000).squareRoot()
    #expect(abs(share - 0.25) < 4 * error)
    #expect(found == values(layer(x, key: key)))
    #expect(found != values(layer(x, key: key.folded(in: 1))))
    #expect(layer(x, key: nil).node == x.node)
    #expect(Dropout(rate: 0)(x, key: key).node == x.node)
  }

  @Test func `Dropout passes gradients where it passes values`() {
    let x = Tensor.input(0, Signature([50]))
    let y = Dropout(rate: 0.5)(x, key: Tensor(RandomKey(seed: 3)))
    let feeds = [x.node: HostArray([Double](repeating: 1, count: 50))]
    let gradient = gradients(of: y.sum(), withRespectTo: [x])[0]
    #expect(values(gradient, feeding: feeds) == values(y, feeding: feeds))
  }

  @Test func `A key that is a tensor folds numbers in as a key on the host does`() {
    let key = RandomKey(seed: 0x1234_5678_9abc_def0)
    func words(_ key: RandomKey) -> [Double] { [Double(key.words.x), Double(key.words.y)] }
    for number: UInt64 in [0, 1, 0xffff_ffff, 0x1_0000_0000, .max] {
      #expect(values(Tensor(key).folded(in: number)) == words(key.folded(in: number)))
    }
    #expect(values(Tensor(key).folded(in: Tensor([77] as [Int32], shape: []))) == words(key.folded(in: 77)))
  }

  @Test func `Activations are their formulas`() {
    let x = numbers(50, seed: 1).map { $0 * 6 } + [0]
    let tensor = constant(x, [51])
    func expect(_ found: Tensor, _ formula: (Double) -> Double) {
      // float64 throughout; a few roundings each.
      #expect(agree(values(found), x.map(formula), within: 1e-14))
    }
    expect(tensor.softplus()) { log(1 + exp($0)) }
    expect(tensor.silu()) { $0 / (1 + exp(-$0)) }
    expect(tensor.leakyRelu(slope: 0.2)) { $0 > 0 ? $0 : 0.2 * $0 }
    expect(tensor.elu(scale: 1.5)) { $0 > 0 ? $0 : 1.5 * (exp($0) - 1) }
  }

  @Test func `Activations have finite, right gradients far from 0 and at 0`() {
    let x = Tensor.input(0, Signature([5], .float64))
    func slopes(_ activation: (Tensor) -> Tensor) -> [Double] {
      let gradient = gradients(of: activation(x).sum(), withRespectTo: [x])[0]
      return values(gradient, feeding: [x.node: HostArray([-1000.0, -2, 0, 2, 1000])])
    }
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    func silu(_ x: Double) -> Double { sigmoid(x) + x * sigmoid(x) * sigmoid(-x) }
    let slope = sigmoid(2) * sigmoid(-2)
    #expect(agree(slopes { $0.softplus() }, [0, sigmoid(-2), 0.5, sigmoid(2), 1], within: 1e-14))
    #expect(agree(slopes { $0.sigmoid() }, [0, slope, 0.25, slope, 0], within: 1e-14))
    #expect(agree(slopes { $0.silu() }, [0, silu(-2), 0.5, silu(2), 1], within: 1e-13))
    #expect(agree(slopes { $0.elu() }, [0, exp(-2), 1, 1, 1], within: 1e-14))
  }

  @Test func `Dropout takes whole channels, or whole examples, where axes share`() {
    let dropout = Dropout(rate: 0.5)
    let key = Tensor(RandomKey(seed: 3))
    let x = Tensor.ones([8, 16, 3])
    let channels = values(dropout(x, key: key, sharing: [2]))
    #expect((0..<128).allSatisfy { Set(channels[($0 * 3)..<($0 * 3 + 3)]).count == 1 })
    #expect(Set(channels) == [0, 2])
    let examples = values(dropout(x, key: key, sharing: [1, -1]))
    #expect((0..<8).allSatisfy { Set(examples[($0 * 48)..<($0 * 48 + 48)]).count == 1 })
    #expect(Set(examples) == [0, 2])
  }
}
