import HeklaArrays
import HeklaDevices
import HeklaHost
import HeklaShaders
import HeklaTensors

/// One launch, in terms of nodes and of temporaries that only its kernel uses.
struct LoweredCall {
  /// What a binding holds.
  enum Operand: Hashable {
    case node(Node)
    case temporary(Int)
    /// What index checks record; see `IndexStatus`.
    case indexStatus
  }

  var label: String
  var variant: String
  var source: KernelSource
  var operands: [Operand]
  /// How many of the last operands are written.
  var writtenCount: Int
  var groupCount: GroupCount
  var pushConstants: [UInt32]
}

/// Chooses kernels for `kernel` on a device, and spells them out: by name where `preferred` has the primitive, else by
/// measurement where `tuned` has its key, else by rule, which prefers what can be prepared once of inputs that are
/// `unchanged` while the kernel is repeated.
///
/// - Returns: The launches in order, and the byte counts of their temporaries.
/// - Throws: `DeviceError.unsupported` when no variant of a primitive, or not the preferred one, runs on the device;
///   `DeviceError.invalidArgument` when the preferred one does not exist.
func lower(
  _ kernel: FormedKernel, for capabilities: Capabilities, preferring preferred: [String: String] = [:],
  tuned: TunedVariants? = nil, unchanged: (Node) -> Bool = { _ in false }
) throws(DeviceError) -> (calls: [LoweredCall], temporaries: [Int]) {
  switch kernel.body {
  case .loop(let built):
    let operands = (built.reads + built.roots).map { LoweredCall.Operand.node($0) }
    let name = built.loop.accumulators.first?.fold.rawValue ?? "map"
    let (source, groups): (KernelSource, GroupCount)
    if capabilities.interface == .host {
      (source, groups) = (.host(LoopKernel.source(for: built.loop, name: name)), GroupCount(1))
    } else {
      let rendered = try GLSLLoop(built.loop, name: name, capabilities: capabilities)
      (source, groups) = (.glsl(rendered.source), rendered.groupCount)
    }
    let call = LoweredCall(
      label: kernel.label, variant: "loop", source: source, operands: operands,
      writtenCount: built.roots.count,
      groupCount: groups, pushConstants: [])
    return ([call], [])
  case .rows(let group):
    let call = LoweredCall(
      label: kernel.label, variant: "loop", source: .host(group.loops.source(name: "rows")),
      operands: (group.reads + group.writes).map { .node($0) }, writtenCount: group.writes.count,
      groupCount: GroupCount(1), pushConstants: [])
    return ([call], [])
  // Planned by itself; see `Compiler`.
  case .repetition: return ([], [])
  case .primitive(let node):
    return try lower(
      node, outputs: kernel.writes, for: capabilities, preferring: preferred, tuned: tuned,
      unchanged: unchanged)
  case .fused(let node, let built, let binding) where capabilities.interface == .host:
    var (calls, temporaries) = try lower(
      node, outputs: [], adding: built.reads[1 - binding], for: capabilities, preferring: preferred,
      tuned: tuned, unchanged: unchanged)
    for index in calls.indices where calls[index].operands.last == .node(node) {
      calls[index].label = kernel.label
      calls[index].operands[calls[index].operands.count - 1] = .node(built.roots[0])
    }
    return (calls, temporaries)
  case .fused(let node, let built, let binding):
    var (calls, temporaries) = try lower(
      node, outputs: [], for: capabilities, preferring: preferred, tuned: tuned, unchanged: unchanged)
    for index in calls.indices where calls[index].operands.last == .node(node) {
      calls[index].label = kernel.label
      try calls[index].append(built, of: binding, for: capabilities)
    }
    return (calls, temporaries)
  }
}

extension LoweredCall {
  /// Stores what `built` makes of each element of the result, its binding `binding`, instead of the element.
  fileprivate mutating func append(
    _ built: BuiltLoop, of binding: Int, for capabilities: Capabilities
  ) throws(DeviceError) {
    operands.removeLast()
    let epilogue = try GLSLEpilogue(
      built, of: binding, firstBinding: operands.count, capabilities: capabilities)
    guard case .glsl(let kernel) = source, let fused = epilogue.inserted(into: kernel) else {
      throw .invalidArgument(
        call: "lower", reason: "the kernel '\(source.name)' has no place for an epilogue")
    }
    source = .glsl(fused)
    operands += built.reads.enumerated().filter { $0.offset != binding }.map { .node($0.element) }
    operands += built.roots.map { .node($0) }
  }
}

