import HeklaArrays

/// An expression over numbered inputs: what an elementwise operation does at one point.
///
/// From one expression come the value on the host, the kernel's text, and the derivative; fusing two
/// operations is substituting one expression into the other. A value that shares its subexpressions, so
/// copying is cheap and nothing is computed twice.
///
/// ```swift
/// let gelu = x.map { x in 0.5 * x * (1 + .tanh(0.7978846 * (x + 0.044715 * x * x * x))) }
/// ```
public struct Scalar: Sendable {
  /// What an expression is made of.
  public indirect enum Form: Sendable {
    /// The value of input `i`.
    case input(Int)
    /// A number.
    case constant(Double)
    /// The coordinate along axis `i` of the point at which the expression is evaluated, an `int32`.
    case coordinate(Int)
    /// An operation on subexpressions.
    case apply(ScalarOperation, [Scalar])
  }

  /// One shared vertex of the expression.
  final class Vertex: Sendable {
    let form: Form
    let type: ElementType
    /// A literal takes the type of what it is combined with.
    let isLiteral: Bool

    init(_ form: Form, type: ElementType, isLiteral: Bool = false) {
      self.form = form
      self.type = type
      self.isLiteral = isLiteral
    }
  }

  let vertex: Vertex

  /// What the expression is made of at its root.
  public var form: Form { vertex.form }

  /// The type of the expression's value.
  public var type: ElementType { vertex.type }

  /// A key that is the same for two values that share one root.
  public var identity: ObjectIdentifier { ObjectIdentifier(vertex) }

  /// The value of input `index`.
  public static func input(_ index: Int, _ type: ElementType = .float32) -> Scalar {
    Scalar(vertex: Vertex(.input(index), type: type.computed))
  }

  /// The number `value`.
  public static func constant(_ value: Double, _ type: ElementType = .float32) -> Scalar {
    Scalar(vertex: Vertex(.constant(value), type: type.computed))
  }

  /// The point's coordinate along `axis`, an `int32`.
  public static func coordinate(_ axis: Int) -> Scalar {
    Scalar(vertex: Vertex(.coordinate(axis), type: .int32))
  }

  /// `operation` on `operands`, with constants folded and identities (x * 1, x - 0, ...) removed.
  /// - Parameters:
  ///   - operation: What is done.
  ///   - operands: As many as the operation takes; literals take the type of the others.
  ///   - type: The result's type, for conversions; nil for what follows from the operands.
  public static func apply(_ operation: ScalarOperation, _ operands: [Scalar], type: ElementType? = nil)
    -> Scalar
  {
    require(
      operands.count == operation.arity,
      "\(operation.rawValue) takes \(operation.arity) operands, not \(operands.count)")
    let operands = unified(operands, for: operation)
    let result = type?.computed ?? resultType(of: operation, operands)
    if let simpler = simplified(operation, operands, type: result) { return simpler }
    return Scalar(vertex: Vertex(.apply(operation, operands), type: result))
  }

  /// The number that the expression is, if it is a constant.
  public var constantValue: Double? {
    if case .constant(let value) = form { value } else { nil }
  }

  /// Gives literals among `operands` the type of the others.
  private static func unified(_ operands: [Scalar], for operation: ScalarOperation) -> [Scalar] {
    let fixedCount = operation == .select ? 1 : 0
    let values = operands[fixedCount...]
    guard values.count > 1, let typed = values.first(where: { !$0.vertex.isLiteral })?.type else {
      return operands
    }
    let unifiedValues = values.map { value in
      guard value.vertex.isLiteral, let number = value.constantValue else { return value }
      require(
        typed.isFloating || number.rounded() == number,
        "\(operation.rawValue) on \(typed) and \(number), which is no whole number: convert with converted(to:) first"
      )
      return constant(number, typed)
    }
    let types = Set(unifiedValues.map(\.type))
    require(
      types.count == 1 || operation == .convert,
      "\(operation.rawValue) on \(unifiedValues.map(\.type.description).joined(separator: " and ")): "
        + "the operands have different types; convert one with converted(to:)")
    return Array(operands[..<fixedCount]) + unifiedValues
  }

  private static func resultType(of operation: ScalarOperation, _ operands: [Scalar]) -> ElementType {
    switch operation {
    case .less, .lessOrEqual, .equal, .notEqual, .isNaN, .and, .or, .not: .bool
    case .threefryFirst, .threefrySecond: .uint32
    case .select: operands[1].type
    default: operands[0].type
    }
  }

  /// The expression with its inputs replaced; `replacements[i]` stands for input `i`.
  public func substituting(inputs replacements: [Scalar]) -> Scalar {
    var done: [ObjectIdentifier: Scalar] = [:]
    return rewritten(&done) { form in
      if case .input(let index) = form { replacements[index] } else { nil }
    }
  }

