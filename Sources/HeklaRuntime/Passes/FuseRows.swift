import HeklaArrays
import HeklaTensors

/// Brings loops over the same rows together, so that a row is read from memory once for all of them: a softmax, a
/// normalization and its gradients, what a product's result goes through and the sum over the batch that follows.
///
/// For the host, which runs such loops some rows at a time and keeps what only they use in the cache. Greedy: each
/// reduction in turn takes in the loops near it that hand rows on to it, take rows over from it or read the same rows.
/// - Parameters:
///   - kernels: In order.
///   - computation: What they compute. Its results are stored in any case, and what a parameter takes is left alone,
///     since it may be written where the parameter lies.
func fuseRows(_ kernels: [FormedKernel], of computation: Computation) -> [FormedKernel] {
  var fusion = RowFusion(kernels, computation)
  fusion.run()
  return fusion.kernels
}

private struct RowFusion {
  private(set) var kernels: [FormedKernel]
  private let roots: Set<Node>
  private let assigned: Set<Node>
  private var readers: [Node: Int] = [:]

  /// How far apart in the order loops may be: bringing them together keeps more arrays at a time.
  private static let reach = 16
  /// The fewest rows, which are also the most parts that threads can share.
  private static let leastRowCount = 16
  /// The most bytes of a row, which has to stay in a second cache.
  private static let largestRow = 262_144
  /// The most arrays that a launch touches.
  private static let mostArrays = 32

  init(_ kernels: [FormedKernel], _ computation: Computation) {
    self.kernels = kernels
    roots = Set(computation.roots.map(\.base))
    assigned = Set(computation.assignments.map(\.value.base))
    for kernel in kernels { for node in Set(kernel.reads) { readers[node, default: 0] += 1 } }
  }

  mutating func run() {
    // Reductions of rows first: what they take in matters most.
    for foldsRows in [false, true] {
      var seed = 0
      while seed < kernels.count {
        if let group = group(around: seed, foldsRows: foldsRows) { bringTogether(group) }
        seed += 1
      }
    }
  }

  /// Loops by their position in the order.
  private struct Candidates {
    var rowCount: Int
    var views: [Int: RowView]
    /// The arrays of which the loops read or write rows, and the number of elements of each that has to be read.
    var rows: Set<Node>
    /// What the loops store.
    var results: Set<Node>
  }

  /// The loop at `position`, unless a parameter takes what it makes, or it stores parts of a row apart from each other.
  private func built(_ position: Int) -> BuiltLoop? {
    guard kernels.indices.contains(position), case .loop(let built) = kernels[position].body,
      assigned.isDisjoint(with: built.roots), built.loop.writes.count == built.roots.count
    else { return nil }
    return built
  }

  private func group(around seed: Int, foldsRows: Bool) -> Candidates? {
    guard let loop = built(seed), !loop.loop.accumulators.isEmpty else { return nil }
    let extents = foldsRows ? loop.loop.reductionExtents : loop.loop.extents
    let rowCount = extents.reduce(1, *)
    guard rowCount >= Self.leastRowCount,
      let view = RowView(loop.loop, rowCount: rowCount, foldsRows: foldsRows), view.readsAlongRows
    else { return nil }
    var group = Candidates(rowCount: rowCount, views: [:], rows: [], results: [])
    include(seed, view, in: &group)
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for position in max(0, seed - Self.reach)..<min(kernels.count, seed + Self.reach + 1)
      where group.views[position] == nil {
        guard let view = self.view(position, joining: group) else { continue }
        var larger = group
        include(position, view, in: &larger)
        guard isAllowed(larger) else { continue }
        group = larger
        isGrowing = true
      }
    }
    return group.views.count > 1 ? group : nil
  }

  private func include(_ position: Int, _ view: RowView, in group: inout Candidates) {
    guard let loop = built(position) else { return }
    group.views[position] = view
    group.results.formUnion(loop.roots)
    if !view.foldsRows { group.rows.formUnion(loop.roots) }
    for (binding, node) in loop.reads.enumerated() where node.shape.count > group.rowCount {
      if view.readsRows(of: binding, count: node.shape.count) { group.rows.insert(node) }
    }
  }

  /// How the loop at `position` goes along with the rows of `group`, if it does and shares some with it.
  private func view(_ position: Int, joining group: Candidates) -> RowView? {
    guard let loop = built(position) else { return nil }
    for foldsRows in [false, true] {
      guard let view = RowView(loop.loop, rowCount: group.rowCount, foldsRows: foldsRows),
        view.readsAlongRows
      else { continue }
      var shares = false
      var fits = true
      for (binding, node) in loop.reads.enumerated() where group.rows.contains(node) {
        if view.readsRows(of: binding, count: node.shape.count) { shares = true }
      }
      // Rows that it hands on.
      for member in group.views.keys {
        guard let other = built(member), let otherView = group.views[member] else { continue }
        for (binding, node) in other.reads.enumerated() where loop.roots.contains(node) {
          let hands = !view.foldsRows && otherView.readsRows(of: binding, count: node.shape.count)
          if hands { shares = true } else { fits = false }
        }
      }
      for (binding, node) in loop.reads.enumerated() where group.results.contains(node) {
        let takes = group.rows.contains(node) && view.readsRows(of: binding, count: node.shape.count)
        if !takes { fits = false }
      }
      if shares && fits { return view }
    }
    return nil
  }

  private func isAllowed(_ group: Candidates) -> Bool {
    let loops = group.views.keys.compactMap(built)
    let arrays = Set(loops.flatMap { $0.reads + $0.roots })
    let rowByteCount = group.rows.reduce(0) { $0 + $1.signature.byteCount / group.rowCount }
    guard arrays.count <= Self.mostArrays, rowByteCount <= Self.largestRow else { return false }
    return dependents(of: group) != nil
  }

  /// The kernels between the group's first and last that need what the group stores; nil where the group needs one of
  /// those.
  private func dependents(of group: Candidates) -> Set<Int>? {
    guard let first = group.views.keys.min(), let last = group.views.keys.max() else { return nil }
    var late: Set<Int> = []
    var results = group.results
    for position in first...last where group.views[position] == nil {
      guard !results.isDisjoint(with: kernels[position].reads) else { continue }
      late.insert(position)
      results.formUnion(kernels[position].writes)
    }
    let isNeeded = group.views.keys.contains { member in
      kernels[member].reads.contains { results.contains($0) && !group.results.contains($0) }
    }
    return isNeeded ? nil : late
  }

  private mutating func bringTogether(_ group: Candidates) {
    guard let late = dependents(of: group), let first = group.views.keys.min(),
      let last = group.views.keys.max()
    else { return }
    let members = group.views.keys.sorted()
    var inside: [Node: Int] = [:]
    for member in members { for node in Set(kernels[member].reads) { inside[node, default: 0] += 1 } }
    let rows = RowGroup(
      members.compactMap { member in
        built(member).flatMap { loop in group.views[member].map { (loop, $0.foldsRows) } }
      }, rowCount: group.rowCount,
      isNeededOutside: { roots.contains($0) || readers[$0, default: 0] > inside[$0, default: 0] })
    let fused = FormedKernel(body: .rows(rows), reads: rows.reads, writes: rows.writes)
    for node in rows.reads { readers[node, default: 0] -= inside[node, default: 0] - 1 }
    let between = (first...last).filter { group.views[$0] == nil }
    let order =
      between.filter { !late.contains($0) }.map { kernels[$0] } + [fused]
      + between.filter(late.contains).map { kernels[$0] }
    kernels.replaceSubrange(first...last, with: order)
  }
}
