import HeklaArrays
import HeklaTensors

/// Operations on single elements, and those that move them.
extension RandomGraph {
  mutating func elementwise() -> Tensor {
    switch random.below(8) {
    case 0, 1, 2: unary(some())
    case 3, 4: binary()
    case 5: chosen(some())
    case 6: wholeNumbers()
    default: Tensor.uniform(shape(), key: RandomKey(seed: seed).folded(in: UInt64(pool.count)))
    }
  }

  mutating func unary(_ x: Tensor) -> Tensor {
    switch random.below(16) {
    case 0: x.tanh()
    case 1: x.map { 0.25 * .exp($0) }
    case 2: x.map { 0.5 * $0 * $0 }
    case 3: kinked(x).relu()
    case 4: kinked(x).absolute()
    case 5: x.map { .sin($0) }
    case 6: x.sigmoid() - 0.5
    case 7: x.map { .cos($0) }
    case 8: x.erf() * 0.5
    case 9: x.expm1() * 0.25
    case 10: x.map { .log1p($0 * $0) * 0.5 }
    case 11: x.map { .sqrt($0 * $0 + 1) * 0.5 }
    case 12: x.map { .reciprocalSquareRoot($0 * $0 + 1) }
    case 13: kinked(x).clamped(to: -0.5...0.75)
    case 14: kinked(x).filled(with: 0.5, where: leaf(x.shape) .< 0)
    default: 0.5 - x * 0.5
    }
  }

  private mutating func binary() -> Tensor {
    let x = some()
    let partners = pool.filter { x.shape.broadcast(with: $0.shape) != nil }
    let y = partners[random.below(partners.count)]
    return switch random.below(7) {
    case 0: (x + y) * 0.5
    case 1: (x - y) * 0.5
    case 2: x * y * 0.5
    case 3: x / (y.squared() + 2)
    case 4: Tensor.minimum(kinked(x), kinked(y))
    case 5: Tensor.logAddExp(x, y) * 0.5
    default: Tensor.maximum(kinked(x), kinked(y))
    }
  }

  /// A choice that rounding cannot turn: by numbers that were given.
  private mutating func chosen(_ x: Tensor) -> Tensor {
    let condition = leaf(x.shape) .< .full([], 0.25)
    return .select(condition, x, random.oneIn(2) ? -x : factor(x.shape))
  }

  /// Whole numbers, which are the same everywhere, brought to fractions in the end.
  private mutating func wholeNumbers() -> Tensor {
    let extents = shape()
    func given() -> Tensor {
      Tensor((0..<extents.count).map { _ in Int32(random.below(201)) - 100 }, shape: extents)
    }
    var x = given()
    for _ in 0..<3 {
      let y = given()
      switch random.below(10) {
      case 0: x = x * y + 3
      case 1: x = .maximum(x, y) - .minimum(x, -y)
      case 2: x = .bitXor(x, y)
      case 3: x = .bitAnd(x, y) + .bitOr(x, y)
      case 4: x = x.shiftedRight(by: 1 + random.below(4))
      case 5: x = x % y.map { .absolute($0) + 1 }
      case 6: x = .select((x .< y) .| (x .== 7.0), x, y)
      case 7 where x.rank > 0: x = x.cumulativeSum(along: random.below(x.rank))
      case 8 where x.rank > 0: x = x.sorted(along: random.below(x.rank), descending: random.oneIn(2))
      default: x = x / y.map { .absolute($0) + 1 }
      }
    }
    return Tensor.floorRemainder(x, .full(x.shape, 17, .int32)).converted(to: .float32) / 17
  }

  // MARK: Movement

  mutating func movement() -> Tensor {
    let x = withAxis()
    let axis = random.below(x.rank)
    return switch random.below(16) {
    case 0: reshaped(x)
    case 1: permuted(x)
    case 2: sliced(x)
    case 3: padded(x)
    case 4: flipped(x)
    case 5: concatenated(x)
    case 6: x.broadcast(to: Shape([2 + random.below(2)] + x.shape.extents.map { $0 == 1 ? 3 : $0 }))
    case 7: x.rolled(by: random.below(7) - 3, along: axis)
    case 8: x.tiled(x.shape.extents.map { _ in 1 + random.below(2) })
    case 9: x.repeated(2, along: axis)
    case 10: bordered(x, axis)
    case 11: x.movingAxis(axis, to: random.below(x.rank))
    case 12: .stacking(x.chunks(of: 1, along: axis).map { unary($0) }, along: 0)
    case 13: inTriangle(x)
    case 14: x.sliced(from: Tensor([Int32(random.below(3))], shape: []), extent: 1, along: axis)
    default: narrow(axis)
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

  private mutating func bordered(_ x: Tensor, _ axis: Int) -> Tensor {
    var (before, after) = ([Int](repeating: 0, count: x.rank), [Int](repeating: 0, count: x.rank))
    let widest = min(x.shape[axis] - 1, 2)
    (before[axis], after[axis]) = (random.below(widest + 1), random.below(widest + 1))
    let borders: [Tensor.Border] = [.reflection, .replication, .circular]
    return x.padded(before: before, after: after, with: borders[random.below(3)])
  }

  private mutating func flipped(_ x: Tensor) -> Tensor {
    x.flipped(along: (0..<x.rank).filter { _ in random.oneIn(2) })
  }

  private mutating func concatenated(_ x: Tensor) -> Tensor {
    let axis = random.below(x.rank)
    let parts = (0...random.below(2)).map { _ in
      random.oneIn(2) ? unary(x) : x.sliced(random.below(x.shape[axis])..<x.shape[axis], along: axis)
    }
    return .concatenating([x] + parts, along: axis)
  }

  private mutating func inTriangle(_ x: Tensor) -> Tensor {
    guard x.rank >= 2 else { return x.embeddedAsDiagonal(random.below(3) - 1) }
    return switch random.below(3) {
    case 0: x.lowerTriangle(diagonal: random.below(3) - 1)
    case 1: x.upperTriangle(diagonal: random.below(3) - 1)
    default: x.diagonal()
    }
  }

  /// A passage through memory of 16-bit numbers: multiples of 2^-7, which float16 and bfloat16 hold exactly, moved
  /// and halved there.
  private mutating func narrow(_ axis: Int) -> Tensor {
    guard !narrowTypes.isEmpty else { return leaf(shape()) }
    let type = narrowTypes[random.below(narrowTypes.count)]
    let extents = Shape([1 + random.below(6), 1 + random.below(5)])
    let numbers = (0..<extents.count).map { _ in Float(random.below(257) - 128) / 128 }
    let stored = (Tensor(numbers, shape: extents) * 1).converted(to: type)
    let moved: Tensor =
      switch random.below(4) {
      case 0: permuted(stored)
      case 1: stored.gathered(at: indices(3, below: extents[0]))
      case 2: .concatenating([stored, stored.flipped(along: [0])], along: 1)
      default: padded(stored)
      }
    return (moved * 0.5).converted(to: .float32)
  }
}
