import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors

/// What a person asked to tune, and the operations that it stands for on a device.
struct TuneRequest {
  /// One operation to tune.
  struct Item {
    /// What is timed.
    let subject: TuningSubject
    /// The same operation at extents that the reference can be computed for; nil where it can at the subject's own.
    let exam: TuningSubject?
  }

  /// The word that stands for all samples of all primitives.
  static let everything = "all"

  /// A case, a primitive, one of its samples, or `all`.
  var name: String
  /// Where `name` is a case, what to measure of it.
  var shape: String?
  var elementType = ElementType.float32
  var transposition: Transposition?
  var batch: Int?

  /// The most operations of a case whose float64 reference is computed.
  private static let interpretedOperationCount = 0x1p23

  /// The samples that `name` stands for, or nil where it is a case.
  func samples() throws(BenchmarkError) -> [SampleRequest]? {
    if name != Self.everything { return try SampleRequest(named: name).map { [$0] } }
    var all: [SampleRequest] = []
    for primitive in SampleRequest.primitives {
      if let request = try SampleRequest(named: "\(primitive)/\(Self.everything)") { all.append(request) }
    }
    return all
  }

  /// The operations with more than one variant on `device`.
  func items(on device: any Device) throws -> [Item] {
    let capabilities = device.capabilities
    let host = try PlanExecutor(try DeviceCatalog.shared.device(named: "cpu"))
    var items: [Item] = []
    if let requests = try samples() {
      for request in requests {
        for (sample, benchmark) in zip(request.samples, request.cases) {
          items += try TuningSubject.subjects(
            below: benchmark.tensors, primitive: request.primitive, on: capabilities,
            tolerance: sample.tolerance, computingOn: host
          ).map { Item(subject: $0, exam: nil) }
        }
      }
    } else {
      for caseName in try CaseFamily.cases(named: name).members.map(\.name) {
        items += try caseItems(caseName, capabilities, host)
      }
    }
    guard !items.isEmpty else {
      throw BenchmarkError.nothingToTune(name, device: capabilities.deviceName)
    }
    return items
  }

  private func caseItems(_ name: String, _ device: Capabilities, _ host: PlanExecutor) throws -> [Item] {
    func subjects(_ request: CaseRequest) throws -> (cost: Double, subjects: [TuningSubject]) {
      let benchmark = try request.cases(on: device)[0]
      return (
        benchmark.operationCount,
        try TuningSubject.subjects(below: benchmark.tensors, on: device, computingOn: host)
      )
    }
    var request = CaseRequest(
      name: name, shape: shape, elementType: elementType, transposition: transposition, batch: batch)
    let whole = try subjects(request)
    guard whole.cost > Self.interpretedOperationCount else {
      return whole.subjects.map { Item(subject: $0, exam: nil) }
    }
    let family = try CaseFamily.cases(named: name).family
    let text = shape ?? (device.kind == .software ? family.shape.software : family.shape.usual)
    var extents = try family.shape.extents(of: text, for: family)
    request.batch = batch.map { min($0, 2) }
    let choices = choices(of: try request.cases(on: device)[0], on: device)
    var cost = Double.infinity
    // Extents that cannot be smaller without another choice of variants.
    var fixed: Set<Int> = []
    while cost > Self.interpretedOperationCount, let index = extents.largest(outside: fixed) {
      var smaller = extents
      smaller[index].halve()
      request.shape = smaller.map(String.init).joined(separator: "x")
      guard let benchmark = try? request.cases(on: device)[0],
        self.choices(of: benchmark, on: device) == choices
      else {
        fixed.insert(index)
        continue
      }
      (extents, cost) = (smaller, benchmark.operationCount)
    }
    request.shape = extents.map(String.init).joined(separator: "x")
    let exams = try subjects(request).subjects
    return zip(whole.subjects, exams).map { Item(subject: $0, exam: $1) }
  }

  private func choices(of benchmark: BenchmarkCase, on device: Capabilities) -> [[String]] {
    TuningSubject.choices(
      below: benchmark.build(benchmark.inputs.enumerated().map { .input($0, $1.signature) }), on: device)
  }
}

extension BenchmarkCase {
  /// The results of the computation on its values.
  fileprivate var tensors: [Tensor] {
    let key = RandomKey(seed: 0)
    return build(inputs.enumerated().map { $1.tensor(key.folded(in: UInt64($0))) })
  }
}

extension [Int] {
  /// The place of the largest extent that can be halved and is none of `fixed`.
  fileprivate func largest(outside fixed: Set<Int>) -> Int? {
    indices.filter { self[$0] >= 128 && !fixed.contains($0) }.max { self[$0] < self[$1] }
  }
}

extension Int {
  /// Halves what is a multiple of 64 and keeps the rest, so that kernels meet the same edges of tiles and take the same
  /// paths.
  fileprivate mutating func halve() { self = self / 64 / 2 * 64 + self % 64 }
}
