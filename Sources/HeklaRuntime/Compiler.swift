import HeklaArrays
import HeklaDevices
import HeklaTensors

/// Turns a computation into a plan for a device, pass by pass.
///
/// Gradients are part of the computation already. Each pass is a function in a file of its own:
///
/// 1. `absorbPermutations`: kernels that can read and write arrays with their axes in another order as they lie
/// 2. `separateLeaves`: every root is computed, so that none is an argument or a parameter itself
/// 3. `simplify`: equal subcomputations become one
/// 4. `formKernels`: fusion into loops, merging of loops, an order by levels
/// 5. `recompute`: cheap results that would be kept for a late use are computed again for it
/// 6. `fuseEpilogues`: products take in the loops that follow them, on the host biases; `fuseRows`, for the host: loops
///    over the same rows share a launch
/// 7. `lower`: each kernel becomes launches of GLSL shaders or host bodies; `IndexChecks` go before those that take
///    indices, where they are asked for
/// 8. `assignStorage`: parameters are updated in place where nothing is lost, the rest shares an arena
struct Compiler {
  let capabilities: Capabilities
  let options: CompilerOptions
  /// What was measured, where variants are to be chosen by it.
  var tuned: TunedVariants?

  /// The plan of `computation`.
  func plan(_ computation: Computation, inputs: [Signature]) throws(DeviceError) -> Plan {
    try checkArguments(computation, inputs)
    var computation = computation
    if options.fuses { computation = absorbPermutations(computation) }
    computation = separateLeaves(computation)
    if options.sharesSubexpressions { computation = simplify(computation) }
    var draft = PlanDraft(computation: computation, inputs: inputs)
    var checks = IndexChecks(capabilities, options)
    try append(computation, to: &draft, &checks)
    var plan = draft.assigningStorage(capabilities, options)
    plan.checkedOperations = checks.operations
    try checkLimits(plan)
    return plan
  }

  /// Adds the launches of `computation` to the draft, those of a fold's body within a repetition.
  private func append(
    _ computation: Computation, to draft: inout PlanDraft, _ checks: inout IndexChecks
  ) throws(DeviceError) {
    let maxBindings = min(capabilities.maxBindingCount, 16)
    var kernels = formKernels(computation, options: options, maxBindings: maxBindings)
    if options.recomputes, options.reusesMemory, draft.repetition == nil {
      kernels = recompute(kernels, of: computation)
    }
    if options.fuses {
      let onHost = capabilities.interface == .host
      kernels = fuseEpilogues(
        kernels, roots: computation.roots, maxBindings: maxBindings, biasesOnly: onHost)
      if onHost { kernels = fuseRows(kernels, of: computation) }
    }
    for kernel in kernels {
      guard case .repetition(let node, let fold) = kernel.body else {
        let lowered = try lower(
          kernel, for: capabilities, preferring: options.preferredVariants, tuned: tuned,
          unchanged: { options.preparesOnce && draft.isUnchanged($0) })
        draft.append(
          kernel, calls: try checks.calls(before: kernel) + lowered.calls, temporaries: lowered.temporaries,
          preparesOnce: options.preparesOnce)
        continue
      }
      let repetition = FoldRepetition(fold, node, writes: kernel.writes)
      var body = Computation(outputs: repetition.results.map(fold.node(of:)), assignments: [])
      if options.fuses { body = absorbPermutations(body) }
      if options.sharesSubexpressions { body = simplify(body) }
      body = separateRoots(body)
      let scope = draft.beginRepetition(repetition, roots: body.outputs)
      let outer = checks.beginRepetition()
      try append(body, to: &draft, &checks)
      checks.endRepetition(returningTo: outer)
      draft.endRepetition(returningTo: scope)
    }
  }

  /// Gives every result of a body memory of its own: none is what the body was given, and no two are one.
  private func separateRoots(_ computation: Computation) -> Computation {
    var taken: Set<Node> = []
    var takenResults: Set<FurtherResult> = []
    return computation.mappingRoots { root in
      if case .leaf = root.base.primitive.lowering { return Tensor(root).copied.node }
      let isFree =
        FurtherResult(root.base).map { takenResults.insert($0).inserted } ?? taken.insert(root.base).inserted
      return isFree ? root : Tensor(root).copied.node
    }
  }

  /// Gives every root that is data itself, behind reshapes or not, a copy to be.
  private func separateLeaves(_ computation: Computation) -> Computation {
    computation.mappingRoots { root in
      guard case .leaf = root.base.primitive.lowering else { return root }
      return Tensor(root).copied.node
    }
  }

  /// Every placeholder has to be one of the step's arguments; what a fold's body is given exists only there.
  private func checkArguments(_ computation: Computation, _ inputs: [Signature]) throws(DeviceError) {
    for node in computation.roots.withDependencies() {
      if case .slot(_, let signature)? = node.primitive as? Leaf {
        throw .invalidArgument(
          call: "compile",
          reason:
            "a tensor of the body of a fold, made from its \(signature), is used outside of it. Return it from "
            + "the body, as a state or an output.")
      }
      guard case .input(let position, let signature)? = node.primitive as? Leaf else { continue }
      guard inputs.indices.contains(position), inputs[position] == signature else {
        let given =
          inputs.indices.contains(position) ? "argument \(position) is \(inputs[position])" : "there is none"
        throw .invalidArgument(
          call: "compile",
          reason:
            "the step uses argument \(position) as \(signature), but \(given). Pass its signature in inputs.")
      }
    }
  }

  private func checkLimits(_ plan: Plan) throws(DeviceError) {
    // What is bound slice by slice may be larger.
    for value in plan.steps.flatMap(\.bindings).map({ plan.values[$0] })
    where value.signature.byteCount > capabilities.maxBindingByteCount {
      throw .limitExceeded(
        device: capabilities.deviceName,
        limit: "size in bytes of one array (\(value.label) \(value.signature))",
        requested: value.signature.byteCount, allowed: capabilities.maxBindingByteCount,
        remedy: "Use a smaller batch, or a device with larger bindings.")
    }
    for motion in plan.motions
    where motion.places > 1 && !motion.byteStride.isMultiple(of: capabilities.bufferAlignment) {
      throw .unsupported(
        device: capabilities.deviceName,
        feature: "arrays of a fold \(motion.byteStride) bytes apart, where bindings start at multiples of "
          + "\(capabilities.bufferAlignment) bytes",
        remedy: "Write the loop out, or run it on another device.")
    }
  }
}
