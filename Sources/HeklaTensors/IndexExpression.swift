/// A whole number computed from loop variables: a constant plus multiples of variables, quotients and remainders.
///
/// What movement operations do to coordinates. Quotients and remainders (they come from reshapes) are removed
/// where the ranges of the variables allow it; what then has none left is affine.
public struct IndexExpression: Hashable, Sendable {
  /// A loop variable, in `0..<extent`.
  public struct Variable: Hashable, Sendable {
    /// Which variable.
    public let number: Int
    /// One more than its largest value.
    public let extent: Int

    /// Variable `number` over `0..<extent`.
    public init(_ number: Int, extent: Int) {
      self.number = number
      self.extent = extent
    }
  }

  /// What is multiplied and added.
  public indirect enum Atom: Hashable, Sendable {
    /// A loop variable.
    case variable(Variable)
    /// An expression divided by a positive number, rounded down.
    case quotient(IndexExpression, Int)
    /// The remainder of the same, never negative.
    case remainder(IndexExpression, Int)
  }

  /// The constant part.
  public private(set) var constant: Int
  /// The factor of each atom; none is 0.
  public private(set) var terms: [Atom: Int]

  /// The number `constant`.
  public init(_ constant: Int) {
    self.constant = constant
    terms = [:]
  }

  /// The variable itself; 0 when its extent is 1.
  public init(_ variable: Variable) {
    constant = 0
    terms = variable.extent == 1 ? [:] : [.variable(variable): 1]
  }

  private init(atom: Atom) {
    constant = 0
    terms = [atom: 1]
  }

  /// The sum.
  public static func + (left: IndexExpression, right: IndexExpression) -> IndexExpression {
    var result = left
    result.constant += right.constant
    for (atom, factor) in right.terms {
      let sum = (result.terms[atom] ?? 0) + factor
      result.terms[atom] = sum == 0 ? nil : sum
    }
    return result
  }

  /// The product with a number.
  public static func * (left: IndexExpression, factor: Int) -> IndexExpression {
    guard factor != 0 else { return IndexExpression(0) }
    var result = left
    result.constant *= factor
    result.terms = left.terms.mapValues { $0 * factor }
    return result
  }

  /// The sum with a number.
  public static func + (left: IndexExpression, number: Int) -> IndexExpression {
    left + IndexExpression(number)
  }

  /// The least and the greatest value it can take.
  public var range: ClosedRange<Int> {
    var (lower, upper) = (constant, constant)
    for (atom, factor) in terms {
      let range = atom.range
      lower += factor * (factor > 0 ? range.lowerBound : range.upperBound)
      upper += factor * (factor > 0 ? range.upperBound : range.lowerBound)
    }
    return lower...max(lower, upper)
  }

  /// The quotient by a positive number, rounded down.
  public func divided(by divisor: Int) -> IndexExpression {
    guard divisor != 1 else { return self }
    let (whole, rest) = split(by: divisor)
    let range = rest.range
    if floorDivide(range.lowerBound, divisor) == floorDivide(range.upperBound, divisor) {
      return whole + floorDivide(range.lowerBound, divisor)
    }
    // (a / b) / c is a / (b * c).
    if rest.constant == 0, rest.terms.count == 1, let (atom, factor) = rest.terms.first, factor == 1,
      case .quotient(let inner, let first) = atom
    {
      return whole + inner.divided(by: first * divisor)
    }
    return whole + IndexExpression(atom: .quotient(rest, divisor))
  }

  /// The remainder of division by a positive number, never negative.
  public func remainder(by divisor: Int) -> IndexExpression {
    guard divisor != 1 else { return IndexExpression(0) }
    let rest = split(by: divisor).rest
    let range = rest.range
    let quotient = floorDivide(range.lowerBound, divisor)
    if quotient == floorDivide(range.upperBound, divisor) { return rest + -quotient * divisor }
    return IndexExpression(atom: .remainder(rest, divisor))
  }

