/// The settings of a value, found by encoding it; any `Codable` struct has them, without further code.
///
/// A changed setting becomes a changed value by encode, replace, decode, so the struct's own decoding
/// checks what types can check. Structs nest one level: `optimizer.rate` is a setting, a third level is not.
public struct Settings: Sendable, Equatable {
  /// Whose settings these are, for messages.
  public let owner: String
  /// The settings, in the order of their declaration.
  public private(set) var list: [Setting]

  /// The settings of `value`.
  ///
  /// - Parameters:
  ///   - value: The struct that holds them.
  ///   - owner: What messages call it, such as the recipe's name.
  ///   - notes: A sentence about each setting, by name; may be incomplete.
  /// - Throws: `ExperimentError.settingsUnreadable` when the value does not encode as an object.
  public init(of value: some Encodable, owner: String, notes: [String: String] = [:]) throws(ExperimentError)
  {
    let tree: EncodedTree
    do {
      tree = try OrderedEncoder.tree(of: value)
    } catch {
      throw .settingsUnreadable(owner: owner, reason: "\(error)")
    }
    guard case .members(let members) = tree.content else {
      guard case .leaf(.object) = tree.content else {
        throw .settingsUnreadable(owner: owner, reason: "It encodes as \(tree.value), not as named values.")
      }
      self.owner = owner
      list = []
      return
    }
    self.owner = owner
    list = members.flatMap { name, tree in
      guard case .members(let inner) = tree.content, !tree.isOptional else {
        return [Setting(name, tree, notes)]
      }
      return inner.map { Setting("\(name).\($0.name)", $0.tree, notes) }
    }
  }

  /// The names of all settings.
  public var names: [String] { list.map(\.name) }

  /// Changes the setting that `assignment`, written `name=value`, names.
  ///
  /// - Throws: `ExperimentError` saying which settings there are, or what kind of value was expected.
  public mutating func apply(_ assignment: String) throws(ExperimentError) {
    guard let sign = assignment.firstIndex(of: "="), sign != assignment.startIndex else {
      throw .malformedAssignment(assignment, known: names)
    }
    try set(String(assignment[..<sign]), to: String(assignment[assignment.index(after: sign)...]))
  }

  /// Changes the setting `name` to the value that a person wrote as `text`.
  ///
  /// - Throws: `ExperimentError` saying which settings there are, or what kind of value was expected.
  public mutating func set(_ name: String, to text: String) throws(ExperimentError) {
    guard let index = list.firstIndex(where: { $0.name == name }) else {
      throw .unknownSetting(name, owner: owner, known: names)
    }
    if list[index].isOptional, text == "none" {
      list[index].value = .null
    } else if let value = list[index].kind.parse(text) {
      list[index].value = value
    } else {
      let expectation = list[index].kind.expectation + (list[index].isOptional ? ", or none" : "")
      throw .wrongSettingType(name, owner: owner, expected: expectation, given: text)
    }
  }

  /// The settings as a document, nested as the struct is.
  public var document: JSONValue {
    var members: [JSONValue.Member] = []
    for setting in list {
      let parts = setting.name.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        members.append(.init(setting.name, setting.value))
        continue
      }
      let inner = JSONValue.Member(parts[1], setting.value)
      if let last = members.last, last.name == parts[0], case .object(let earlier) = last.value {
        members[members.count - 1].value = .object(earlier + [inner])
      } else {
        members.append(.init(parts[0], .object([inner])))
      }
    }
    return .object(members)
  }

  /// A value of `type` with these settings.
  ///
  /// - Throws: `ExperimentError.settingRejected` where the type's own decoding refuses a value.
  public func decoded<Value: Decodable>(as type: Value.Type) throws(ExperimentError) -> Value {
    do {
      return try document.decoded(as: type)
    } catch let DecodingError.dataCorrupted(context), let DecodingError.typeMismatch(_, context),
      let DecodingError.valueNotFound(_, context), let DecodingError.keyNotFound(_, context)
    {
      let name = context.codingPath.map(\.stringValue).joined(separator: ".")
      let given = list.first { $0.name == name }?.valueText
      throw .settingRejected(name, owner: owner, given: given, reason: context.debugDescription)
    } catch {
      throw .settingRejected("", owner: owner, given: nil, reason: "\(error)")
    }
  }
}

extension Setting {
  fileprivate init(_ name: String, _ tree: EncodedTree, _ notes: [String: String]) {
    self.init(
      name: name, kind: Kind(of: tree), isOptional: tree.isOptional, value: tree.value, note: notes[name]
    )
  }
}
