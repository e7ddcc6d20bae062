/// A statement of OpenCL C, as the structurizer makes them and the printer writes them.
indirect enum OpenCLStatement {
  /// An expression or jump; a semicolon follows.
  case expression(String)
  /// A declaration; a semicolon follows.
  case declaration(String)
  case conditional(String, then: [Self], otherwise: [Self])
  /// `for (initial; condition; step)`.
  case loop(initial: String? = nil, condition: String?, step: [String], body: [Self])
  /// `do { body } while (condition)`.
  case doWhile(body: [Self], condition: String)
  /// The cases in the order in which they fall through; nil values stand for `default`.
  case selection(String, cases: [(values: [String?], body: [Self], fallsThrough: Bool)])
  case breakOut
  case continueLoop
  case label(String)
  case jump(String)
  case returnValue(String?)

  /// The lines of `statements`, indented by `depth` levels.
  static func lines(_ statements: [Self], depth: Int) -> [String] {
    statements.flatMap { $0.lines(depth: depth) }
  }

  private func lines(depth: Int) -> [String] {
    let indent = String(repeating: "  ", count: depth)
    func inner(_ body: [Self]) -> [String] { Self.lines(body, depth: depth + 1) }
    switch self {
    case .expression(let text), .declaration(let text): return ["\(indent)\(text);"]
    case .conditional(let condition, let then, let otherwise):
      var lines = ["\(indent)if (\(condition)) {"] + inner(then)
      if !otherwise.isEmpty { lines += ["\(indent)} else {"] + inner(otherwise) }
      return lines + ["\(indent)}"]
    case .loop(let initial, let condition, let step, let body):
      let head = [
        "\(initial ?? "");", condition.map { " \($0);" } ?? ";",
        step.isEmpty ? "" : " \(step.joined(separator: ", "))",
      ]
      return ["\(indent)for (\(head.joined())) {"] + inner(body) + ["\(indent)}"]
    case .doWhile(let body, let condition):
      return ["\(indent)do {"] + inner(body) + ["\(indent)} while (\(condition));"]
    case .selection(let selector, let cases):
      var lines = ["\(indent)switch (\(selector)) {"]
      for entry in cases {
        for value in entry.values {
          lines.append(value.map { "\(indent)case \($0):" } ?? "\(indent)default:")
        }
        lines[lines.count - 1] += " {"
        lines += inner(entry.body) + (entry.fallsThrough ? [] : ["\(indent)  break;"])
        lines.append("\(indent)}")
      }
      return lines + ["\(indent)}"]
    case .breakOut: return ["\(indent)break;"]
    case .continueLoop: return ["\(indent)continue;"]
    case .label(let name): return ["\(indent)\(name):;"]
    case .jump(let name): return ["\(indent)goto \(name);"]
    case .returnValue(let value): return ["\(indent)return\(value.map { " \($0)" } ?? "");"]
    }
  }
}

extension [OpenCLStatement] {
  /// The texts, when all are expressions, which can stand in the head of a loop; else nil.
  var expressions: [String]? {
    var texts: [String] = []
    for statement in self {
      guard case .expression(let text) = statement else { return nil }
      texts.append(text)
    }
    return texts
  }

  /// Whether a `continue` for the loop that directly encloses these statements is among them.
  var containsContinue: Bool {
    contains { statement in
      switch statement {
      case .continueLoop: true
      case .conditional(_, let then, let otherwise): then.containsContinue || otherwise.containsContinue
      case .selection(_, let cases): cases.contains { $0.body.containsContinue }
      default: false
      }
    }
  }

  /// The statements with each `continue` of the directly enclosing loop replaced by a jump to `label`.
  func replacingContinue(by label: String) -> Self {
    map { statement in
      switch statement {
      case .continueLoop: .jump(label)
      case .conditional(let condition, let then, let otherwise):
        .conditional(
          condition, then: then.replacingContinue(by: label),
          otherwise: otherwise.replacingContinue(by: label))
      case .selection(let selector, let cases):
        .selection(
          selector,
          cases: cases.map { ($0.values, $0.body.replacingContinue(by: label), $0.fallsThrough) })
      default: statement
      }
    }
  }
}
