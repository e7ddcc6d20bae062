import HeklaArrays
import HeklaDevices

/// An operation that is not elementwise: everything about it in one file.
///
/// A conforming type cannot leave anything out: without shape rule, gradient, reference, lowering and samples it
/// does not compile. The samples feed the conformance suite, the gradient checks, `gpubench` and the documentation.
public protocol Primitive: Sendable {
  /// What messages, plans and benchmarks call the operation, in kebab case.
  var name: String { get }

  /// Everything but the inputs that the result depends on, as text: equal name, attributes and inputs, equal result.
  var attributes: String { get }

  /// The result's shape and type; stops the program, naming the operation and the shapes, when inputs do not fit.
  func signature(of inputs: [Signature]) -> Signature

  /// How much the loss changes with each input, given how much it changes with the output.
  ///
  /// Written with `Tensor`'s own vocabulary, so that it can be differentiated again.
  /// - Returns: One entry per input, of the input's shape; nil where nothing flows.
  func gradient(_ context: GradientContext) -> [Tensor?]

  /// The result in float64 and whole numbers, by the shortest loops that say what the operation means.
  ///
  /// Never optimized: every kernel on every device is held to it. Floating inputs come as `float64`.
  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray

  /// The shapes and types of further results, each of which `SecondaryOutput` makes a tensor of; most have none.
  func secondarySignatures(of inputs: [Signature]) -> [Signature]

  /// The further results, as `reference` gives the first.
  func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray]

  /// All results, the first and the further ones, where they are best computed together.
  func references(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray]

  /// How far a device's results may lie from the references at any extents; nil where only the samples say it, each for
  /// its own.
  func tolerance(of inputs: [Signature]) -> Sample.Tolerance?

  /// The inputs that hold indices: a step that checks indices looks at them before the operation's kernels run.
  ///
  /// The kernels themselves leave out what an index out of range names, and touch nothing outside their arrays; those
  /// of the host throw `DeviceError.indexOutOfRange` with the operation's name.
  func indexOperands(of inputs: [Signature]) -> [IndexOperand]

  /// How the operation becomes kernels.
  var lowering: Lowering { get }

  /// Whether its shaders pass each element of the result through `epilogue.glsl`, so that what follows elementwise can
  /// be computed there.
  var takesEpilogue: Bool { get }

  /// Whether its host kernel takes a further parameter 1, and before the result a further binding, for a row of numbers
  /// that it adds to every row of the result.
  var takesBias: Bool { get }

  /// The same operation on the arrays that lie behind permutations of some inputs' axes, which its kernels read as they
  /// are; nil where they read none so.
  /// - Parameter orders: The permutations by input: axis `i` of the input is axis `order[i]` of what lies behind.
  func absorbing(_ orders: [Int: [Int]]) -> PermutedForm?

  /// Floating-point operations of one evaluation, as textbooks count them: a multiplication and an addition are two.
  ///
  /// Nil where there is no such count, as of what moves or compares data. Profiles go by it.
  func operationCount(of inputs: [Signature]) -> Double?

  /// Cases to test and measure it by.
  static var samples: [Sample] { get }
}

extension Primitive {
  /// Nothing beyond the name.
  public var attributes: String { "" }

  /// None.
  public func secondarySignatures(of inputs: [Signature]) -> [Signature] { [] }

  /// None.
  public func secondaryReferences(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] { [] }

  /// The first result, then the others.
  public func references(_ inputs: [HostArray], signatures: [Signature]) -> [HostArray] {
    [reference(inputs, signature: signatures[0])]
      + secondaryReferences(inputs, signatures: Array(signatures.dropFirst()))
  }

  /// The samples say it.
  public func tolerance(of inputs: [Signature]) -> Sample.Tolerance? { nil }

  /// It does not.
  public var takesEpilogue: Bool { false }

  /// It does not.
  public var takesBias: Bool { false }

  /// None.
  public func absorbing(_ orders: [Int: [Int]]) -> PermutedForm? { nil }

