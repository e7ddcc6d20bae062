import CHostLoops
import HeklaDevices

/// O = softmax(scale Q K^T + mask) V and L, the logarithm of each row's sum of exponentials.
///
/// Parameters: see `AttentionExtents`. Bindings: Q [batch, heads, S, D], K [batch, groups, T, D], V [batch, groups,
/// T, E], mask, lengths, O [batch, heads, S, E], L [batch, heads, S]; where there is no mask, or are no lengths, any.
/// Any of Q, K, V and O may lie interleaved.
///
/// A task is a block of queries, which meets one block of keys after another: no row is divided among threads.
/// Source: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
struct AttentionForward: Sendable {
  static let name = "attention"

  private let extents: AttentionExtents
  private let key: String
  private let pool: ThreadPool
  private let products: AttentionProducts

  init?(
    _ parameters: [Int], pool: ThreadPool = .shared, products: AttentionProducts = AttentionProducts()
  ) {
    guard let extents = AttentionExtents(parameters) else { return nil }
    (self.extents, self.pool, self.products) = (extents, pool, products)
    key = "\(parameters)"
  }

  var source: HostSource {
    HostSource(name: Self.name, key: key) { (arguments: HostArguments) throws(DeviceError) in
      try run(arguments)
    }
  }

  private func run(_ arguments: HostArguments) throws(DeviceError) {
    let memory = try AttentionMemory(extents, arguments, kernel: Self.name)
    let rows = extents.batch * extents.heads * extents.queries
    let output: UnsafeMutablePointer<Float> = try arguments.floats(
      5, count: rows * extents.width, kernel: Self.name)
    let sums: UnsafeMutablePointer<Float> = try arguments.floats(6, count: rows, kernel: Self.name)
    let blocks = (extents.queries + AttentionProducts.queries - 1) / AttentionProducts.queries
    pool.parallel(count: extents.batch * extents.heads * blocks) { task in
      // The last block first: in causal attention it has the most to do.
      let block = blocks - 1 - task % blocks
      let first = block * AttentionProducts.queries
      let range = first..<min(first + AttentionProducts.queries, extents.queries)
      runBlock(task / blocks, range, memory, output, sums)
    }
  }

  private func runBlock(
    _ stream: Int, _ queries: Range<Int>, _ memory: AttentionMemory, _ output: UnsafeMutablePointer<Float>,
    _ sums: UnsafeMutablePointer<Float>
  ) {
    let (depth, width) = (extents.depth, extents.width)
    let step = AttentionProducts.scoreStep(extents.keys)
    let packedKeys = products.packedCount(depth: depth, columns: step)
    let packedValues = products.packedCount(depth: step, columns: width)
    let rows = (queries.count + 15) / 16 * 16
    withAlignedFloats(packedKeys + packedValues + queries.count * step + 2 * rows) { keyPanels in
      let valuePanels = keyPanels + packedKeys
      let scores = valuePanels + packedValues
      let tops = scores + queries.count * step
      let totals = tops + rows
      tops.initialize(repeating: -1.7e38, count: rows)
      totals.initialize(repeating: 0, count: rows)
      let (own, results) = (extents.queryRows(stream), extents.resultRows(stream))
      let group = extents.group(of: stream)
      let (keyRows, valueRows) = (extents.keyRows(group), extents.valueRows(group))
      let target = output + results.place(queries.lowerBound)
      let limit = memory.limit(stream, before: queries.upperBound)
      if limit == 0 {
        for row in 0..<queries.count { (target + row * results.step).update(repeating: 0, count: width) }
      }
      for first in stride(from: 0, to: limit, by: AttentionProducts.keys) {
        let keys = first..<min(first + AttentionProducts.keys, limit)
        let keyFactor = products.transposed(
          memory.keys + keyRows.place(first), step: keyRows.step, depth: depth, columns: keys.count,
          in: keyPanels)
        products.multiply(
          memory.queries + own.place(queries.lowerBound), rows: queries.count, depth: depth,
          rowStep: own.step,
          step: 1, by: keyFactor, columns: keys.count, into: scores, productStep: step, adding: false)
        var block = extents.block(stream, queries, keys, limit: limit, step: step, mask: memory.mask)
        products.rows.softmax(&block, scores, tops, totals, first > 0 ? target : nil, results.step, width)
        let valueFactor = products.right(
          memory.values + valueRows.place(first), step: valueRows.step, depth: keys.count, columns: width,
          rows: queries.count, in: valuePanels)
        products.multiply(
          scores, rows: queries.count, depth: keys.count, rowStep: step, step: 1, by: valueFactor,
          columns: width,
          into: target, productStep: results.step, adding: first > 0)
      }
      products.rows.finish(
        queries.count, tops, totals, sums + stream * extents.queries + queries.lowerBound, target,
        results.step, width
      )
    }
  }
}
