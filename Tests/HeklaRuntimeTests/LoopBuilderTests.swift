import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// Seeds and graphs for tests that need no device.
enum RandomGraphSeeds {
  static let few = RandomGraph.seeds(20)
  static let many = RandomGraph.seeds(150)

  static func outputs(_ seed: UInt64) -> [Tensor] { RandomGraph(seed: seed).outputs }
}

/// The loops that passes build mean what the graph means: checked by interpreting them point by point.
@Suite struct LoopBuilderTests {
  @Test(arguments: RandomGraphSeeds.many)
  func `the loops of a random graph, interpreted, give the values of the references`(seed: UInt64) throws {
    try check(RandomGraph(seed: seed).outputs, label: "HEKLA_SEED=\(seed)")
  }

  @Test(arguments: RandomGraphSeeds.many)
  func `loops over the same rows keep their order when they are brought together`(seed: UInt64) throws {
    try check(RandomGraph(seed: seed).outputs, fusesRows: true, label: "HEKLA_SEED=\(seed)")
  }

  @Test(arguments: CompilerOptions.variations.filter { $0.options.replays }.map(\.name))
  func `no pass changes what the loops mean`(variation: String) throws {
    let options = CompilerOptions.variations.first { $0.name == variation }?.options ?? CompilerOptions()
    for seed in RandomGraphSeeds.few {
      try check(RandomGraph(seed: seed).outputs, options: options, label: "HEKLA_SEED=\(seed), \(variation)")
    }
  }

  @Test func `every axis has a factor in every access, also where a read comes before the reduction`() throws
  {
    let (x, y) = (Tensor.input(0, Signature([3, 5])), Tensor.input(1, Signature([3])))
    let total = y + x.sum(along: 1)
    let built = try LoopBuilder.build([total.node]) { $0 == x.node || $0 == y.node }
    #expect(built.loop.extents == [3] && built.loop.reductionExtents == [5])
    #expect(built.loop.reads.allSatisfy { $0.index.strides.count == 2 })
  }

  @Test func `parts of one shape are stored side by side by a loop over one of them`() throws {
    let (x, y) = (Tensor.input(0, Signature([3, 5])), Tensor.input(1, Signature([5])))
    for axis in 0...1 {
      let joined = Tensor.concatenating([x * y, x.exp(), x], along: axis)
      let sum = x + y
      let built = try LoopBuilder.build([sum.node, joined.node]) { $0 == x.node || $0 == y.node }
      #expect(built.loop.extents == [3, 5] && built.roots == [sum.node, joined.node])
      #expect(built.loop.writes.map(\.binding) == [2, 3, 3, 3])
      let step = axis == 0 ? 15 : 5
      #expect(built.loop.writes.map(\.index.offset) == [0, 0, step, 2 * step])
      let only = built.writingOnly([joined.node])
      #expect(only.loop.writes.map(\.binding) == [2, 2, 2])
    }
  }

  @Test func `joined parts mean what the graph means, whatever is made of them`() throws {
    let key = RandomKey(seed: 8)
    func random(_ shape: Shape, _ name: String) -> Tensor {
      .uniform(shape, key: key.folded(in: name), from: -1, to: 1)
    }
    let (x, y) = (random([4, 6], "x"), random([4, 6], "y"))
    let gate = x.sigmoid()
    for axis in 0...1 {
      let joined = Tensor.concatenating([gate * y, gate * (1 - gate), y.tanh() * gate, x], along: axis)
      let wide = Tensor.concatenating((0..<11).map { x * Double($0) }, along: axis)
      let single = Tensor.concatenating(
        [x.sum(along: 1, keepingAxes: true), y.sliced(0..<1, along: 1)], along: 1)
      try check(
        [
          joined, joined.matrixProduct(joined.transposed()), joined.reshaped(to: [-1]).sum(), gate, wide,
          single,
        ],
        label: "joined along \(axis)")
      try check([joined, joined * 2, joined.sum(along: 1)], fusesRows: true, label: "rows along \(axis)")
    }
  }

  @Test func `empty pieces and reshapes of nothing are built`() throws {
    let x = Tensor([1, 2, 3] as [Float], shape: [1, 3])
    let nothing = (Tensor.zeros([3, 0]) + Tensor([1] as [Float])).reshaped(to: [0, 3])
    try check([.concatenating([nothing * 2, x, nothing], along: 0), nothing.sum(along: 0)], label: "empty")
  }

  /// Forms kernels, interprets them in order, and compares every output with its reference.
  private func check(
    _ outputs: [Tensor], options: CompilerOptions = CompilerOptions(), fusesRows: Bool = false, label: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var computation = Computation(StepDescription(outputs: outputs))
    computation = computation.mappingRoots { Tensor($0).copied.node }
    if options.sharesSubexpressions { computation = simplify(computation) }
    var values: [Node: HostArray] = [:]
    func value(_ node: Node) -> HostArray {
      if let known = values[node] { return known }
      let array = node.primitive.reference([], signature: node.signature)
      return array.elementType.isFloating ? array.converted(to: .float64) : array
    }
    func interpret(_ built: BuiltLoop) {
      let targets = built.roots.map { root in
        HostArray(zeros: root.shape, of: root.elementType.isFloating ? .float64 : root.elementType)
      }
      let results = evaluate(
        built.loop,
        bindings: built.reads.map { node in
          node.shape.count == 0 ? HostArray(zeros: node.shape, of: node.elementType) : value(node)
        } + targets)
      for (root, result) in zip(built.roots, results.suffix(targets.count)) { values[root] = result }
    }
    var kernels = formKernels(computation, options: options, maxBindings: 16)
    if fusesRows { kernels = fuseRows(kernels, of: computation) }
    for kernel in kernels {
      // Of what is read, all but arguments and constants has to be there: the order of the kernels is right.
      for node in kernel.reads where !node.isLeaf && node.shape.count > 0 {
        #expect(values[node] != nil, "\(label): \(kernel.label)")
      }
      switch kernel.body {
      case .primitive(let node), .repetition(let node, _), .fused(let node, _, _):
        let inputs = node.inputs.map { value($0.base).reshaped(to: $0.shape) }
        let further = node.primitive.secondarySignatures(of: node.inputs.map(\.signature))
        let signatures = ([node.signature] + further).map { signature in
          Signature(signature.shape, signature.elementType.isFloating ? .float64 : signature.elementType)
        }
        let results = node.primitive.references(inputs, signatures: signatures)
        for target in kernel.writes {
          if case .secondary(let index) = target.primitive.lowering {
            values[target] = results[index + 1]
          } else {
            values[target] = results[0]
          }
        }
      case .loop(let built): interpret(built)
      case .rows(let group): for member in group.members { interpret(member.loop) }
      }
    }
    for (output, wanted) in zip(computation.outputs, referenceValues(of: outputs))
    where output.shape.count > 0 {
      let got = values[output.base]?.reshaped(to: output.shape)
      // Both compute in float64; constants such as 1/3 are rounded to float32 in loops, whose 2^-24 grows at
      // most by the number of operations.
      let difference = got.map { disagreement($0, wanted, within: 2e-6) } ?? "an output was not computed"
      #expect(difference == nil, "\(label): \(difference ?? "")", sourceLocation: sourceLocation)
    }
  }
}

extension Node {
  /// Whether it is given and not computed.
  fileprivate var isLeaf: Bool { if case .leaf = primitive.lowering { true } else { false } }
}