  /// None.
  public func indexOperands(of inputs: [Signature]) -> [IndexOperand] { [] }

  /// None is known.
  public func operationCount(of inputs: [Signature]) -> Double? { nil }

  /// `operationCount(of:)` for inputs of these shapes in `float32`, as samples state it.
  func flops(_ inputs: Shape...) -> Int { Int(operationCount(of: inputs.map { Signature($0) }) ?? 0) }

  /// Where nothing flows through the operation.
  public func gradient(_ context: GradientContext) -> [Tensor?] { context.inputs.map { _ in nil } }
}

/// An operation on arrays that some of its inputs are permutations of.
public struct PermutedForm: Sendable {
  /// The operation.
  public let primitive: any Primitive
  /// The inputs that it takes from behind their permutation.
  public let inputs: Set<Int>
  /// The permutations that its results need to be those of the original operation: by position, 0 the first result, 1
  /// the first further one.
  public let results: [Int: [Int]]

  /// `primitive` with `inputs` from behind their permutations, whose results need those in `results`.
  public init(primitive: any Primitive, inputs: Set<Int>, results: [Int: [Int]]) {
    self.primitive = primitive
    self.inputs = inputs
    self.results = results
  }
}

/// What a gradient rule is given.
public struct GradientContext {
  /// The gradient of the loss with respect to the output; the output's shape.
  public let upstream: Tensor
  /// The same for further results, by position; those that the loss does not depend on are missing.
  public var secondaryUpstreams: [Int: Tensor] = [:]
  /// The operation's inputs.
  public let inputs: [Tensor]
  /// The operation's output.
  public let output: Tensor
}

/// How a primitive becomes kernels.
public enum Lowering: Sendable {
  /// It is data: a constant, an input, a parameter.
  case leaf
  /// The expression at each point, over the inputs at the same point.
  case map(Scalar)
  /// Each point takes an element from an input; see `MovementPiece`.
  case movement(@Sendable (_ point: [IndexExpression], _ inputs: [Shape]) -> Movement)
  /// The input folded along axes.
  case fold(Loop.Fold, axes: [Int])
  /// A further result of the only input, which that input's kernels write.
  case secondary(Int)
  /// Hand-written kernels; the first variant that applies is the default.
  case kernels([KernelVariant])
  /// The kernels of a body, launched again for each step.
  case repeated(Fold)
}

/// Where the elements of a moved tensor come from, as a function of the output's coordinates.
public struct Movement: Sendable {
  /// One source of elements.
  public struct Piece: Sendable {
    /// Which input.
    public let input: Int
    /// The input's coordinates.
    public let point: [IndexExpression]
    /// Where the piece applies: each expression within its bounds.
    public let conditions: [Condition]

    /// Element `point` of `input`, where `conditions` hold.
    public init(input: Int = 0, point: [IndexExpression], where conditions: [Condition] = []) {
      self.input = input
      self.point = point
      self.conditions = conditions
    }
  }

  /// `range` contains the value of `expression`.
  public struct Condition: Sendable, Hashable {
    /// What is compared.
    public let expression: IndexExpression
    /// The allowed values.
    public let range: Range<Int>

    /// `range` contains the value of `expression`.
    public init(_ expression: IndexExpression, in range: Range<Int>) {
      self.expression = expression
      self.range = range
    }

    /// Whether the variables' ranges alone make it true.
    public var alwaysHolds: Bool {
      let values = expression.range
      return range.lowerBound <= values.lowerBound && values.upperBound < range.upperBound
    }
  }

  /// The sources; the first that applies gives the element.
  public let pieces: [Piece]
  /// The element where none applies.
  public let fill: Double

  /// Elements from `pieces`, and `fill` elsewhere.
  public init(_ pieces: [Piece], fill: Double = 0) {
    self.pieces = pieces
    self.fill = fill
  }

  /// Every element from input 0, at `point`.
  public init(from point: [IndexExpression]) { self.init([Piece(point: point)]) }
}
