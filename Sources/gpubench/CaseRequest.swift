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
    let (family, names) = try CaseFamily.cases(named: name)
    for (option, isGiven, owner) in [
      ("--transpose", transposition != nil, CaseFamily.matmul), ("--batch", batch != nil, .matmul),
      ("--axis", axis != nil, .reduce),
    ] where isGiven && family != owner {
      throw .foreignOption(option, family: family, owner: owner)
    }
    let text = shape ?? family.defaultShape(on: device.kind)
    let extents = try family.extents(of: text)
    try family.requireAddressable(extents, batch: batch ?? 1, shape: text)
    // Before the computations are built, which would stop the program at a type that they do not take.
    for name in names { try requireType(of: name, on: device) }
    let cases = made(family, names, extents, text)
    if cases.isEmpty, let axis { throw .nothingLeft(caseName: name, axis: axis) }
    for made in cases { try requireFit(made, on: device) }
    return cases
  }

  private func made(_ family: CaseFamily, _ names: [String], _ extents: [Int], _ text: String)
    -> [BenchmarkCase]
  {
    switch family {
    case .matmul:
      [
        .matrixProduct(
          extents: extents, shape: text, elementType: elementType, batch: batch ?? 1,
          transposition: transposition)
      ]
    case .elementwise:
      ElementwiseOperation.allCases.filter { names.contains($0.rawValue) }
        .map { .elementwise($0, extents: extents, shape: text, elementType: elementType) }
    case .reduce:
      RowReduction.allCases.filter { names.contains($0.name) && (axis == nil || $0.axis == axis) }
        .map { .reduction($0, extents: extents, shape: text, elementType: elementType) }
    case .scatter:
      ScatterOperation.allCases.filter { names.contains($0.rawValue) }
        .map { .scatter($0, extents: extents, shape: text, elementType: elementType) }
    }
  }

  private func requireType(of caseName: String, on device: Capabilities) throws(BenchmarkError) {
    let types = CaseFamily.types(of: caseName)
    guard types.contains(elementType) else {
      throw .unsupportedType(elementType, caseName: caseName, allowed: types)
    }
    // Narrow floating-point types are computed in float32.
    func has(_ type: ElementType) -> Bool {
      device.storageTypes.contains(type) && (type != .float64 || device.arithmeticTypes.contains(type))
    }
    guard has(elementType) else {
      throw .typeNotOnDevice(elementType, device: device.deviceName, allowed: types.filter(has))
    }
  }

  private func requireFit(_ made: BenchmarkCase, on device: Capabilities) throws(BenchmarkError) {
    for signature in made.inputs.map(\.signature) + [made.output]
    where signature.byteCount > device.maxBindingByteCount {
      throw .shapeTooLarge(
        made.shape, array: "an array \(signature) of \(signature.byteCount) bytes",
        limit: "the \(device.maxBindingByteCount) bytes that a kernel sees at once on \(device.deviceName)")
    }
  }
}
