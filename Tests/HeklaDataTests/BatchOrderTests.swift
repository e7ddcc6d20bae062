import HeklaArrays
import HeklaData
import Testing

@Suite("Batch orders")
struct BatchOrderTests {
  let key = RandomKey(seed: 3)

  @Test("Dropping the remainder: batches are pieces of each epoch's own order", arguments: [1, 3, 4, 5, 10])
  func drop(batchSize: Int) {
    let order = BatchOrder(count: 10, batchSize: batchSize, key: key)
    let steps = 10 / batchSize
    #expect(order.stepsPerEpoch == steps)
    for epoch in 0..<4 {
      let expected = key.folded(in: UInt64(epoch)).permutation(of: 10)
      for step in 0..<steps {
        let batch = order.indices(step: epoch * steps + step)
        #expect(batch == Array(expected[(step * batchSize)..<((step + 1) * batchSize)]))
        #expect(order.epoch(ofStep: epoch * steps + step) == epoch)
      }
    }
  }

  @Test(
    "Wrapping the remainder: batches are pieces of all epochs' orders joined", arguments: [1, 3, 4, 10, 25])
  func wrap(batchSize: Int) {
    let order = BatchOrder(count: 10, batchSize: batchSize, key: key, remainder: .wrap)
    let joined = (0..<6).flatMap { key.folded(in: UInt64($0)).permutation(of: 10) }
    for step in 0..<(60 / batchSize) {
      let start = step * batchSize
      #expect(order.indices(step: step) == Array(joined[start..<(start + batchSize)]))
      #expect(order.epoch(ofStep: step) == start / 10)
    }
  }

  @Test("Steps may come in any order, from many tasks and from copies")
  func pure() async {
    let order = BatchOrder(count: 50, batchSize: 7, key: key, remainder: .wrap)
    let expected = (0..<40).map {
      BatchOrder(count: 50, batchSize: 7, key: key, remainder: .wrap).indices(step: $0)
    }
    #expect((0..<40).reversed().map { order.indices(step: $0) } == expected.reversed())
    await withTaskGroup(of: (Int, [Int]).self) { group in
      for step in 0..<40 { group.addTask { (step, order.indices(step: step)) } }
      for await (step, rows) in group { #expect(rows == expected[step]) }
    }
    #expect(
      order.indices(step: 3)
        != BatchOrder(count: 50, batchSize: 7, key: RandomKey(seed: 4), remainder: .wrap).indices(step: 3))
  }
}
