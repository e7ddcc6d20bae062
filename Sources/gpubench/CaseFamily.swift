import HeklaArrays
import HeklaDevices

/// Cases that share the form of their shape.
enum CaseFamily: String, CaseIterable, CustomStringConvertible {
  case matmul, elementwise, reduce, scatter

  var description: String { rawValue }

  /// The names of the cases, in the order in which they run.
  var caseNames: [String] {
    switch self {
    case .matmul: ["matmul"]
    case .elementwise: ElementwiseOperation.allCases.map(\.rawValue)
    case .reduce: RowReduction.allCases.map(\.name)
    case .scatter: ScatterOperation.allCases.map(\.rawValue)
    }
  }

  /// The types of elements that a case can be measured with.
  static func types(of caseName: String) -> [ElementType] {
    switch caseName {
    case ScatterOperation.scatterSum.rawValue: [.float32]
    case _ where elementwise.caseNames.contains(caseName), ScatterOperation.gather.rawValue:
      [.float32, .float16, .bfloat16, .float64]
    default: [.float32, .float64]
    }
  }

  /// The family and its cases, as messages list them.
  var inventory: String {
    caseNames == [rawValue] ? rawValue : "\(rawValue) (\(caseNames.joined(separator: ", ")))"
  }

  /// All names that `run` takes.
  static var allNames: [String] {
    allCases.flatMap { family in family.caseNames == [family.rawValue] ? [] : [family.rawValue] }
      + allCases.flatMap(\.caseNames)
  }

  /// The cases that `name` stands for: all of a family, or one.
  static func cases(named name: String) throws(BenchmarkError) -> (family: CaseFamily, names: [String]) {
    if let family = CaseFamily(rawValue: name) { return (family, family.caseNames) }
    guard let family = allCases.first(where: { $0.caseNames.contains(name) }) else {
      throw .unknownCase(name)
    }
    return (family, [name])
  }

  /// The form of the family's shape, in a sentence.
  var shapeRule: String {
    switch self {
    case .matmul: "It is MxNxK, such as 2048x2048x2048: the product of an M x K and a K x N matrix."
    case .elementwise: "It is a number of elements or extents, such as 1048576 or 1024x1024."
    case .reduce: "It is ROWSxCOLUMNS, such as 4096x4096."
    case .scatter:
      "It is EDGESxCOLUMNSxROWS, such as 262144x64x32768: EDGES rows of COLUMNS elements, each with an index below ROWS."
    }
  }

  /// The shape where none is given: large enough to leave the caches of a laptop, small on drivers that run shaders
  /// on the processor, which are there for tests.
  func defaultShape(on kind: Capabilities.Kind) -> String {
    let isSoftware = kind == .software
    return switch self {
    case .matmul: isSoftware ? "512x512x512" : "2048x2048x2048"
    case .elementwise: isSoftware ? "1048576" : "16777216"
    case .reduce: isSoftware ? "1024x1024" : "4096x4096"
    case .scatter: isSoftware ? "16384x32x2048" : "262144x64x32768"
    }
  }

  /// The extents that `text` spells.
  func extents(of text: String) throws(BenchmarkError) -> [Int] {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil }
    let counts: ClosedRange<Int> =
      switch self {
      case .matmul, .scatter: 3...3
      case .reduce: 2...2
      case .elementwise: 1...8
      }
    guard numbers.count == parts.count, counts.contains(numbers.count), numbers.allSatisfy({ $0 > 0 }) else {
      throw .malformedShape(text, family: self)
    }
    return numbers
  }
}

extension CaseFamily {
  /// Stops a shape whose arrays have more elements than the 32-bit indices of kernels can tell apart.
  func requireAddressable(_ extents: [Int], batch: Int, shape: String) throws(BenchmarkError) {
    let arrays: [[Int]] =
      switch self {
      case .matmul:
        [
          [batch, extents[0], extents[2]], [batch, extents[2], extents[1]], [batch, extents[0], extents[1]],
        ]
      case .elementwise, .reduce: [extents]
      case .scatter: [[extents[0], extents[1]], [extents[2], extents[1]]]
      }
    for array in arrays {
      // In floating point, where no product overflows.
      guard array.reduce(1.0, { $0 * Double($1) }) < 0x1p31 else {
        let text = array.drop { $0 == 1 }.map(String.init).joined(separator: " x ")
        throw .shapeTooLarge(
          shape, array: "an array of \(text) elements", limit: "the 2^31 - 1 that kernels index")
      }
    }
  }
}
