extension JSONValue {
  /// The document that `value` encodes itself as, members in the order of their declaration.
  ///
  /// - Throws: What `value` throws while it encodes itself.
  public init(encoding value: some Encodable) throws {
    self = try OrderedEncoder.tree(of: value).value
  }
}

/// What one value encoded itself as, with the static types on the way.
///
/// The types are what a JSON document cannot tell: whether `1` was a `Double`, what an absent optional
/// would hold, which cases an enumeration has.
package final class EncodedTree {
  package enum Content {
    case leaf(JSONValue)
    case elements([EncodedTree])
    case members([(name: String, tree: EncodedTree)])
  }

  package var content: Content
  /// The static type of what was encoded, unwrapped where it is optional.
  package var type: any Encodable.Type
  /// Whether what was encoded may be absent.
  package var isOptional: Bool

  init(_ content: Content, type: any Encodable.Type, isOptional: Bool = false) {
    self.content = content
    self.type = type
    self.isOptional = isOptional
  }

  /// The tree without its types.
  package var value: JSONValue {
    switch content {
    case .leaf(let value): value
    case .elements(let elements): .array(elements.map(\.value))
    case .members(let members): .object(members.map { JSONValue.Member($0.name, $0.tree.value) })
    }
  }

  func append(_ name: String, _ tree: EncodedTree) {
    guard case .members(var members) = content else {
      content = .members([(name, tree)])
      return
    }
    // Two references to the list would copy it at every member.
    content = .leaf(.null)
    members.append((name, tree))
    content = .members(members)
  }

  func append(_ tree: EncodedTree) {
    guard case .elements(var elements) = content else {
      content = .elements([tree])
      return
    }
    content = .leaf(.null)
    elements.append(tree)
    content = .elements(elements)
  }
}

/// An encoder that records an `EncodedTree`.
///
/// One generic `encode` in each container stands for the fourteen that the protocols list.
package struct OrderedEncoder: Encoder {
  let tree: EncodedTree
  package var codingPath: [any CodingKey] = []
  package var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// What `value` encodes itself as.
  package static func tree<Value: Encodable>(of value: Value) throws -> EncodedTree {
    switch value {
    case let value as Bool: return EncodedTree(.leaf(.flag(value)), type: Value.self)
    case let value as String: return EncodedTree(.leaf(.text(value)), type: Value.self)
    case let value as Double: return EncodedTree(.leaf(JSONValue(value)), type: Value.self)
    case let value as Float: return EncodedTree(.leaf(JSONValue(value)), type: Value.self)
    case let value as any BinaryInteger: return EncodedTree(.leaf(JSONValue(value)), type: Value.self)
    case let value as JSONValue: return EncodedTree(.leaf(value), type: Value.self)
    default:
      let tree = EncodedTree(.leaf(.object([])), type: Value.self)
      try value.encode(to: OrderedEncoder(tree: tree))
      return tree
    }
  }

  package func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .leaf = tree.content { tree.content = .members([]) }
    return KeyedEncodingContainer(Keyed<Key>(tree: tree, codingPath: codingPath))
  }

  package func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .leaf = tree.content { tree.content = .elements([]) }
    return Unkeyed(tree: tree, codingPath: codingPath)
  }

  package func singleValueContainer() -> any SingleValueEncodingContainer {
    Single(tree: tree, codingPath: codingPath)
  }
}

extension OrderedEncoder {
  struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let tree: EncodedTree
    var codingPath: [any CodingKey]

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
      tree.append(key.stringValue, try OrderedEncoder.tree(of: value))
    }

    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
      try encodeOptional(value, key)
    }

    private func encodeOptional<Value: Encodable>(_ value: Value?, _ key: Key) throws {
      let member = try value.map { try OrderedEncoder.tree(of: $0) }
      tree.append(
        key.stringValue,
        EncodedTree(member?.content ?? .leaf(.null), type: Value.self, isOptional: true))
    }

    // The protocol's own versions of these skip an absent value, and with it the name of the setting.
    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try encodeOptional(value, key) }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try encodeOptional(value, key) }

    func encodeNil(forKey key: Key) {
      tree.append(key.stringValue, EncodedTree(.leaf(.null), type: String.self, isOptional: true))
    }

    func nestedContainer<NestedKey: CodingKey>(
      keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
      nested(key).container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      nested(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { OrderedEncoder(tree: tree, codingPath: codingPath) }

    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }

    private func nested(_ key: Key) -> OrderedEncoder {
      let inner = EncodedTree(.leaf(.object([])), type: [String: String].self)
      tree.append(key.stringValue, inner)
      return OrderedEncoder(tree: inner, codingPath: codingPath + [key])
    }
  }

  struct Unkeyed: UnkeyedEncodingContainer {
    let tree: EncodedTree
    var codingPath: [any CodingKey]

    var count: Int {
      guard case .elements(let elements) = tree.content else { return 0 }
      return elements.count
    }

    func encode<Value: Encodable>(_ value: Value) throws { tree.append(try OrderedEncoder.tree(of: value)) }

    func encodeNil() { tree.append(EncodedTree(.leaf(.null), type: String.self, isOptional: true)) }

    func nestedContainer<NestedKey: CodingKey>(
      keyedBy keyType: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
      nested().container(keyedBy: keyType)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }

    func superEncoder() -> any Encoder { nested() }

    private func nested() -> OrderedEncoder {
      let inner = EncodedTree(.leaf(.object([])), type: [String: String].self)
      tree.append(inner)
      return OrderedEncoder(tree: inner, codingPath: codingPath)
    }
  }

  struct Single: SingleValueEncodingContainer {
    let tree: EncodedTree
    var codingPath: [any CodingKey]

    func encode<Value: Encodable>(_ value: Value) throws {
      tree.content = try OrderedEncoder.tree(of: value).content
    }

    func encodeNil() { tree.content = .leaf(.null) }
  }
}
