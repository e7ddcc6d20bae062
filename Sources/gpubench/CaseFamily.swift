import HeklaArrays
import HeklaDevices

/// Cases that share the form of their shape: what one file under `Cases` describes.
struct CaseFamily: Sendable, CustomStringConvertible {
  /// One case of a family.
  struct Member: Sendable {
    /// What `run` calls it.
    let name: String
    /// The types of elements that it can be measured with.
    let types: [ElementType]
    /// The case; nil where the options leave it out.
    let build: @Sendable (CaseParameters) -> BenchmarkCase?

    init(
      _ name: String, types: [ElementType], build: @escaping @Sendable (CaseParameters) -> BenchmarkCase?
    ) {
      self.name = name
      self.types = types
      self.build = build
    }
  }

  /// What `run` calls all cases together: the name of none of them, unless there is only one.
  let name: String
  /// The form of the shape.
  let shape: CaseShape
  /// What the cases are, in lines for the help.
  let summary: String
  /// The options that only this family takes.
  let options: [CaseOption]
  /// The cases, in the order in which they run.
  let members: [Member]

  init(
    _ name: String, shape: CaseShape, summary: String, options: [CaseOption] = [], members: [Member]
  ) {
    self.name = name
    self.shape = shape
    self.summary = summary
    self.options = options
    self.members = members
  }

  /// All families, in the order in which the help has them.
  static let all: [CaseFamily] = [
    .matmul, .elementwise, .reduce, .scatter, .convolution2D, .depthwiseConvolution, .convolution3D,
    .attention, .layerNormalization, .sort, .fft, .cholesky,
  ]

  var description: String { name }

  /// The names of the cases, in the order in which they run.
  var caseNames: [String] { members.map(\.name) }

  /// The family and its cases, as messages list them.
  var inventory: String {
    caseNames == [name] ? name : "\(name) (\(caseNames.joined(separator: ", ")))"
  }

  /// All names that `run` takes.
  static var allNames: [String] {
    all.flatMap { family in family.caseNames == [family.name] ? [] : [family.name] }
      + all.flatMap(\.caseNames)
  }

  /// The cases that `name` stands for: all of a family, or one.
  static func cases(named name: String) throws(BenchmarkError) -> (family: CaseFamily, members: [Member]) {
    if let family = all.first(where: { $0.name == name }) { return (family, family.members) }
    for family in all {
      if let member = family.members.first(where: { $0.name == name }) { return (family, [member]) }
    }
    throw .unknownCase(name)
  }

  /// The family that takes `option`.
  static func owner(of option: CaseOption) -> CaseFamily? { all.first { $0.options.contains(option) } }

  /// Names, shapes and summaries, for the help.
  static var help: String {
    all.map { family in
      let lines = family.summary.split(separator: "\n").map { "      \($0)" }
      return (["  \(family.name)  \(family.shape.form)"] + lines).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

/// An option that some cases have and others do not.
enum CaseOption: String, CaseIterable {
  case transpose = "--transpose"
  case batch = "--batch"
  case axis = "--axis"
}

/// What a case is built from.
struct CaseParameters: Sendable {
  /// The extents of the shape, which are of the family's form.
  var extents: [Int]
  /// The shape as the person wrote it.
  var shape: String
  /// What the elements are.
  var elementType: ElementType
  /// Which factors of a product are stored transposed.
  var transposition: Transposition?
  /// How many products there are.
  var batch = 1
  /// What a reduction folds.
  var axis: ReductionAxis?
}

/// The form of a family's shape.
struct CaseShape: Sendable {
  /// Its extents by name, such as `ROWSxCOLUMNS`.
  let form: String
  /// The form in a sentence, with an example.
  let rule: String
  /// How many extents there are.
  let counts: ClosedRange<Int>
  /// The shape where none is given: large enough to leave the caches of a laptop.
  let usual: String
  /// The same on drivers that run shaders on the processor, which are there for tests.
  let software: String
  /// Whether extents that are positive are also otherwise of the form.
  let isValid: @Sendable ([Int]) -> Bool
  /// The extents of the arrays that a case reads and writes.
  let arrays: @Sendable (_ extents: [Int], _ batch: Int) -> [[Int]]

  init(
    _ form: String, rule: String, counts: ClosedRange<Int>, usual: String, software: String,
    isValid: @escaping @Sendable ([Int]) -> Bool = { _ in true },
    arrays: @escaping @Sendable (_ extents: [Int], _ batch: Int) -> [[Int]]
  ) {
    self.form = form
    self.rule = rule
    self.counts = counts
    self.usual = usual
    self.software = software
    self.isValid = isValid
    self.arrays = arrays
  }

  /// The extents that `text` spells.
  func extents(of text: String, for family: CaseFamily) throws(BenchmarkError) -> [Int] {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil }
    guard
      numbers.count == parts.count, counts.contains(numbers.count), numbers.allSatisfy({ $0 > 0 }),
      isValid(numbers)
    else {
      throw .malformedShape(text, family: family.name, rule: rule)
    }
    return numbers
  }

  /// Stops a shape whose arrays have more elements than the 32-bit indices of kernels can tell apart.
  func requireAddressable(_ extents: [Int], batch: Int, text: String) throws(BenchmarkError) {
    for array in arrays(extents, batch) {
      // In floating point, where no product overflows.
      guard array.reduce(1.0, { $0 * Double($1) }) < 0x1p31 else {
        let elements = array.drop { $0 == 1 }.map(String.init).joined(separator: " x ")
        throw .shapeTooLarge(
          text, array: "an array of \(elements) elements", limit: "the 2^31 - 1 that kernels index")
      }
    }
  }
}
