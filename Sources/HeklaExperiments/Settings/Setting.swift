/// One setting of an experiment: a stored property that `--set name=value` can change.
public struct Setting: Sendable, Equatable {
  /// The property's name; `group.name` for a property of a nested struct.
  public var name: String
  /// What values it takes.
  public var kind: Kind
  /// Whether `none` is a value.
  public var isOptional: Bool
  /// The value it has now.
  public var value: JSONValue
  /// What the setting means, in a sentence, where the experiment says so.
  public var note: String?

  /// What values a setting takes.
  public indirect enum Kind: Sendable, Equatable {
    case flag
    /// A whole number within the bounds of its type.
    case integer(ClosedRange<Int128>)
    case number
    case text
    /// One of the named cases of an enumeration.
    case choice([String])
    /// Any number of values, written with commas between them.
    case list(Kind)
    /// A value with a structure of its own, which cannot be given on a command line.
    case other
  }

  /// The value as a person writes it after `name=`.
  public var valueText: String { Self.text(of: value) }

  private static func text(of value: JSONValue) -> String {
    switch value {
    case .null: "none"
    case .text(let text): text
    case .array(let values): values.map { text(of: $0) }.joined(separator: ",")
    default: value.description
    }
  }

  /// The kind as a table shows it, such as `number` or `lenet | conv2`.
  public var kindText: String { kind.label + (isOptional ? " or none" : "") }
}

extension Setting.Kind {
  /// The kind in few words.
  public var label: String {
    switch self {
    case .flag: "true | false"
    case .integer: "integer"
    case .number: "number"
    case .text: "text"
    case .choice(let cases): cases.joined(separator: " | ")
    case .list(let element): element.label + ", ..."
    case .other: "structure"
    }
  }

  /// What an error says was expected.
  var expectation: String {
    switch self {
    case .flag: "true or false"
    case .integer(Self.anyInteger): "a whole number, such as 64"
    case .integer(let bounds): "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
    case .number: "a number, such as 0.5 or 1e-3"
    case .text: "text"
    case .choice(let cases): "one of " + cases.joined(separator: ", ")
    case .list(.integer(Self.anyInteger)): "whole numbers separated by commas, such as 300,100"
    case .list(let element): "values separated by commas, each " + element.expectation
    case .other: "a value of a kind that cannot be given on the command line"
    }
  }

  /// What an `Int` takes.
  private static let anyInteger = Int128(Int.min)...Int128(Int.max)

  /// The kind of values of the type that `tree` was encoded from.
  init(of tree: EncodedTree) {
    self.init(of: tree.type)
    guard self == .other else { return }
    // A wrapper, such as an enumeration that does not list its cases, takes what it encodes itself as.
    switch tree.content {
    case .leaf(.text): self = .text
    case .leaf(.number): self = .number
    case .leaf(.flag): self = .flag
    default: break
    }
  }

  /// The kind of values of `type`.
  init(of type: any Encodable.Type) {
    if type == Bool.self {
      self = .flag
    } else if type == String.self {
      self = .text
    } else if let integer = type as? any FixedWidthInteger.Type {
      self = .integer(bounds(of: integer))
    } else if type is any BinaryFloatingPoint.Type {
      self = .number
    } else if let cases = (type as? any CaseIterable.Type).flatMap({ rawCases(of: $0) }) {
      self = .choice(cases)
    } else if let list = type as? any ListType.Type {
      self = .list(Self(of: list.elementType))
    } else {
      self = .other
    }
  }

  /// Reads what a person wrote, or nil where it is no value of this kind.
  func parse(_ text: String) -> JSONValue? {
    switch self {
    case .flag:
      return ["true": JSONValue.flag(true), "false": .flag(false)][text]
    case .integer(let bounds):
      guard let value = Int128(text.replacing("_", with: "")), bounds.contains(value) else { return nil }
      return JSONValue(value)
    case .number:
      return Double(text).map { JSONValue($0) }
    case .text:
      return .text(text)
    case .choice(let cases):
      return cases.contains(text) ? .text(text) : nil
    case .list(let element):
      var values: [JSONValue] = []
      for part in text.split(separator: ",") {
        guard let value = element.parse(part.trimming(while: \.isWhitespace)) else { return nil }
        values.append(value)
      }
      return .array(values)
    case .other:
      return nil
    }
  }
}

extension Substring {
  fileprivate func trimming(while isUnwanted: (Character) -> Bool) -> String {
    var rest = drop(while: isUnwanted)
    while let last = rest.last, isUnwanted(last) { rest.removeLast() }
    return String(rest)
  }
}

/// The raw values of an enumeration with text raw values, else nil.
private func rawCases<Cases: CaseIterable>(of type: Cases.Type) -> [String]? {
  let names = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
  return names.count == type.allCases.count ? names : nil
}

/// The least and the greatest value of `type`; all of `Int128` where the type is wider.
private func bounds<Integer: FixedWidthInteger>(of type: Integer.Type) -> ClosedRange<Int128> {
  Int128(clamping: Integer.min)...Int128(clamping: Integer.max)
}

/// Arrays, whose element type is known even when they are empty.
private protocol ListType {
  static var elementType: any Encodable.Type { get }
}

extension Array: ListType where Element: Encodable {
  fileprivate static var elementType: any Encodable.Type { Element.self }
}