/// The hand-written kernels of `node`'s primitive that suit the device; those of the host add `bias` to every row.
private func lower(
  _ node: Node, outputs: [Node], adding bias: Node? = nil, for capabilities: Capabilities,
  preferring preferred: [String: String], tuned: TunedVariants?, unchanged: (Node) -> Bool
) throws(DeviceError) -> (calls: [LoweredCall], temporaries: [Int]) {
  guard case .kernels(let variants) = node.primitive.lowering else { return ([], []) }
  let inputs = node.inputs.map(\.signature)
  let applicable = variants.filter { $0.applies(capabilities, inputs, node.signature) }
  let name = node.primitive.name
  let byChoice = try preferred[name].map { choice throws(DeviceError) in
    try variant(choice, of: variants, applicable: applicable, for: node, on: capabilities)
  }
  let byMeasurement =
    byChoice == nil ? tuned?.variant(for: node, among: applicable, on: capabilities) : nil
  let byPreparation = applicable.first { variant in
    !variant.prepares.isEmpty && variant.prepares.allSatisfy { unchanged(node.inputs[$0].base) }
  }
  let byRule = applicable.byRule(capabilities, inputs, node.signature)
  guard let variant = byChoice ?? byMeasurement ?? byPreparation ?? byRule else {
    throw .unsupported(
      device: capabilities.deviceName,
      feature: "\(name) of \(inputs.map(\.description).joined(separator: " and "))",
      remedy: inputs.contains { $0.elementType == .float64 }
        ? "Convert the inputs to float32 with converted(to:), or run it on the cpu device."
        : "Run it on the cpu device.")
  }
  let program = variant.program(inputs, node.signature, capabilities)
  var temporaries = program.temporaries
  // Further results that nobody reads are written to temporaries.
  let secondary = node.primitive.secondarySignatures(of: inputs).enumerated().map { index, signature in
    if let output = outputs.first(where: {
      if case .secondary(index) = $0.primitive.lowering { true } else { false }
    }) {
      return LoweredCall.Operand.node(output)
    }
    temporaries.append(signature.byteCount)
    return .temporary(temporaries.count - 1)
  }
  var calls: [LoweredCall] = []
  for call in program.calls {
    var operands = call.bindings.map { binding -> LoweredCall.Operand in
      switch binding {
      case .input(let index): .node(node.inputs[index].base)
      case .output: .node(node)
      case .secondary(let index): secondary[index]
      case .temporary(let index): .temporary(index)
      }
    }
    var body = call.body
    if let bias, case .host(let name, let parameters) = body, operands.last == .node(node) {
      body = .host(name, parameters + [1])
      operands.insert(.node(bias), at: operands.count - 1)
    }
    calls.append(
      LoweredCall(
        label: name, variant: variant.name, source: try source(of: body), operands: operands,
        writtenCount: call.writtenCount, groupCount: call.groupCount, pushConstants: call.pushConstants))
  }
  return (calls, temporaries)
}

extension [KernelVariant] {
  /// Of variants that apply, the one that is used where nothing has been measured.
  func byRule(_ capabilities: Capabilities, _ inputs: [Signature], _ output: Signature) -> KernelVariant? {
    first { $0.suits(capabilities, inputs, output) } ?? first
  }
}

/// The variant called `choice`: one that was asked for by name is used or refused, never replaced.
private func variant(
  _ choice: String, of variants: [KernelVariant], applicable: [KernelVariant], for node: Node,
  on capabilities: Capabilities
) throws(DeviceError) -> KernelVariant {
  if let variant = applicable.first(where: { $0.name == choice }) { return variant }
  func list(_ variants: [KernelVariant]) -> String { variants.map(\.name).joined(separator: ", ") }
  let name = node.primitive.name
  guard variants.contains(where: { $0.name == choice }) else {
    throw .invalidArgument(
      call: "compile", reason: "\(name) has no variant '\(choice)'. Its variants are \(list(variants)).")
  }
  throw .unsupported(
    device: capabilities.deviceName,
    feature:
      "variant '\(choice)' of \(name) for \(node.inputs.map(\.signature.description).joined(separator: " and "))",
    remedy: applicable.isEmpty ? "No variant runs there." : "Those that run there are \(list(applicable)).")
}

func source(of body: KernelCall.Body) throws(DeviceError) -> KernelSource {
  switch body {
  case .shader(let name, let constants, let defines):
    guard let text = ShaderLibrary.kernel(named: name) else {
      throw .invalidArgument(call: "lower", reason: "the shader library has no kernel '\(name)'")
    }
    return .glsl(GLSLSource(name: name, text: text, constants: constants, defines: defines))
  case .host(let name, let parameters):
    guard let source = HostKernels.source(named: name, parameters: parameters) else {
      throw .invalidArgument(
        call: "lower", reason: "the host device has no kernel '\(name)' for \(parameters)")
    }
    return .host(source)
  }
}
