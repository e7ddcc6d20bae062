import HeklaArrays
import HeklaTensors

/// Frees memory where most is taken: what is cheap to compute, used early and again late, is computed again for the
/// late use. Nothing is kept longer for it but what is small.
///
/// In a training step these are activations and normalized values, which the forward pass makes from what the backward
/// pass needs in any case.
///
/// Source: Chen et al. 2016, "Training deep nets with sublinear memory cost", section 3, where cheap operations alone
/// are dropped; here one by one, as long as the most that is taken falls.
/// - Parameters:
///   - kernels: In order.
///   - computation: What they compute, whose results are kept to the end.
func recompute(_ kernels: [FormedKernel], of computation: Computation) -> [FormedKernel] {
  var (recomputation, best) = (Recomputation(kernels, computation), kernels)
  guard var least = recomputation.peak?.byteCount else { return kernels }
  // A choice may free memory in one place while another takes as much: that one may be next.
  var fruitless = 0
  while fruitless < 8, recomputation.step() {
    guard let byteCount = recomputation.peak?.byteCount else { break }
    fruitless += 1
    if byteCount < least { (best, least, fruitless) = (recomputation.kernels, byteCount, 0) }
  }
  return best
}

private struct Recomputation {
  private(set) var kernels: [FormedKernel]
  private let computation: Computation
  private let results: Set<Node>

  /// What a point of a loop may cost to be computed again: an activation and some arithmetic, not random numbers.
  private static let costLimit = 40
  /// Bytes below which nothing is computed again.
  private static let leastByteCount = 1 << 16

  init(_ kernels: [FormedKernel], _ computation: Computation) {
    self.kernels = kernels
    self.computation = computation
    results = Set(computation.roots.map(\.base))
  }

  /// A loop that is repeated, and the kernel before which it is.
  private struct Choice {
    var kernel: Int
    var target: Int
    var cost: Double
  }

  /// The kernels that write or read each array, in order.
  private var uses: [Node: [Int]] {
    var uses: [Node: [Int]] = [:]
    for (position, kernel) in kernels.enumerated() {
      for node in Set(kernel.reads + kernel.writes) { uses[node, default: []].append(position) }
    }
    return uses
  }

  /// The first kernel during which arrays take most, and how much.
  var peak: (kernel: Int, byteCount: Int)? { peak(of: uses) }

  private func peak(of uses: [Node: [Int]]) -> (kernel: Int, byteCount: Int)? {
    var changes = [Int](repeating: 0, count: kernels.count + 1)
    for (node, uses) in uses {
      if case .leaf = node.primitive.lowering { continue }
      guard let first = uses.first, let last = uses.last else { continue }
      changes[first] += node.signature.byteCount
      if !results.contains(node) { changes[last + 1] -= node.signature.byteCount }
    }
    var taken = 0
    var most: (kernel: Int, byteCount: Int)?
    for kernel in kernels.indices {
      taken += changes[kernel]
      if taken > most?.byteCount ?? 0 { most = (kernel, taken) }
    }
    return most
  }

  /// Repeats the loop that frees memory at the peak for least; false where there is none.
  mutating func step() -> Bool {
    let uses = uses
    guard let peak = peak(of: uses)?.kernel else { return false }
    let choices = kernels[..<peak].indices.compactMap { choice($0, at: peak, uses) }
    guard let choice = choices.min(by: { ($0.cost, $0.kernel) < ($1.cost, $1.kernel) }) else { return false }
    repeatKernel(choice)
    return true
  }

  private func choice(_ position: Int, at peak: Int, _ uses: [Node: [Int]]) -> Choice? {
    let kernel = kernels[position]
    guard let pointCost = kernel.mapCost, pointCost <= Self.costLimit else { return nil }
    let byteCount = kernel.writes.reduce(0) { $0 + $1.signature.byteCount }
    guard byteCount >= Self.leastByteCount else { return nil }
    // All that it writes is idle at the peak and used afterwards, by kernels that take a substitute.
    var target = kernels.count
    for node in kernel.writes {
      let uses = uses[node] ?? []
      guard !results.contains(node), !uses.contains(peak), let late = uses.first(where: { $0 > peak }),
        uses.allSatisfy({ $0 < late || kernels[$0].takesSubstitutes })
      else { return nil }
      target = min(target, late)
    }
    // All that it reads is there then.
    for node in kernel.reads {
      switch node.primitive as? Leaf {
      case .parameter(let parameter):
        let written = computation.assignments.first { $0.parameter == parameter }.flatMap {
          uses[$0.value.base]?.first
        }
        if let written, written < target { return nil }
      case .some: continue
      case nil:
        let isKept = results.contains(node) || (uses[node]?.last ?? 0) >= target
        guard isKept || node.signature.byteCount * 8 <= byteCount else { return nil }
      }
    }
    let readByteCount = kernel.reads.reduce(0) { $0 + $1.signature.byteCount }
    let points = kernel.writes.map(\.shape.count).max() ?? 0
    return Choice(
      kernel: position, target: target,
      cost: Double(byteCount + readByteCount + points * pointCost) / Double(byteCount))
  }

  private mutating func repeatKernel(_ choice: Choice) {
    let copies = Dictionary(
      uniqueKeysWithValues: kernels[choice.kernel].writes.map { ($0, Node($0.primitive, $0.inputs)) })
    for position in choice.target..<kernels.count { kernels[position].read(copies) }
    kernels.insert(kernels[choice.kernel].writing(copies), at: choice.target)
  }
}

extension FormedKernel {
  /// Whether `read` can change what it reads.
  fileprivate var takesSubstitutes: Bool {
    switch body {
    case .loop, .primitive: true
    case .fused, .rows, .repetition: false
    }
  }

  /// Reads copies instead of what they are copies of.
  fileprivate mutating func read(_ copies: [Node: Node]) {
    guard reads.contains(where: { copies[$0] != nil }) else { return }
    switch body {
    case .loop(var built):
      built.reads = built.reads.map { copies[$0] ?? $0 }
      body = .loop(built)
    case .primitive(let node):
      for input in node.inputs.map(\.base) {
        let current = substitutes[input] ?? input
        if let copy = copies[current] { substitutes[input] = copy }
      }
    case .fused, .rows, .repetition: return
    }
    reads = reads.map { copies[$0] ?? $0 }
  }

  /// The same loop for copies of what it writes.
  fileprivate func writing(_ copies: [Node: Node]) -> FormedKernel {
    guard case .loop(var built) = body else { return self }
    built.roots = built.roots.map { copies[$0] ?? $0 }
    return FormedKernel(body: .loop(built), reads: reads, writes: built.roots)
  }
}