  /// This expression as `divisor * whole + rest`, with as much as possible in `whole`.
  private func split(by divisor: Int) -> (whole: IndexExpression, rest: IndexExpression) {
    var whole = IndexExpression(floorDivide(constant, divisor))
    var rest = IndexExpression(constant - whole.constant * divisor)
    for (atom, factor) in terms {
      if factor % divisor == 0 { whole.terms[atom] = factor / divisor } else { rest.terms[atom] = factor }
    }
    return (whole, rest)
  }

  /// Whether no quotient or remainder is left.
  public var isAffine: Bool {
    terms.keys.allSatisfy { if case .variable = $0 { true } else { false } }
  }

  /// The factor of each variable, by number; nil when the expression is not affine.
  public var factors: [Int: Int]? {
    var result: [Int: Int] = [:]
    for (atom, factor) in terms {
      guard case .variable(let variable) = atom else { return nil }
      result[variable.number] = factor
    }
    return result
  }

  /// The expression with variables replaced, simplified again with the ranges of the new ones.
  public func substituting(_ replacement: (Variable) -> IndexExpression) -> IndexExpression {
    var result = IndexExpression(constant)
    for (atom, factor) in terms {
      switch atom {
      case .variable(let variable): result = result + replacement(variable) * factor
      case .quotient(let inner, let divisor):
        result = result + inner.substituting(replacement).divided(by: divisor) * factor
      case .remainder(let inner, let divisor):
        result = result + inner.substituting(replacement).remainder(by: divisor) * factor
      }
    }
    return result
  }

  /// A variable and a factor of its extent such that splitting the variable there removes a quotient or
  /// remainder; nil when the expression is affine or no split helps.
  public var usefulSplit: (variable: Variable, innerExtent: Int)? {
    for atom in terms.keys.sorted(by: { $0.description < $1.description }) {
      let (inner, divisor): (IndexExpression, Int)
      switch atom {
      case .variable: continue
      case .quotient(let expression, let number), .remainder(let expression, let number):
        (inner, divisor) = (expression, number)
      }
      if let deeper = inner.usefulSplit { return deeper }
      for (atom, factor) in inner.terms.sorted(by: { $0.key.description < $1.key.description }) {
        guard case .variable(let variable) = atom, factor > 0, divisor % factor == 0 else { continue }
        let innerExtent = divisor / factor
        if innerExtent > 1, innerExtent < variable.extent, variable.extent % innerExtent == 0 {
          return (variable, innerExtent)
        }
      }
    }
    return nil
  }
}

extension IndexExpression: CustomStringConvertible {
  /// The expression as a person writes it; the same text for equal expressions.
  public var description: String {
    let parts = terms.map { atom, factor in factor == 1 ? atom.description : "\(factor)*\(atom.description)" }
      .sorted()
    return (parts + (constant != 0 || parts.isEmpty ? ["\(constant)"] : [])).joined(separator: " + ")
  }
}

extension IndexExpression.Atom: CustomStringConvertible {
  /// The atom as a person writes it.
  public var description: String {
    switch self {
    case .variable(let variable): "v\(variable.number)"
    case .quotient(let inner, let divisor): "(\(inner)) / \(divisor)"
    case .remainder(let inner, let divisor): "(\(inner)) % \(divisor)"
    }
  }

  /// The least and the greatest value it can take.
  public var range: ClosedRange<Int> {
    switch self {
    case .variable(let variable): 0...max(variable.extent - 1, 0)
    case .quotient(let inner, let divisor):
      floorDivide(inner.range.lowerBound, divisor)...floorDivide(inner.range.upperBound, divisor)
    case .remainder(_, let divisor): 0...(divisor - 1)
    }
  }
}

/// `dividend / divisor` rounded down, for a positive divisor.
private func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
  dividend >= 0 ? dividend / divisor : -((-dividend + divisor - 1) / divisor)
}
