import Foundation
import HeklaArrays
import HeklaTensors
import TestSupport

/// A computation made at random, of all of `Tensor`'s operations, that is the same for the same seed.
///
/// Every value lies in -1...1, and no operation spreads two close inputs apart: products are halved, sums become
/// means, and what is bilinear or divides is scaled until its sensitivity to all of its inputs together is at most 1.
/// So rounding errors add up along a path and do not grow, and one absolute bound serves for all results: a path of
/// at most 24 operations, each off by at most 150 half-units of float32 (a mean of some hundred elements, or a
/// function as loose as Vulkan's), gives 24 * 150 * 2^-24 = 2.2e-4.
///
/// What jumps is asked only of numbers that are the same on every device, because rounding could turn it elsewhere:
/// positions, comparisons, rounding to narrow types (of numbers that these hold exactly), and the gradients of
/// extrema, of orders and at kinks. `isExact` says of which; elsewhere no gradient flows through such operations.
public struct RandomGraph: Sendable {
  /// How far a device's results may lie from the reference.
  public static let tolerance = 2.5e-4

  /// What `HEKLA_SEED` asks for alone, or `count` seeds from 0 on.
  public static func seeds(_ count: Int) -> [UInt64] {
    if let text = ProcessInfo.processInfo.environment["HEKLA_SEED"], let seed = UInt64(text) { return [seed] }
    return (0..<UInt64(count)).map { $0 }
  }

  /// What is computed, gradients included.
  public private(set) var outputs: [Tensor] = []
  /// What operations take their operands from.
  var pool: [Tensor] = []
  var random: RandomNumbers
  let seed: UInt64
  private let hasGradients: Bool
  /// The types that memory may hold besides `float32` and `int32`.
  let narrowTypes: [ElementType]

  /// The graph of `seed`, of about `size` operations.
  /// - Parameters:
  ///   - hasGradients: Whether gradients are computed too.
  ///   - storageTypes: What the devices hold in memory.
  public init(
    seed: UInt64, size: Int = 14, hasGradients: Bool = true,
    storageTypes: Set<ElementType> = Set(ElementType.allCases)
  ) {
    self.seed = seed
    self.hasGradients = hasGradients
    narrowTypes = [.float16, .bfloat16].filter(storageTypes.contains)
    random = RandomNumbers(seed: seed &+ 1_000_003)
    let leaves = (0..<3).map { _ in leaf(shape()) }
    pool = leaves
    for _ in 0..<size {
      let next = operation()
      if next.shape.count <= 400 { pool.append(next) }
    }
    outputs = Array(pool.suffix(3))
    if hasGradients {
      let loss = outputs.map { ($0 * leaf($0.shape)).sum() }.reduce(.zeros([]), +)
      outputs += gradients(of: loss, withRespectTo: Array(leaves.prefix(2))).map { $0.tanh() }
    }
  }

  private mutating func operation() -> Tensor {
    switch random.below(8) {
    case 0: elementwise()
    case 1, 2: movement()
    case 3: reduction()
    case 4: scan()
    case 5: linear()
    case 6: indexed()
    default: windowed()
    }
  }

  // MARK: Operands

  /// Extents of at most four axes.
  mutating func shape() -> Shape {
    Shape((0..<random.below(5)).map { _ in [1, 2, 3, 4, 6][random.below(5)] })
  }

  /// Numbers that are given.
  mutating func leaf(_ shape: Shape, in range: ClosedRange<Double> = -1...1) -> Tensor {
    let numbers = (0..<shape.count).map { _ in Float(random.real(in: range)) }
    return Tensor(numbers, shape: shape)
  }

  /// Something that was computed before.
  mutating func some() -> Tensor { pool[random.below(pool.count)] }

  /// Something with at least one axis.
  mutating func withAxis() -> Tensor {
    let x = some()
    return x.rank > 0 ? x : x.reshaped(to: [1])
  }

  /// Something of `shape`: numbers that are given, or elements of what was computed before, repeated as needed.
  mutating func factor(_ shape: Shape) -> Tensor {
    guard random.oneIn(2) else { return leaf(shape) }
    let x = some()
    let places = (0..<shape.count).map { Int32($0 % x.shape.count) }
    return x.reshaped(to: [x.shape.count]).gathered(at: Tensor(places)).reshaped(to: shape)
  }

  /// Indices that are given.
  mutating func indices(_ count: Int, below bound: Int) -> Tensor {
    Tensor((0..<count).map { _ in Int32(random.below(bound)) })
  }

  /// An argument of an operation with kinks or jumps in its derivative: no gradient flows where rounding could
  /// decide on which side it lies.
  func kinked(_ x: Tensor) -> Tensor { hasGradients && !Self.isExact(x) ? x.stoppingGradient() : x }

  /// Whether `x` has the same bits on every device: numbers that are given, moved, chosen or ordered.
  private static func isExact(_ x: Tensor) -> Bool {
    [x.node].withDependencies().allSatisfy { node in
      switch node.primitive.lowering {
      case .leaf, .movement, .secondary: true
      case .map(let expression): expression.constantValue != nil
      case .fold(let fold, _): fold == .maximum || fold == .minimum
      case .kernels: ["gather", "sort"].contains(node.primitive.name)
      case .repeated: false
      }
    }
  }
}
