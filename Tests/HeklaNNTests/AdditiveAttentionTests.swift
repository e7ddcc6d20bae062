import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct AdditiveAttentionTests {
  @Test func `Scores are v tanh(W1 e + W2 d), and keys past the counts get no weight`() {
    let (queries, batch, count, width) = (2, 2, 3, 2)
    let layer = AdditiveAttention(width: width, key: RandomKey(seed: 1))
    let (w1, w2, v) = (numbers(4, seed: 2), numbers(4, seed: 3), numbers(2, seed: 4))
    let (e, d) = (numbers(batch * count * width, seed: 5), numbers(queries * batch * width, seed: 6))
    let (key, query) = (
      Tensor.input(0, Signature([batch, count, width])), Tensor.input(1, Signature([queries, batch, width]))
    )
    let counts = Tensor([3, 2] as [Int32])
    let u = layer(keys: layer.keys(of: key), queries: query)
    let p = layer(keys: layer.keys(of: key), queries: query, counts: counts).softmax()
    let feed: [Node: HostArray] = [
      layer.keyWeight.tensor.node: HostArray(w1, shape: [2, 2]),
      layer.queryWeight.tensor.node: HostArray(w2, shape: [2, 2]),
      layer.scoreWeight.tensor.node: HostArray(v), key.node: HostArray(e, shape: key.shape),
      query.node: HostArray(d, shape: query.shape),
    ]
    let found = referenceValues(of: [u, p], feeding: feed).map { $0.doubles() }
    for i in 0..<queries {
      for b in 0..<batch {
        var weights: [Double] = []
        for j in 0..<count {
          let score = (0..<width).reduce(0.0) { sum, column in
            let inside = (0..<width).reduce(0.0) {
              $0 + e[(b * count + j) * width + $1] * w1[$1 * width + column]
                + d[(i * batch + b) * width + $1] * w2[$1 * width + column]
            }
            return sum + v[column] * tanh(inside)
          }
          #expect(abs(found[0][(i * batch + b) * count + j] - score) < 1e-12)
          weights.append(j < 3 - b ? exp(score) : 0)
        }
        for j in 0..<count {
          let weight = found[1][(i * batch + b) * count + j]
          #expect(abs(weight - weights[j] / weights.reduce(0, +)) < 1e-12)
          if j >= 3 - b { #expect(weight == 0) }
        }
      }
    }
  }
}
