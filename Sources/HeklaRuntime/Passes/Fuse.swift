import HeklaArrays
import HeklaTensors

/// Decides which results are stored; everything else is computed inside the kernels that use it.
///
/// Greedy, after the experience that search finds the same kernels: elementwise operations and movement vanish
/// into their users, unless they are costly and used twice or repeated; reductions take their producers in, and
/// the elementwise operations that follow at the same size.
struct Fusion {
  /// Results that have memory of their own.
  private(set) var stored: Set<Node> = []

  /// What evaluating a result that is not stored entails.
  private struct Inlined {
    var cost = 0
    var sources: Set<Node> = []
    /// The extents folded over inside, when a reduction is.
    var reduction: Shape?
  }

  private let limits: Limits
  private var inlined: [Node: Inlined] = [:]
  /// What is stored whatever loops take in: results of the computation, and what kernels read.
  private var readFromMemory: Set<Node> = []

  /// When computing again is worse than storing.
  struct Limits {
    /// The cost up to which a result that is used more than once is computed each time.
    var repeatedCost = 10
    /// The number of arrays of its own size or so that such a result may read.
    var repeatedSources = 2
    /// The number of arrays that one kernel reads.
    var sources = 8
    /// The same for one that stores parts side by side, which are computed from much the same arrays.
    var sourcesOfParts = 15
    /// The cost of one kernel's expression.
    var cost = 600
  }

  /// Decides for `computation`; results in `forced` are stored in any case.
  init(_ computation: Computation, storing forced: Set<Node>, fuses: Bool, limits: Limits = Limits()) {
    self.limits = limits
    let order = computation.roots.withDependencies()
    var useCount: [Node: Int] = [:]
    for node in order {
      for input in node.inputs { useCount[input, default: 0] += 1 }
      switch node.primitive.lowering {
      case .kernels, .repeated: readFromMemory.formUnion(node.inputs.map(\.base))
      default: break
      }
    }
    for root in computation.roots {
      useCount[root, default: 0] += 1
      stored.insert(root.base)
    }
    readFromMemory.formUnion(stored)
    stored.formUnion(forced.map(\.base))
    for node in order {
      visit(node, useCount: useCount[node] ?? 0, fuses: fuses)
    }
  }

  /// Whether reading `node` means reading memory.
  func isStored(_ node: Node) -> Bool { stored.contains(node.base) }

  private mutating func store(_ node: Node) {
    stored.insert(node.base)
    inlined[node.base] = nil
  }

  /// What a user of `node` takes on.
  private func burden(of node: Node) -> Inlined {
    if isStored(node) { return Inlined(sources: [node.base]) }
    return inlined[node] ?? Inlined()
  }

  private mutating func visit(_ node: Node, useCount: Int, fuses: Bool) {
    switch node.primitive.lowering {
    case .leaf:
      store(node)
    case .secondary:
      store(node)
    case .kernels, .repeated:
      node.inputs.forEach { store($0) }
      store(node)
    case .fold(_, let axes):
      for input in node.inputs where burden(of: input).reduction != nil { store(input) }
      var total = combined(node)
      let extents = axes.map { node.inputs[0].shape.extents[$0] }
      total.reduction = Shape(extents)
      inlined[node] = total
      let isNarrow = node.elementType != node.elementType.computed
      if isNarrow || useCount > 1 || !fuses { store(node) }
    case .map(let expression):
      if !fuses { node.inputs.forEach { store($0) } }
      // Two different reductions cannot share one kernel.
      let reductions = Set(node.inputs.compactMap { burden(of: $0).reduction })
      if reductions.count > 1 {
        for input in node.inputs where burden(of: input).reduction != nil { store(input) }
      }
      var total = combined(node)
      // Too much for one kernel: store the inputs that bring most.
      while total.sources.count > limits.sources || total.cost > limits.cost {
        let open = node.inputs.filter { !isStored($0) }
        guard let largest = open.max(by: { weight($0) < weight($1) }) else { break }
        store(largest)
        total = combined(node)
      }
      total.cost += expression.cost
      inlined[node] = total
      // Statistics of rows or channels, scales and biases stay in the cache.
      let largeSourceCount = total.sources.count { $0.shape.count * 8 > node.shape.count }
      let isRepeatable = total.cost <= limits.repeatedCost && largeSourceCount <= limits.repeatedSources
      let isNarrow = node.elementType != expression.type
      if isNarrow || (useCount > 1 && (total.reduction != nil || !isRepeatable)) { store(node) }
    case .movement:
      visitMovement(node, useCount: useCount)
      if !fuses && !(node.primitive.name == "reshape") { store(node) }
    }
  }

  private mutating func visitMovement(_ node: Node, useCount: Int) {
    let isReshape = node.base != node
    // Parts that a loop over one of them stores side by side are computed once.
    let isByParts = readFromMemory.contains(node) && JoinedParts(node) != nil
    for input in node.inputs where !isStored(input) {
      let burden = burden(of: input)
      let isRepeated = !isByParts && (node.shape.count > input.shape.count || useCount > 1)
      if (burden.reduction != nil && (!isReshape || useCount > 1))
        || (isRepeated && burden.cost > limits.repeatedCost)
      {
        store(input)
      }
    }
    var total = combined(node)
    total.cost += node.inputs.count - 1
    let isTooMuch =
      isByParts
      ? total.sources.count > limits.sourcesOfParts || total.cost > limits.cost
      : total.sources.count > limits.sources
    if isTooMuch {
      for input in node.inputs { store(input) }
      total = combined(node)
    }
    if !isStored(node) { inlined[node] = total }
  }

  private func combined(_ node: Node) -> Inlined {
    var total = Inlined()
    for input in Set(node.inputs) {
      let part = burden(of: input)
      total.cost += part.cost
      total.sources.formUnion(part.sources)
      total.reduction = total.reduction ?? part.reduction
    }
    return total
  }

  private func weight(_ node: Node) -> Int {
    let burden = burden(of: node)
    return burden.sources.count * limits.cost + burden.cost
  }
}

extension Node {
  /// The node whose memory this one's elements lie in, in the same order: behind any reshapes.
  var base: Node {
    var node = self
    while node.primitive.name == "reshape" { node = node.inputs[0] }
    return node
  }
}
