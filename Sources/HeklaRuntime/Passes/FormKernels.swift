import HeklaArrays
import HeklaDevices
import HeklaTensors

/// One unit of work before memory is assigned: what it reads, what it writes, and how.
struct FormedKernel {
  /// How the values are computed.
  enum Body {
    /// By a generated loop.
    case loop(BuiltLoop)
    /// By the hand-written kernels of this node's primitive.
    case primitive(Node)
    /// By the hand-written kernels of this node's primitive, each element of whose result goes through a loop, where
    /// it is read at `binding`, before it is stored.
    case fused(Node, BuiltLoop, binding: Int)
    /// By generated loops, some rows of each at a time.
    case rows(RowGroup)
    /// By the kernels of the fold's body, again for each step.
    case repetition(Node, Fold)
  }

  var body: Body
  var reads: [Node]
  var writes: [Node]
  /// What the primitive of the body reads in place of some of its node's inputs: the same values, computed again.
  var substitutes: [Node: Node] = [:]

  /// The nodes that are read only at the element that is written; their memory may be written over.
  var pointwiseReads: Set<Node> {
    switch body {
    case .loop(let built): built.pointwiseReads
    // What the product itself reads, it reads everywhere.
    case .fused(let node, let built, _):
      built.pointwiseReads.subtracting(node.inputs.map { substitutes[$0.base] ?? $0.base })
    case .primitive, .rows, .repetition: []
    }
  }

  /// Whether it writes each element once, after it has read what it reads at that place.
  var isMap: Bool {
    switch body {
    case .loop(let built): built.loop.accumulators.isEmpty
    case .fused: true
    case .primitive, .rows, .repetition: false
    }
  }

  /// What each point costs, if it is a loop without a reduction; see `ScalarOperation.cost`.
  var mapCost: Int? {
    guard case .loop(let built) = body, built.loop.accumulators.isEmpty else { return nil }
    return built.loop.body.reduce(0) { sum, instruction in
      guard case .apply(let operation, _, _) = instruction else { return sum }
      return sum + operation.cost
    }
  }

  /// Floating-point operations; nil where nobody knows.
  var operationCount: Double? {
    func count(_ node: Node) -> Double? { node.primitive.operationCount(of: node.inputs.map(\.signature)) }
    return switch body {
    case .loop(let built): built.loop.operationCount
    case .primitive(let node): count(node)
    case .fused(let node, let built, _): count(node).map { $0 + built.loop.operationCount }
    case .rows(let group): group.members.reduce(0) { $0 + $1.loop.loop.operationCount }
    // Its body's kernels have theirs.
    case .repetition: nil
    }
  }

  /// See `Plan.Step.shapes`.
  var shapes: String {
    func text(_ nodes: [Node]) -> String? {
      let largest = nodes.map(\.signature).max { $0.byteCount < $1.byteCount }
      return largest.map { signature in
        let extents = signature.shape.extents.drop { $0 == 1 }
        return extents.isEmpty ? "1" : extents.map(String.init).joined(separator: "x")
      }
    }
    let (read, written) = (text(reads), text(writes) ?? "")
    return read == nil || read == written ? written : "\(read ?? "") -> \(written)"
  }

  /// What plans and profiles call it.
  var label: String {
    switch body {
    case .primitive(let node), .repetition(let node, _): node.primitive.name
    case .fused(let node, _, _): "\(node.primitive.name) + map"
    case .loop(let built): built.label
    case .rows(let group): "rows of \(group.members.count)"
    }
  }
}

/// Divides a computation into kernels, in an order in which each comes after those it reads from.
func formKernels(_ computation: Computation, options: CompilerOptions, maxBindings: Int) -> [FormedKernel] {
  var forced: Set<Node> = []
  while true {
    var limits = Fusion.Limits()
    limits.sources = min(limits.sources, maxBindings - 1)
    limits.sourcesOfParts = min(limits.sourcesOfParts, maxBindings - 1)
    let fusion = Fusion(computation, storing: forced, fuses: options.fuses, limits: limits)
    do throws(LoopBuilder.NeedsStorage) {
      return try formKernels(computation, fusion, options, maxBindings: maxBindings)
    } catch {
      forced.insert(error.node)
    }
  }
}

