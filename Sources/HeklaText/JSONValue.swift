import Foundation

/// A JSON document in memory that keeps its members' order and its numbers' digits.
///
/// Foundation's encoder shuffles or sorts keys and spells `1.0` as `1`; settings and reports are read by
/// people, so here the order is the declaration's and a number is the literal itself.
public enum JSONValue: Sendable {
  case null
  case flag(Bool)
  /// A number by its JSON literal, such as `1e-3`.
  case number(String)
  case text(String)
  case array([JSONValue])
  case object([Member])

  /// One `"name": value` of an object.
  public struct Member: Sendable, Equatable {
    /// What the value is called.
    public var name: String
    /// The value itself.
    public var value: JSONValue

    /// The member `"name": value`.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The number `value`; NaN and the infinities, which JSON lacks, become text.
  public init(_ value: some BinaryFloatingPoint & CustomStringConvertible) {
    if value.isNaN {
      self = .text(Self.notANumber)
    } else if value.isInfinite {
      self = .text(value < 0 ? "-" + Self.infinity : Self.infinity)
    } else {
      self = .number(value.description)
    }
  }

  /// The number `value`.
  public init(_ value: some BinaryInteger) { self = .number(String(value)) }

  /// The value of the object's member `name`, or nil when there is none or this is no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// How infinity is spelled, as text.
  static let infinity = "Infinity"
  /// How NaN is spelled, as text.
  static let notANumber = "NaN"
}

extension JSONValue: Equatable {
  /// Whether both are the same document; the order of an object's members does not count.
  public static func == (left: JSONValue, right: JSONValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.flag(let left), .flag(let right)): left == right
    case (.number(let left), .number(let right)): left == right || Double(left) == Double(right)
    case (.text(let left), .text(let right)): left == right
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)):
      left.count == right.count && left.allSatisfy { member in right.contains(member) }
    default: false
    }
  }
}

// MARK: - Reading

extension JSONValue: Decodable {
  private struct Name: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads any JSON; members come sorted by name, because decoders do not keep their order.
  public init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: Name.self) {
      let names = container.allKeys.sorted { $0.stringValue < $1.stringValue }
      self = .object(
        try names.map { Member($0.stringValue, try container.decode(JSONValue.self, forKey: $0)) })
      return
    }
    if var container = try? decoder.unkeyedContainer() {
      var values: [JSONValue] = []
      while !container.isAtEnd { values.append(try container.decode(JSONValue.self)) }
      self = .array(values)
      return
    }
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode(Int64.self) {
      self = JSONValue(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = JSONValue(value)
    } else {
      self = JSONValue(try container.decode(Double.self))
    }
  }

  /// Reads a value of `type` out of this document.
  ///
  /// - Throws: `DecodingError`, naming the member that is missing or does not fit.
  public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
    try Self.decode(type, from: Foundation.Data(description.utf8))
  }

  /// Reads a value of `type` from JSON text.
  package static func decode<Value: Decodable>(_ type: Value.Type, from text: Foundation.Data) throws -> Value
  {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: infinity, negativeInfinity: "-" + infinity, nan: notANumber)
    return try decoder.decode(type, from: text)
  }
}

// MARK: - Writing

extension JSONValue: Encodable, CustomStringConvertible {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Writes the document through any encoder; how it spells numbers is then the encoder's affair.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .object(let members):
      var container = encoder.container(keyedBy: Key.self)
      for member in members { try container.encode(member.value, forKey: Key(member.name)) }
    case .array(let values):
      var container = encoder.unkeyedContainer()
      for value in values { try container.encode(value) }
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .flag(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .text(let value):
      var container = encoder.singleValueContainer()
      try container.encode(value)
    case .number(let literal):
      var container = encoder.singleValueContainer()
      if let value = Int64(literal) {
        try container.encode(value)
      } else if let value = UInt64(literal) {
        try container.encode(value)
      } else {
        try container.encode(Double(literal) ?? .nan)
      }
    }
  }

  /// The document on one line.
  public var description: String {
    switch self {
    case .null: "null"
    case .flag(let value): value ? "true" : "false"
    case .number(let literal): literal
    case .text(let value): Self.quoted(value)
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { "\(Self.quoted($0.name)): \($0.value)" }.joined(separator: ", ") + "}"
    }
  }

  /// The document with one member per line, indented; arrays of plain values stay on one line.
  public var indented: String { indented(by: "") }

  private func indented(by margin: String) -> String {
    let inner = margin + "  "
    switch self {
    case .object(let members) where !members.isEmpty:
      let lines = members.map { "\(inner)\(Self.quoted($0.name)): \($0.value.indented(by: inner))" }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(margin)}"
    case .array(let values) where values.contains(where: \.isNested):
      return "[\n" + values.map { inner + $0.indented(by: inner) }.joined(separator: ",\n") + "\n\(margin)]"
    default:
      return description
    }
  }

  private var isNested: Bool {
    switch self {
    case .object, .array: true
    default: false
    }
  }

  /// `text` as a JSON string literal.
  ///
  /// Source: RFC 8259, section 7.
  private static func quoted(_ text: String) -> String {
    var literal = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": literal += "\\\""
      case "\\": literal += "\\\\"
      case "\n": literal += "\\n"
      case "\r": literal += "\\r"
      case "\t": literal += "\\t"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: literal.unicodeScalars.append(scalar)
      }
    }
    return literal + "\""
  }
}
