/// A piece of OpenCL C that has a value.
struct OpenCLExpression {
  /// How tightly the outermost operator binds, from C's grammar.
  enum Precedence: Int, Comparable {
    case conditional, logicalOr, logicalAnd, or, xor, and, equality, relational, shift, sum, product, prefix
    case postfix, atom

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// A place in memory that may change between two instructions.
  enum Region: Hashable {
    /// A variable of the invocation, or of the workgroup, by id.
    case variable(UInt32)
    /// All storage buffers, as two of them may be the same memory.
    case buffers
  }

  /// The text.
  var text: String
  /// How tightly it binds.
  var precedence: Precedence
  /// Its type, when that is a scalar or vector.
  var type: NumericType?
  /// The memory it reads.
  var regions: Set<Region> = []
  /// The text before a cast between signed and unsigned, so that casting back is no second cast.
  var uncast: (text: String, precedence: Precedence, type: NumericType)?

  /// `text`, which is a name, a call or a literal.
  init(_ text: String, _ type: NumericType?, precedence: Precedence = .atom, regions: Set<Region> = []) {
    self.text = text
    self.type = type
    self.precedence = precedence
    self.regions = regions
  }

  /// The text, in parentheses unless it binds at least as tightly as `least`.
  func text(atLeast least: Precedence) -> String { precedence >= least ? text : "(\(text))" }

  /// The same value as an integer of other signedness, or of a type of as many bits.
  func reinterpreted(as target: NumericType) -> Self {
    guard let type, type != target else { return self }
    if let uncast, uncast.type == target {
      return Self(uncast.text, target, precedence: uncast.precedence, regions: regions)
    }
    var result: Self
    if type.kind == .signed, target.kind == .unsigned, target == .init(kind: .unsigned, width: 32),
      precedence == .atom, Int(text) != nil
    {
      result = Self("\(text)u", target)
    } else if type.name == target.name {
      result = Self(text, target, precedence: precedence, regions: regions)
    } else if type.isInteger, target.isInteger, type.count == 1, target.count == 1, type.width == target.width
    {
      result = Self(
        "(\(target.name))\(self.text(atLeast: .prefix))", target, precedence: .prefix, regions: regions)
    } else {
      result = Self("as_\(target.name)(\(text))", target, regions: regions)
    }
    result.uncast = (text, precedence, type)
    return result
  }

  /// `left operator right`, with parentheses where C needs them or where people misread it without.
  static func binary(
    _ symbol: String, _ precedence: Precedence, _ left: Self, _ right: Self, type: NumericType?
  ) -> Self {
    // Shifts, bits and comparisons mixed with other operators are what -Wparentheses warns of.
    let arithmetic = precedence == .sum || precedence == .product
    let least: Precedence = arithmetic ? precedence : precedence <= .logicalAnd ? .equality : .sum
    let tight = arithmetic ? Precedence(rawValue: precedence.rawValue + 1) ?? .atom : least
    return Self(
      "\(left.text(atLeast: least)) \(symbol) \(right.text(atLeast: tight))", type, precedence: precedence,
      regions: left.regions.union(right.regions))
  }

  /// `name(arguments)`.
  static func call(_ name: String, _ arguments: [Self], type: NumericType?) -> Self {
    Self(
      "\(name)(\(arguments.map(\.text).joined(separator: ", ")))", type,
      regions: arguments.reduce(into: []) { $0.formUnion($1.regions) })
  }
}
