import Glibc

/// A variable and its type, before it is known where it is declared.
struct OpenCLDeclaration {
  /// The type's name.
  var type: String
  /// The variable's name.
  var name: String

  /// The declaration without a value.
  var text: String { "\(type) \(name)" }
}

extension [OpenCLStatement] {
  /// Declares variables where they are first set, as people do, and gives back those that must be declared before.
  ///
  /// SPIR-V has all variables at the top of the function. One is moved into a loop's body only where it is set
  /// before anything reads it, so no value is carried from round to round.
  mutating func sink(_ declarations: [OpenCLDeclaration]) -> [OpenCLDeclaration] {
    let rest = declarations.filter { !sink($0) }
    moveIntoLoopHeads()
    return rest
  }

  /// Moves the declaration before a loop that counts with it into the loop's head.
  private mutating func moveIntoLoopHeads() {
    for index in indices.reversed() {
      switch self[index] {
      case .conditional(let condition, var then, var otherwise):
        then.moveIntoLoopHeads()
        otherwise.moveIntoLoopHeads()
        self[index] = .conditional(condition, then: then, otherwise: otherwise)
      case .loop(let initial, let condition, let step, var body):
        body.moveIntoLoopHeads()
        self[index] = .loop(initial: initial, condition: condition, step: step, body: body)
        guard index > startIndex, initial == nil, case .declaration(let text) = self[index - 1],
          let name = text.declaredName, step.contains(where: { $0.mentions(name) }),
          !self[(index + 1)...].contains(where: { $0.mentions(name) })
        else { continue }
        self[index] = .loop(initial: text, condition: condition, step: step, body: body)
        remove(at: index - 1)
      default: break
      }
    }
  }

  private mutating func sink(_ declaration: OpenCLDeclaration) -> Bool {
    let mentions = indices.filter { self[$0].mentions(declaration.name) }
    guard let first = mentions.first else { return false }
    switch self[first] {
    case .expression(let text):
      let value = text.dropFirst(declaration.name.count + 3)
      guard text.hasPrefix("\(declaration.name) = "), !String(value).mentions(declaration.name) else {
        return false
      }
      self[first] = .declaration("\(declaration.type) \(declaration.name) = \(value)")
      return true
    case .conditional(let condition, var then, var otherwise):
      guard mentions.count == 1, !condition.mentions(declaration.name) else { return false }
      let inThen = then.contains { $0.mentions(declaration.name) }
      let inOtherwise = otherwise.contains { $0.mentions(declaration.name) }
      guard inThen != inOtherwise, inThen ? then.sink(declaration) : otherwise.sink(declaration) else {
        return false
      }
      self[first] = .conditional(condition, then: then, otherwise: otherwise)
      return true
    case .loop(let initial, let condition, let step, var body):
      guard mentions.count == 1,
        !(step + [condition ?? "", initial ?? ""]).contains(where: { $0.mentions(declaration.name) }),
        body.sink(declaration)
      else { return false }
      self[first] = .loop(initial: initial, condition: condition, step: step, body: body)
      return true
    default: return false
    }
  }
}

extension OpenCLStatement {
  /// Whether the statement names variable `name`.
  func mentions(_ name: String) -> Bool {
    switch self {
    case .expression(let text), .declaration(let text): text.mentions(name)
    case .conditional(let condition, let then, let otherwise):
      condition.mentions(name) || (then + otherwise).contains { $0.mentions(name) }
    case .loop(let initial, let condition, let step, let body):
      (step + [condition ?? "", initial ?? ""]).contains { $0.mentions(name) }
        || body.contains { $0.mentions(name) }
    case .doWhile(let body, let condition): condition.mentions(name) || body.contains { $0.mentions(name) }
    case .selection(let selector, let cases):
      selector.mentions(name) || cases.contains { $0.body.contains { $0.mentions(name) } }
    case .returnValue(let value): value?.mentions(name) ?? false
    case .breakOut, .continueLoop, .label, .jump: false
    }
  }
}

extension String {
  /// The variable that the declaration `type name = value` declares.
  fileprivate var declaredName: String? {
    range(before: " = ").flatMap { $0.split(separator: " ").last.map(String.init) }
  }

  private func range(before separator: String) -> Substring? {
    var end = startIndex
    while end < endIndex {
      if self[end...].hasPrefix(separator) { return self[..<end] }
      end = index(after: end)
    }
    return nil
  }

  /// Whether the identifier `name` occurs in the text.
  ///
  /// Asked for every variable of every statement, so a search of bytes, not of characters.
  func mentions(_ name: String) -> Bool {
    func isPart(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
    }
    return withCString { text in
      name.withCString { word in
        let length = strlen(word)
        guard length > 0 else { return false }
        var position = text
        while let found = strstr(position, word) {
          let isStart = found == UnsafeMutablePointer(mutating: text) || !isPart(UInt8(bitPattern: found[-1]))
          if isStart, !isPart(UInt8(bitPattern: found[length])) { return true }
          position = UnsafePointer(found + length)
        }
        return false
      }
    }
  }
}
