import CHostLoops
import HeklaDevices

/// dQ, dK and dV of an attention, from L, delta = rowsum(dO O) and dO.
///
/// Parameters: see `AttentionExtents`. Bindings: those of the attention's inputs, then delta [batch, heads, S],
/// L [batch, heads, S], dO [batch, heads, S, E], dQ, dK, dV.
///
/// A task is a stretch of the queries that read one stream of keys. Where streams are few, their queries are cut in
/// parts whose sums for keys and values are added in order afterwards: by the extents alone, so that the bits do
/// not depend on threads.
/// Source: Dao et al. 2022, "FlashAttention", algorithm 4.
struct AttentionBackward: Sendable {
  static let name = "attention_gradient"

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
      let own = extra + (stream * (parts - 1) + part - 1) * (keyCount + valueCount)
      return Targets(
        queries: queryGradient, keys: part == 0 ? keyGradient + stream * keyCount : own,
        values: part == 0 ? valueGradient + stream * valueCount : own + keyCount)
    }
    ThreadPool.shared.parallel(count: streams * parts) { task in
      let (stream, part) = (task / parts, task % parts)
      runPart(stream, blocks * part / parts..<blocks * (part + 1) / parts, given, targets(stream, part))
    }
    guard parts > 1 else { return }
    ThreadPool.shared.parallel(count: streams) { stream in
      let sum = targets(stream, 0)
      for part in 1..<parts {
        let term = targets(stream, part)
        for index in 0..<keyCount { sum.keys[index] += term.keys[index] }
        for index in 0..<valueCount { sum.values[index] += term.values[index] }
      }
    }
  }

  /// What is read. `@unchecked Sendable`: nothing writes to it while the kernel runs.
  private struct Given: @unchecked Sendable {
    let inputs: AttentionMemory
    let delta, sums, upstream: UnsafeMutablePointer<Float>
  }

  /// Where results go: all of dQ, and dK and dV of one stream.
  private struct Targets {
    let queries, keys, values: UnsafeMutablePointer<Float>
  }

  private func runPart(_ group: Int, _ blocks: Range<Int>, _ given: Given, _ targets: Targets) {
    let (depth, width, step) = (extents.depth, extents.width, AttentionProducts.keys)
    let size = AttentionProducts.queries
    let sharing = extents.heads / extents.groups
    targets.keys.initialize(repeating: 0, count: extents.keys * depth)
    targets.values.initialize(repeating: 0, count: extents.keys * width)
    let panel = products.packedCount(
      depth: max(depth, width, step, size), columns: max(depth, width, step, size))
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * panel + 2 * size * step) { scratch in
      guard let panels = scratch.baseAddress else { return }
      let room = Room(
        panels: panels, queryPanels: panels + panel, upstreamPanels: panels + 2 * panel,
        weights: panels + 3 * panel, changes: panels + 3 * panel + size * step)
      for block in blocks {
        let stream =
          group / extents.groups * extents.heads + group % extents.groups * sharing + block % sharing
        let first = block / sharing * size
        runBlock(stream, first..<min(first + size, extents.queries), given, targets, room)
      }
    }
  }

  /// Memory that belongs to the task.
  private struct Room {
    let panels, queryPanels, upstreamPanels, weights, changes: UnsafeMutablePointer<Float>
  }

  private func runBlock(
    _ stream: Int, _ queries: Range<Int>, _ given: Given, _ targets: Targets, _ room: Room
  ) {
    let (depth, width, step) = (extents.depth, extents.width, AttentionProducts.keys)
    let kernels = BlockLibrary.attention.pointee
    let row = stream * extents.queries + queries.lowerBound
    let own = given.inputs.queries + row * depth
    let upstream = given.upstream + row * width
    let target = targets.queries + row * depth
    let limit = given.inputs.limit(stream, before: queries.upperBound)
    if limit == 0 { target.update(repeating: 0, count: queries.count * depth) }
    products.pack(own, depth: queries.count, columns: depth, transposed: false, into: room.queryPanels)
    products.pack(
      upstream, depth: queries.count, columns: width, transposed: false, into: room.upstreamPanels)
    for first in stride(from: 0, to: limit, by: step) {
      let keys = first..<min(first + step, limit)
      let other = extents.group(of: stream) * extents.keys + first
      let (keyRows, valueRows) = (given.inputs.keys + other * depth, given.inputs.values + other * width)
      products.pack(keyRows, depth: depth, columns: keys.count, transposed: true, into: room.panels)
      products.multiply(
        own, rows: queries.count, depth: depth, rowStep: depth, step: 1, by: room.panels, columns: keys.count,
        into: room.weights, productStep: step, adding: false)
      products.pack(valueRows, depth: width, columns: keys.count, transposed: true, into: room.panels)
      products.multiply(
        upstream, rows: queries.count, depth: width, rowStep: width, step: 1, by: room.panels,
        columns: keys.count,
        into: room.changes, productStep: step, adding: false)
      for (index, query) in queries.enumerated() {
        var scores = extents.row(stream, query, keys: keys, limit: limit, mask: given.inputs.mask)
        kernels.change(
          &scores, room.weights + index * step, room.changes + index * step, keys.count,
          given.sums[row + index],
          given.delta[row + index])
      }
      products.pack(keyRows, depth: keys.count, columns: depth, transposed: false, into: room.panels)
      products.multiply(
        room.changes, rows: queries.count, depth: keys.count, rowStep: step, step: 1, by: room.panels,
        columns: depth, into: target, productStep: depth, adding: first > 0)
      products.multiply(
        room.changes, rows: keys.count, depth: queries.count, rowStep: 1, step: step, by: room.queryPanels,
        columns: depth, into: targets.keys + first * depth, productStep: depth, adding: true)
      products.multiply(
        room.weights, rows: keys.count, depth: queries.count, rowStep: 1, step: step, by: room.upstreamPanels,
        columns: width, into: targets.values + first * width, productStep: width, adding: true)
    }
  }
}
