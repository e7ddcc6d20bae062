import CHostLoops
import HeklaDevices

/// dQ, dK and dV of an attention, from L, delta = rowsum(dO O) and dO.
///
/// Parameters: see `AttentionExtents`. Bindings: those of the attention's inputs, then delta [batch, heads, S],
/// L [batch, heads, S], dO [batch, heads, S, E], dQ, dK, dV. Any of Q, K, V and dO may lie interleaved; dQ, dK and dV
/// lie as Q, K and V.
///
/// A task is a stretch of the queries that read one stream of keys. Where streams are few, their queries are cut in
/// parts whose sums for keys and values are added in order afterwards: by the extents alone, so that the bits do
/// not depend on threads.
/// Source: Dao et al. 2022, "FlashAttention", algorithm 4.
struct AttentionBackward: Sendable {
  static let name = "attention_gradient"

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

  /// Blocks of queries in all heads that share a stream of keys.
  private var blocks: Int {
    extents.heads / extents.groups
      * ((extents.queries + AttentionProducts.queries - 1) / AttentionProducts.queries)
  }

  private func run(_ arguments: HostArguments) throws(DeviceError) {
    let memory = try AttentionMemory(extents, arguments, kernel: Self.name)
    let streams = extents.batch * extents.groups
    let rows = extents.batch * extents.heads * extents.queries
    func floats(_ number: Int, _ count: Int) throws(DeviceError) -> UnsafeMutablePointer<Float> {
      try arguments.floats(number, count: count, kernel: Self.name)
    }
    let given = Given(
      inputs: memory, delta: try floats(5, rows), sums: try floats(6, rows),
      upstream: try floats(7, rows * extents.width))
    let queryGradient = try floats(8, rows * extents.depth)
    let (keyCount, valueCount) = (extents.keys * extents.depth, extents.keys * extents.width)
    let keyGradient = try floats(9, streams * keyCount)
    let valueGradient = try floats(10, streams * valueCount)
    // Enough tasks for 16 threads, as long as each has a few blocks.
    let parts = max(1, min((16 + streams - 1) / streams, blocks / 4))
    let extra = UnsafeMutablePointer<Float>.allocate(
      capacity: max(1, (parts - 1) * streams * (keyCount + valueCount)))
    defer { extra.deallocate() }
    func targets(_ stream: Int, _ part: Int) -> Targets {
      let (keyRows, valueRows) = (extents.keyRows(stream), extents.valueRows(stream))
      guard part > 0 else {
        return Targets(
          queries: queryGradient, keys: keyGradient + keyRows.start, keyStep: keyRows.step,
          values: valueGradient + valueRows.start, valueStep: valueRows.step)
      }
      let own = extra + (stream * (parts - 1) + part - 1) * (keyCount + valueCount)
      return Targets(
        queries: queryGradient, keys: own, keyStep: extents.depth, values: own + keyCount,
        valueStep: extents.width)
    }
    pool.parallel(count: streams * parts) { task in
      let (stream, part) = (task / parts, task % parts)
      runPart(stream, blocks * part / parts..<blocks * (part + 1) / parts, given, targets(stream, part))
    }
    guard parts > 1 else { return }
    pool.parallel(count: streams) { stream in
      let sum = targets(stream, 0)
      for part in 1..<parts {
        let term = targets(stream, part)
        for key in 0..<extents.keys {
          add(term.keys + key * term.keyStep, to: sum.keys + key * sum.keyStep, count: extents.depth)
          add(term.values + key * term.valueStep, to: sum.values + key * sum.valueStep, count: extents.width)
        }
      }
    }
  }

  private func add(_ term: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int) {
    for index in 0..<count { sum[index] += term[index] }
  }

  /// What is read. `@unchecked Sendable`: nothing writes to it while the kernel runs.
  private struct Given: @unchecked Sendable {
    let inputs: AttentionMemory
    let delta, sums, upstream: UnsafeMutablePointer<Float>
  }

  /// Where results go: all of dQ, and the rows of dK and dV of one stream.
  private struct Targets {
    let queries, keys: UnsafeMutablePointer<Float>
    let keyStep: Int
    let values: UnsafeMutablePointer<Float>
    let valueStep: Int
  }