private func formKernels(
  _ computation: Computation, _ fusion: Fusion, _ options: CompilerOptions, maxBindings: Int
) throws(LoopBuilder.NeedsStorage) -> [FormedKernel] {
  var kernels: [FormedKernel] = []
  var kernelOf: [Node: Int] = [:]
  var mergeable: [Shape: [Int]] = [:]
  // Kernels that a kernel reads from; merged ones collect the needs of both.
  var needs: [Set<Int>] = []

  func reaches(_ start: Set<Int>, _ target: Int) -> Bool {
    var seen: Set<Int> = []
    var stack = Array(start)
    while let kernel = stack.popLast() {
      if kernel == target { return true }
      if seen.insert(kernel).inserted { stack.append(contentsOf: needs[kernel]) }
    }
    return false
  }

  func add(_ kernel: FormedKernel) {
    for node in kernel.writes { kernelOf[node] = kernels.count }
    needs.append(Set(kernel.reads.compactMap { kernelOf[$0] }))
    kernels.append(kernel)
  }

  let order = computation.roots.withDependencies()
  var secondaries: [Node: [Node]] = [:]
  for node in order {
    if case .secondary = node.primitive.lowering { secondaries[node.inputs[0], default: []].append(node) }
  }
  for node in order where fusion.stored.contains(node) && node.shape.count > 0 {
    switch node.primitive.lowering {
    case .leaf, .secondary: continue
    case .kernels:
      let writes = [node] + (secondaries[node] ?? [])
      add(FormedKernel(body: .primitive(node), reads: node.inputs.map(\.base), writes: writes))
    case .repeated(let fold):
      let writes = [node] + (secondaries[node] ?? [])
      add(FormedKernel(body: .repetition(node, fold), reads: node.inputs.map(\.base), writes: writes))
    default:
      let built = try LoopBuilder.build([node], isStored: fusion.isStored)
      let isPlain = built.loop.accumulators.isEmpty && options.mergesLoops
      var merged = false
      if isPlain {
        let sources = Set(built.reads)
        for candidate in (mergeable[node.loopShape] ?? []).suffix(8).reversed() where !merged {
          let other = kernels[candidate]
          let shares = !sources.isDisjoint(with: other.reads) || !sources.isDisjoint(with: other.writes)
          let outside = Set(built.reads.compactMap { kernelOf[$0] }).subtracting([candidate])
          guard shares, !reaches(outside, candidate) else { continue }
          let both = try LoopBuilder.build(other.writes + [node], isStored: fusion.isStored)
          let fits = both.reads.count + both.roots.count <= maxBindings
          guard fits, Set(both.reads).isDisjoint(with: both.roots) else { continue }
          kernels[candidate] = FormedKernel(body: .loop(both), reads: both.reads, writes: both.roots)
          kernelOf[node] = candidate
          needs[candidate].formUnion(outside)
          merged = true
        }
      }
      if !merged {
        if isPlain { mergeable[node.loopShape, default: []].append(kernels.count) }
        add(FormedKernel(body: .loop(built), reads: built.reads, writes: built.roots))
      }
    }
  }
  let needed = Set(computation.roots.map(\.base) + kernels.flatMap(\.reads))
  for index in kernels.indices {
    guard case .loop(let built) = kernels[index].body, !needed.isSuperset(of: built.roots) else { continue }
    let trimmed = built.writingOnly(needed)
    kernels[index] = FormedKernel(body: .loop(trimmed), reads: trimmed.reads, writes: trimmed.roots)
  }
  return ordered(kernels, needs: needs)
}

/// Sorts kernels by the length of the longest chain before them, so that independent ones stand side by side and
/// share one barrier.
private func ordered(_ kernels: [FormedKernel], needs: [Set<Int>]) -> [FormedKernel] {
  var levels = [Int](repeating: 0, count: kernels.count)
  var openNeeds = needs.map(\.count)
  var users = [[Int]](repeating: [], count: kernels.count)
  for (kernel, needed) in needs.enumerated() { for other in needed { users[other].append(kernel) } }
  var ready = kernels.indices.filter { openNeeds[$0] == 0 }
  while let kernel = ready.popLast() {
    for user in users[kernel] {
      levels[user] = max(levels[user], levels[kernel] + 1)
      openNeeds[user] -= 1
      if openNeeds[user] == 0 { ready.append(user) }
    }
  }
  let order = kernels.indices.sorted { (levels[$0], $0) < (levels[$1], $1) }
  return order.map { kernels[$0] }
}