  /// The expression with leaves replaced by what `replacement` gives for them, nil leaving one as it is.
  public func substituting(_ replacement: (Form) -> Scalar?) -> Scalar {
    var done: [ObjectIdentifier: Scalar] = [:]
    return rewritten(&done, replacement)
  }

  private func rewritten(_ done: inout [ObjectIdentifier: Scalar], _ replacement: (Form) -> Scalar?) -> Scalar
  {
    if let known = done[identity] { return known }
    let result: Scalar
    if case .apply(let operation, let operands) = form {
      result = .apply(operation, operands.map { $0.rewritten(&done, replacement) }, type: type)
    } else {
      result = replacement(form) ?? self
    }
    done[identity] = result
    return result
  }

  /// A rough number of elementary steps for one evaluation, shared subexpressions counted once.
  public var cost: Int {
    var seen: Set<ObjectIdentifier> = []
    func visit(_ scalar: Scalar) -> Int {
      guard case .apply(let operation, let operands) = scalar.form, seen.insert(scalar.identity).inserted
      else {
        return 0
      }
      return operation.cost + operands.reduce(0) { $0 + visit($1) }
    }
    return visit(self)
  }
}

extension Scalar: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// A number whose type follows from what it is combined with, `float32` when nothing says.
  public init(floatLiteral value: Double) {
    vertex = Vertex(.constant(value), type: .float32, isLiteral: true)
  }

  /// A number whose type follows from what it is combined with, `float32` when nothing says.
  public init(integerLiteral value: Int) {
    vertex = Vertex(.constant(Double(value)), type: .float32, isLiteral: true)
  }

  /// A number whose type follows from what it is combined with, `float32` when nothing says.
  public init(_ value: Double) { self.init(floatLiteral: value) }
}

extension Scalar: CustomStringConvertible {
  /// The expression, one step per shared subexpression: `x0; 2; multiply(0, 1)`. Equal text means equal expressions.
  public var description: String {
    var numbers: [String: Int] = [:]
    var known: [ObjectIdentifier: Int] = [:]
    var steps: [String] = []
    func visit(_ scalar: Scalar) -> Int {
      if let number = known[scalar.identity] { return number }
      let text: String
      switch scalar.form {
      case .input(let index): text = "x\(index):\(scalar.type)"
      case .constant(let value): text = "\(value):\(scalar.type)"
      case .coordinate(let axis): text = "i\(axis)"
      case .apply(let operation, let operands):
        let arguments = operands.map { String(visit($0)) }.joined(separator: ", ")
        text = "\(operation.rawValue)(\(arguments)):\(scalar.type)"
      }
      let number = numbers[text] ?? steps.count
      if number == steps.count {
        steps.append(text)
        numbers[text] = number
      }
      known[scalar.identity] = number
      return number
    }
    _ = visit(self)
    return steps.joined(separator: "; ")
  }
}

extension ElementType {
  /// The type that kernels compute with after loading this one: narrow floats widen to `float32`, `uint8` to `uint32`.
  public var computed: ElementType {
    switch self {
    case .float16, .bfloat16: .float32
    case .uint8: .uint32
    default: self
    }
  }
}

extension ScalarOperation {
  /// A rough number of elementary steps: 1 for what is one instruction, more for what is a polynomial.
  public var cost: Int {
    switch self {
    case .exp, .expm1, .log, .log1p, .sin, .cos, .tan, .tanh, .asin, .acos, .atan, .sinh, .cosh, .erf: 12
    case .power, .atan2: 24
    case .threefryFirst, .threefrySecond: 60
    case .divide, .remainder, .sqrt, .reciprocalSquareRoot: 4
    default: 1
    }
  }
}

extension Scalar {
  /// Whether the value depends on the coordinate along `axis`.
  public func usesCoordinate(_ axis: Int) -> Bool {
    var seen: Set<ObjectIdentifier> = []
    func visit(_ scalar: Scalar) -> Bool {
      switch scalar.form {
      case .coordinate(let other): other == axis
      case .apply(_, let operands): seen.insert(scalar.identity).inserted && operands.contains(where: visit)
      default: false
      }
    }
    return visit(self)
  }

  /// The numbers of the inputs that the value depends on.
  var inputs: Set<Int> {
    var seen: Set<ObjectIdentifier> = []
    var found: Set<Int> = []
    func visit(_ scalar: Scalar) {
      switch scalar.form {
      case .input(let index): found.insert(index)
      case .apply(_, let operands): if seen.insert(scalar.identity).inserted { operands.forEach(visit) }
      default: break
      }
    }
    visit(self)
    return found
  }
}
