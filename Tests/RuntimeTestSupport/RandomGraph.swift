import Foundation
import HeklaArrays
import HeklaTensors
import TestSupport

/// A computation made at random, of all of `Tensor`'s operations, that is the same for the same seed.
///
/// Every value lies in -1...1, and no operation spreads two close inputs apart: products are halved, sums become
/// means. So rounding errors add up along a path and do not grow, and one absolute bound serves for all results:
/// a path of at most 24 operations, each off by at most 150 half-units of float32 (a mean of some hundred
/// elements, or a function as loose as Vulkan's), gives 24 * 150 * 2^-24 = 2.2e-4.
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
  private var pool: [Tensor] = []
  private var random: RandomNumbers
  private let seed: UInt64

  /// The graph of `seed`, of about `size` operations.
  public init(seed: UInt64, size: Int = 14, hasGradients: Bool = true) {
    self.seed = seed
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

  private mutating func shape() -> Shape {
    Shape((0..<random.below(5)).map { _ in [1, 2, 3, 4, 6][random.below(5)] })
  }

  private mutating func leaf(_ shape: Shape) -> Tensor {
    let numbers = (0..<shape.count).map { _ in Float(random.real(in: -1...1)) }
    return Tensor(numbers, shape: shape)
  }

  private mutating func some() -> Tensor { pool[random.below(pool.count)] }

  /// Something with at least one axis.
  private mutating func withAxis() -> Tensor {
    let x = some()
    return x.rank > 0 ? x : x.reshaped(to: [1])
  }

  private mutating func operation() -> Tensor {
    switch random.below(20) {
    case 0, 1: return unary(some())
    case 2, 3: return binary()
    case 4: return reshaped(some())
    case 5: return permuted(some())
    case 6: return sliced(withAxis())
    case 7: return padded(withAxis())
    case 8: return flipped(withAxis())
    case 9: return concatenated()
    case 10: return broadcast(some())
    case 11, 12: return reduced(withAxis())
    case 13: return withAxis().softmax(along: -1)
    case 14: return product()
    case 15: return gathered(withAxis())
    case 16: return scattered(withAxis())
    case 17: return chosen(some())
    case 18: return Tensor.uniform(shape(), key: RandomKey(seed: seed).folded(in: UInt64(pool.count)))
    default: return positions(withAxis())
    }
  }

  private mutating func unary(_ x: Tensor) -> Tensor {
    switch random.below(8) {
    case 0: x.tanh()
    case 1: x.map { 0.25 * .exp($0) }
    case 2: x.map { 0.5 * $0 * $0 }
    case 3: x.relu()
    case 4: x.absolute()
    case 5: x.map { .sin($0) }
    case 6: x.sigmoid() - 0.5
    default: 0.5 - x * 0.5
    }
  }

  private mutating func binary() -> Tensor {
    let x = some()
    let partners = pool.filter { x.shape.broadcast(with: $0.shape) != nil }
    let y = partners[random.below(partners.count)]
    return switch random.below(5) {
    case 0: (x + y) * 0.5
    case 1: (x - y) * 0.5
    case 2: x * y * 0.5
    case 3: x / (y.squared() + 2)
    default: .map(x, y) { .maximum($0, $1) }
    }
  }

  private mutating func reshaped(_ x: Tensor) -> Tensor {
    var extents: [Int] = []
    var rest = x.shape.count
    while rest > 1 && extents.count < 3 {
      let factors = (2...rest).filter { rest % $0 == 0 && $0 <= 12 }
      guard !factors.isEmpty else { break }
      extents.append(factors[random.below(factors.count)])
      rest /= extents[extents.count - 1]
    }
    return x.reshaped(to: extents + (rest > 1 || random.oneIn(3) ? [rest] : []))
  }

  private mutating func permuted(_ x: Tensor) -> Tensor {
    x.permuted(Array(0..<x.rank).shuffled(using: &random))
  }

  private mutating func sliced(_ x: Tensor) -> Tensor {
    var (starts, extents, steps): ([Int], [Int], [Int]) = ([], [], [])
    for extent in x.shape.extents {
      let start = random.below(extent)
      let step = 1 + random.below(3)
      starts.append(start)
      steps.append(step)
      extents.append(1 + random.below((extent - start + step - 1) / step))
    }
    return x.sliced(starts: starts, extents: extents, steps: steps)
  }

  private mutating func padded(_ x: Tensor) -> Tensor {
    let before = x.shape.extents.map { _ in random.below(3) }
    let after = x.shape.extents.map { _ in random.below(3) }
    return x.padded(before: before, after: after, with: [0, 0, 0.5][random.below(3)])
  }

  private mutating func flipped(_ x: Tensor) -> Tensor {
    x.flipped(along: (0..<x.rank).filter { _ in random.oneIn(2) })
  }

  private mutating func concatenated() -> Tensor {
    let x = withAxis()
    let axis = random.below(x.rank)
    let parts = (0...random.below(2)).map { _ in
      random.oneIn(2) ? unary(x) : x.sliced(random.below(x.shape[axis])..<x.shape[axis], along: axis)
    }
    return .concatenating([x] + parts, along: axis)
  }

  private mutating func broadcast(_ x: Tensor) -> Tensor {
    x.broadcast(to: Shape([2 + random.below(2)] + x.shape.extents.map { $0 == 1 ? 3 : $0 }))
  }

  private mutating func reduced(_ x: Tensor) -> Tensor {
    let axis = random.below(x.rank)
    let keeps = random.oneIn(2)
    return switch random.below(6) {
    case 0: x.mean()
    case 1: x.mean(along: axis, keepingAxes: keeps)
    case 2: x.maximum(along: axis, keepingAxes: keeps)
    case 3: x.minimum(along: axis, keepingAxes: keeps)
    case 4: x.product(along: axis, keepingAxes: keeps)
    default: x.variance(along: axis, keepingAxes: keeps)
    }
  }

  private mutating func product() -> Tensor {
    let x = withAxis()
    let left = x.rank == 1 ? x.expanded(at: 0) : x
    let right = leaf([left.shape[-1], 1 + random.below(5)])
    let isTransposed = random.oneIn(2)
    let factor = isTransposed ? right.transposed().copied.transposed() : right
    return left.matrixProduct(factor) * (0.5 / Double(left.shape[-1]))
  }

  private mutating func indices(_ count: Int, below bound: Int) -> Tensor {
    Tensor((0..<count).map { _ in Int32(random.below(bound)) })
  }

  private mutating func gathered(_ x: Tensor) -> Tensor {
    x.gathered(at: indices(1 + random.below(5), below: x.shape[0]))
  }

  private mutating func scattered(_ x: Tensor) -> Tensor {
    let scale = 1 / Double(x.shape[0])
    return .scatterSum(x, at: indices(x.shape[0], below: 4), rows: 4) * scale
  }

  /// A choice that rounding cannot turn: by numbers that were given.
  private mutating func chosen(_ x: Tensor) -> Tensor {
    let condition = leaf(x.shape) .< .full([], 0.25)
    return .select(condition, x, -x)
  }

  /// Positions of extrema among numbers that were given, as fractions.
  private mutating func positions(_ x: Tensor) -> Tensor {
    let axis = random.below(x.rank)
    let given = leaf(x.shape)
    let found = random.oneIn(2) ? given.argumentMaximum(along: axis) : given.argumentMinimum(along: axis)
    return found.converted(to: .float32) / Double(x.shape[axis])
  }
}
