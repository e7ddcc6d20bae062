import HeklaArrays
import HeklaDevices
import HeklaTensors

/// One operation with values for its inputs: what variants of its kernels are verified and timed on.
public struct TuningSubject: Sendable {
  /// The operation, on constants.
  let node: Node
  /// The values of its inputs.
  let values: [HostArray]
  /// How far results may lie from the reference.
  let tolerance: Sample.Tolerance

  /// `node`'s operation on `values`, one array for each input.
  init(_ node: Node, on values: [HostArray], tolerance: Sample.Tolerance) {
    self.node = Node(node.primitive, values.map { Tensor($0).node })
    self.values = values
    self.tolerance = tolerance
  }

  /// The primitive's name.
  public var primitive: String { node.primitive.name }

  /// The operation on the absolute values of its inputs, which gives sums of terms their scale.
  var nodeOnAbsoluteValues: Node {
    let absolute = values.map { array in
      array.elementType.isFloating
        ? HostArray(converting: array.doubles().map { abs($0) }, shape: array.shape, to: array.elementType)
        : array
    }
    return Node(node.primitive, absolute.map { Tensor($0).node })
  }

  /// What the measurement will count for on `device`.
  public func key(on device: Capabilities) -> TuningKey? {
    TuningKey(of: node, on: TuningDevice(device), device)
  }

  /// The operations below `tensors` that `device` has more than one variant for, each with the values that its inputs
  /// have there.
  ///
  /// - Parameters:
  ///   - tensors: Computations without placeholders.
  ///   - name: The only primitive that counts, or nil for any.
  ///   - device: What variants have to run on.
  ///   - tolerance: What the computations' own operations are held to, where the primitive has no tolerance for any extents;
  ///     other operations without one are left out.
  ///   - host: Computes the inputs: a device does not write its own exam.
  public static func subjects(
    below tensors: [Tensor], primitive name: String? = nil, on device: Capabilities,
    tolerance: Sample.Tolerance? = nil, computingOn host: PlanExecutor
  ) throws(DeviceError) -> [TuningSubject] {
    let found = operations(below: tensors, primitive: name, on: device, tolerance: tolerance)
    let inputs = found.flatMap { $0.node.inputs.map { Tensor($0) } }
    guard !inputs.isEmpty else { return [] }
    var values = try host.values(of: inputs)[...]
    return found.map { node, tolerance in
      let own = Array(values.prefix(node.inputs.count))
      values = values.dropFirst(node.inputs.count)
      return TuningSubject(node, on: own, tolerance: tolerance)
    }
  }

  /// The names of the variants that each operation leaves a choice of, as `subjects` finds them; placeholders are allowed.
  public static func choices(below tensors: [Tensor], on device: Capabilities) -> [[String]] {
    operations(below: tensors, primitive: nil, on: device, tolerance: nil).map { node, _ in
      node.applicableVariants(on: device).map(\.name)
    }
  }

  private static func operations(
    below tensors: [Tensor], primitive name: String?, on device: Capabilities, tolerance: Sample.Tolerance?
  ) -> [(node: Node, tolerance: Sample.Tolerance)] {
    let roots = tensors.map(\.node.base)
    return roots.withDependencies().compactMap { node in
      guard name == nil || node.primitive.name == name, node.applicableVariants(on: device).count > 1,
        let tolerance = node.primitive.tolerance(of: node.inputs.map(\.signature))
          ?? (roots.contains(node) ? tolerance : nil)
      else { return nil }
      return (node, tolerance)
    }
  }
}

extension Node {
  /// The variants that run on `device`, in the primitive's order, but for those that prepare inputs: they are there for
  /// repetitions, which choose them by themselves, and a single run says nothing of them.
  func applicableVariants(on device: Capabilities) -> [KernelVariant] {
    guard case .kernels(let variants) = primitive.lowering else { return [] }
    let inputs = self.inputs.map(\.signature)
    return variants.filter { $0.prepares.isEmpty && $0.applies(device, inputs, signature) }
  }

  /// All results of the operation.
  var results: [Tensor] { [Tensor(self)] + secondaryOutputs }
}
