import CHostLoops
import HeklaDevices

/// O = softmax(scale Q K^T + mask) V and L, the logarithm of each row's sum of exponentials.
///
/// Parameters: see `AttentionExtents`. Bindings: Q [batch, heads, S, D], K [batch, groups, T, D], V [batch, groups,
/// T, E], mask, lengths, O [batch, heads, S, E], L [batch, heads, S]; where there is no mask, or are no lengths, any.
///
/// A task is a block of queries, which meets one block of keys after another: no row is divided among threads.
/// Source: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
struct AttentionForward: Sendable {
  static let name = "attention"

  private let extents: AttentionExtents
  private let key: String
  private let products = AttentionProducts()

  init?(_ parameters: [Int]) {
    guard let extents = AttentionExtents(parameters) else { return nil }
    self.extents = extents
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
    ThreadPool.shared.parallel(count: extents.batch * extents.heads * blocks) { task in
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
    let (depth, width, step) = (extents.depth, extents.width, AttentionProducts.keys)
    let kernels = BlockLibrary.attention.pointee
    let packedKeys = products.packedCount(depth: depth, columns: step)
    let packedValues = products.packedCount(depth: step, columns: width)
    withUnsafeTemporaryAllocation(
      of: Float.self, capacity: packedKeys + packedValues + queries.count * (step + 2)
    ) { scratch in
      guard let keyPanels = scratch.baseAddress else { return }
      let valuePanels = keyPanels + packedKeys
      let scores = valuePanels + packedValues
      let tops = scores + queries.count * step
      let totals = tops + queries.count
      tops.initialize(repeating: -1.7e38, count: queries.count)
      totals.initialize(repeating: 0, count: queries.count)
      let row = stream * extents.queries + queries.lowerBound
      let target = output + row * width
      let limit = memory.limit(stream, before: queries.upperBound)
      if limit == 0 { target.update(repeating: 0, count: queries.count * width) }
      for first in stride(from: 0, to: limit, by: step) {
        let keys = first..<min(first + step, limit)
        let other = extents.group(of: stream) * extents.keys + first
        products.pack(
          memory.keys + other * depth, depth: depth, columns: keys.count, transposed: true, into: keyPanels)
        products.multiply(
          memory.queries + row * depth, rows: queries.count, depth: depth, rowStep: depth, step: 1,
          by: keyPanels,
          columns: keys.count, into: scores, productStep: step, adding: false)
        for (index, query) in queries.enumerated() {
          var row = extents.row(stream, query, keys: keys, limit: limit, mask: memory.mask)
          let factor = kernels.softmax(&row, scores + index * step, keys.count, tops + index, totals + index)
          if first > 0, factor != 1 { kernels.scale(target + index * width, factor, width) }
        }
        products.pack(
          memory.values + other * width, depth: keys.count, columns: width, transposed: false,
          into: valuePanels)
        products.multiply(
          scores, rows: queries.count, depth: keys.count, rowStep: step, step: 1, by: valuePanels,
          columns: width,
          into: target, productStep: width, adding: first > 0)
      }
      for index in 0..<queries.count {
        // A row that may read nothing has the sum 0 and stays 0.
        let total = totals[index]
        sums[row + index] = total == 0 ? -1.7e38 : tops[index] + kernels.log(total)
        if total != 0 { kernels.scale(target + index * width, 1 / total, width) }
      }
    }
  }
}