  private func runPart(_ group: Int, _ blocks: Range<Int>, _ given: Given, _ targets: Targets) {
    let (depth, width) = (extents.depth, extents.width)
    let (step, size) = (
      AttentionProducts.scoreStep(extents.keys), min(extents.queries, AttentionProducts.queries)
    )
    let sharing = extents.heads / extents.groups
    let (most, widest) = (max(step, size), max(depth, width))
    let panel = max(
      products.packedCount(depth: widest, columns: step), products.packedCount(depth: most, columns: widest))
    withAlignedFloats(3 * panel + 2 * size * step) { panels in
      let room = Room(
        panels: panels, queryPanels: panels + panel, upstreamPanels: panels + 2 * panel,
        weights: panels + 3 * panel, changes: panels + 3 * panel + size * step)
      // The keys whose gradients have been written: later blocks add to these.
      var written = 0
      for block in blocks {
        let stream =
          group / extents.groups * extents.heads + group % extents.groups * sharing + block % sharing
        let first = block / sharing * AttentionProducts.queries
        let queries = first..<min(first + AttentionProducts.queries, extents.queries)
        runBlock(stream, queries, given, targets, room, &written)
      }
      for key in written..<extents.keys {
        (targets.keys + key * targets.keyStep).update(repeating: 0, count: depth)
        (targets.values + key * targets.valueStep).update(repeating: 0, count: width)
      }
    }
  }

  /// Memory that belongs to the task.
  private struct Room {
    let panels, queryPanels, upstreamPanels, weights, changes: UnsafeMutablePointer<Float>
  }

  private func runBlock(
    _ stream: Int, _ queries: Range<Int>, _ given: Given, _ targets: Targets, _ room: Room,
    _ written: inout Int
  ) {
    let (depth, width) = (extents.depth, extents.width)
    let step = AttentionProducts.scoreStep(extents.keys)
    let (ownRows, results) = (extents.queryRows(stream), extents.resultRows(stream))
    let group = extents.group(of: stream)
    let (keyRows, valueRows) = (extents.keyRows(group), extents.valueRows(group))
    let row = stream * extents.queries + queries.lowerBound
    let own = given.inputs.queries + ownRows.place(queries.lowerBound)
    let upstream = given.upstream + results.place(queries.lowerBound)
    let target = targets.queries + ownRows.place(queries.lowerBound)
    let limit = given.inputs.limit(stream, before: queries.upperBound)
    if limit == 0 {
      for row in 0..<queries.count { (target + row * ownRows.step).update(repeating: 0, count: depth) }
    }
    let least = min(limit, AttentionProducts.keys)
    let queryFactor = products.right(
      own, step: ownRows.step, depth: queries.count, columns: depth, rows: least, in: room.queryPanels)
    let upstreamFactor = products.right(
      upstream, step: results.step, depth: queries.count, columns: width, rows: least, in: room.upstreamPanels
    )
    for first in stride(from: 0, to: limit, by: AttentionProducts.keys) {
      let keys = first..<min(first + AttentionProducts.keys, limit)
      let ownKeys = given.inputs.keys + keyRows.place(first)
      let keyFactor = products.transposed(
        ownKeys, step: keyRows.step, depth: depth, columns: keys.count, in: room.panels)
      products.multiply(
        own, rows: queries.count, depth: depth, rowStep: ownRows.step, step: 1, by: keyFactor,
        columns: keys.count,
        into: room.weights, productStep: step, adding: false)
      let valueFactor = products.transposed(
        given.inputs.values + valueRows.place(first), step: valueRows.step, depth: width, columns: keys.count,
        in: room.panels)
      products.multiply(
        upstream, rows: queries.count, depth: width, rowStep: results.step, step: 1, by: valueFactor,
        columns: keys.count, into: room.changes, productStep: step, adding: false)
      var block = extents.block(stream, queries, keys, limit: limit, step: step, mask: given.inputs.mask)
      products.rows.change(&block, room.weights, room.changes, given.sums + row, given.delta + row)
      let plainKeys = products.right(
        ownKeys, step: keyRows.step, depth: keys.count, columns: depth, rows: queries.count, in: room.panels)
      products.multiply(
        room.changes, rows: queries.count, depth: keys.count, rowStep: step, step: 1, by: plainKeys,
        columns: depth,
        into: target, productStep: ownRows.step, adding: first > 0)
      // Keys that no earlier block has met are written, the others added to.
      let known = min(max(written, first), keys.upperBound)
      for part in [first..<known, known..<keys.upperBound] where !part.isEmpty {
        let place = part.lowerBound - first
        products.multiply(
          room.changes + place, rows: part.count, depth: queries.count, rowStep: 1, step: step,
          by: queryFactor,
          columns: depth, into: targets.keys + part.lowerBound * targets.keyStep,
          productStep: targets.keyStep,
          adding: part.lowerBound < known)
        products.multiply(
          room.weights + place, rows: part.count, depth: queries.count, rowStep: 1, step: step,
          by: upstreamFactor,
          columns: width, into: targets.values + part.lowerBound * targets.valueStep,
          productStep: targets.valueStep, adding: part.lowerBound < known)
      }
      written = max(written, keys.upperBound)
    }
  }
}
