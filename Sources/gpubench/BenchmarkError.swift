import HeklaArrays
import HeklaText

/// What a person asked `gpubench` for and cannot have: each case says what is allowed instead.
enum BenchmarkError: Error, Hashable {
  /// No case or family of cases has this name.
  case unknownCase(String)
  /// No training step has this name.
  case unknownStep(String)
  /// A step has all its data at once.
  case noBatches(step: String)
  /// No primitive with samples has this name.
  case unknownPrimitive(String)
  /// A primitive has no sample of this name.
  case unknownSample(String, primitive: String, known: [String])
  /// An option changes what a sample has fixed.
  case optionOfCases(String, primitive: String)
  /// A shape is not of its family's form.
  case malformedShape(String, family: String, rule: String)
  /// The arrays of a shape are larger than kernels or the device can address.
  case shapeTooLarge(String, array: String, limit: String)
  /// No element type has this name.
  case unknownType(String)
  /// A case does not take elements of this type.
  case unsupportedType(ElementType, caseName: String, allowed: [ElementType])
  /// The device does not store elements of this type, or cannot compute with them.
  case typeNotOnDevice(ElementType, device: String, allowed: [ElementType])
  /// A case's kernel has no variant of this name.
  case unknownVariant(String, caseName: String, known: [String])
  /// A variant exists, and does not run on the device or with this shape and type.
  case unusableVariant(String, caseName: String, device: String, usable: [String])
  /// An option belongs to another family of cases.
  case foreignOption(String, family: String, owner: String)
  /// Options leave nothing to run.
  case nothingLeft(caseName: String, axis: ReductionAxis)
  /// A file cannot be written.
  case cannotWrite(path: String, reason: String)
  /// No operation of a case has more than one variant on the device.
  case nothingToTune(String, device: String)
  /// No folder is known for the tuner's choices.
  case noCacheFolder
  /// The file with the tuner's choices cannot be written.
  case cacheNotWritable(String)
}

extension BenchmarkError: CustomStringConvertible {
  /// One paragraph: what cannot be, then what can.
  var description: String {
    switch self {
    case .unknownCase(let name):
      "There is no case '\(name)'."
        + NearestNames(to: name, among: CaseFamily.allNames + SampleRequest.primitives).question
        + " The cases are " + CaseFamily.all.map(\.inventory).joined(separator: "; ")
        + ". The name of a family runs all its cases, that of a primitive its samples; "
        + "'gpubench list' has the primitives."
    case .unknownStep(let name):
      "There is no step '\(name)'.\(NearestNames(to: name, among: TrainingStep.allNames).question) "
        + "The steps are \(Self.list(TrainingStep.allNames)); 'gpubench step --help' describes them."
    case .noBatches(let step):
      "--batch belongs to steps with batches; \(step) trains on all its data at once."
    case .unknownPrimitive(let name):
      "There is no primitive '\(name)'.\(NearestNames(to: name, among: SampleRequest.primitives).question) "
        + "'gpubench list' has them all."
    case .unknownSample(let label, let primitive, let known):
      "\(primitive) has no sample '\(label)'.\(NearestNames(to: label, among: known).question) "
        + "Its samples are \(Self.list(known)); 'all' runs each."
    case .optionOfCases(let option, let primitive):
      "\(option) belongs to cases; the samples of \(primitive) have shapes and types of their own."
    case .malformedShape(let text, let family, let rule):
      "'\(text)' is not a shape for \(family). \(rule)"
    case .shapeTooLarge(let text, let array, let limit):
      "The shape \(text) is too large: \(array) is beyond \(limit). Use a smaller --shape."
    case .unknownType(let name):
      "There is no element type '\(name)'.\(NearestNames(to: name, among: ElementType.allNames).question) "
        + "The types are \(Self.list(ElementType.allNames))."
    case .unsupportedType(let type, let name, let allowed):
      "\(name) does not take \(type); it takes \(Self.list(allowed.map(\.rawValue)))."
    case .typeNotOnDevice(let type, let device, let allowed):
      "\(device) cannot compute with \(type)"
        + (allowed.isEmpty
          ? ", nor with another type of this case."
          : "; of this case's types it has \(Self.list(allowed.map(\.rawValue))).")
    case .unknownVariant(let variant, let name, let known):
      "\(name) has no variant '\(variant)'.\(NearestNames(to: variant, among: known).question) "
        + "Its variants are \(Self.list(known)); 'all' runs each that the device can run."
    case .unusableVariant(let variant, let name, let device, let usable):
      "Variant '\(variant)' of \(name) does not run on \(device) with this shape and type. "
        + (usable.isEmpty ? "None of its variants does." : "Those that do are \(Self.list(usable)).")
    case .foreignOption(let option, let family, let owner):
      "\(option) belongs to \(owner); \(family) does not take it."
    case .cannotWrite(let path, let reason):
      "Cannot write '\(path)': \(reason) Give a place that exists and that you may write to."
    case .nothingLeft(let name, let axis):
      "'\(name)' has no case that folds \(axis.rawValue). The cases are \(CaseFamily.reduce.inventory)."
    case .nothingToTune(let name, let device):
      "\(name) leaves no choice on \(device): no operation of it has more than one variant there that can be verified. "
        + "'gpubench list' counts the variants of each primitive."
    case .noCacheFolder:
      "There is no folder to keep choices in. Set HEKLA_CACHE to one."
    case .cacheNotWritable(let path):
      "\(path) cannot be written. Set HEKLA_CACHE to a folder that can, or free space there."
    }
  }

  private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}

extension ElementType {
  /// The names that `--type` knows.
  static var allNames: [String] { allCases.map(\.rawValue) }
}
