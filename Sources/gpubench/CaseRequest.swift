import HeklaArrays
import HeklaDevices

/// What a person asked to measure, and the cases that it stands for on a device.
struct CaseRequest {
  /// A family, or one of its cases.
  var name: String
  var shape: String?
  var elementType = ElementType.float32
  var transposition: Transposition?
  var batch: Int?
  var axis: ReductionAxis?

  /// The cases, each checked to fit the device.
  func cases(on device: Capabilities) throws(BenchmarkError) -> [BenchmarkCase] {
    let (family, members) = try CaseFamily.cases(named: name)
    for (option, isGiven) in [
      (CaseOption.transpose, transposition != nil), (.batch, batch != nil), (.axis, axis != nil),
    ] where isGiven && !family.options.contains(option) {
      throw .foreignOption(
        option.rawValue, family: family.name, owner: CaseFamily.owner(of: option)?.name ?? "")
    }
    let text = shape ?? (device.kind == .software ? family.shape.software : family.shape.usual)
    let extents = try family.shape.extents(of: text, for: family)
    try family.shape.requireAddressable(extents, batch: batch ?? 1, text: text)
    // Before the computations are built, which would stop the program at a type that they do not take.
    for member in members { try requireType(of: member, on: device) }
    let parameters = CaseParameters(
      extents: extents, shape: text, elementType: elementType, transposition: transposition,
      batch: batch ?? 1, axis: axis)
    let cases = members.compactMap { $0.build(parameters) }
    if cases.isEmpty, let axis { throw .nothingLeft(caseName: name, axis: axis) }
    for made in cases { try requireFit(made, on: device) }
    return cases
  }

  private func requireType(of member: CaseFamily.Member, on device: Capabilities) throws(BenchmarkError) {
    guard member.types.contains(elementType) else {
      throw .unsupportedType(elementType, caseName: member.name, allowed: member.types)
    }
    // Narrow floating-point types are computed in float32.
    func has(_ type: ElementType) -> Bool {
      device.storageTypes.contains(type) && (type != .float64 || device.arithmeticTypes.contains(type))
    }
    guard has(elementType) else {
      throw .typeNotOnDevice(
        elementType, device: device.deviceName, allowed: member.types.filter(has))
    }
  }

  private func requireFit(_ made: BenchmarkCase, on device: Capabilities) throws(BenchmarkError) {
    for signature in made.inputs.map(\.signature) + made.outputs
    where signature.byteCount > device.maxBindingByteCount {
      throw .shapeTooLarge(
        made.shape, array: "an array \(signature) of \(signature.byteCount) bytes",
        limit: "the \(device.maxBindingByteCount) bytes that a kernel sees at once on \(device.deviceName)")
    }
  }
}
