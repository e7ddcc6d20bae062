import HeklaArrays

extension Tensor {
  /// A constant that holds the two words of `key`, `uint32` of shape `[2]`.
  public init(_ key: RandomKey) { self.init([key.words.x, key.words.y]) }

  /// Numbers uniform in `[low, high)`, the same on every device.
  /// - Parameters:
  ///   - shape: The result's extents.
  ///   - key: What the numbers are a function of.
  ///   - low: The least number.
  ///   - high: The bound above.
  public static func uniform(_ shape: Shape, key: RandomKey, from low: Double = 0, to high: Double = 1)
    -> Tensor
  {
    random(shape, key: Tensor(key)) { first, _ in uniform(first) * Scalar(high - low) + Scalar(low) }
  }

  /// Numbers of the normal distribution, by the Box-Muller transform: equal on every device up to rounding.
  public static func normal(
    _ shape: Shape, key: RandomKey, mean: Double = 0, standardDeviation: Double = 1
  ) -> Tensor {
    random(shape, key: Tensor(key)) { first, second in
      normal(first, second) * Scalar(standardDeviation) + Scalar(mean)
    }
  }

  /// Numbers uniform in `[0, 1)` from a key that is a tensor, so that a step can be given a new one at each run.
  /// - Parameters:
  ///   - shape: The extents.
  ///   - key: `uint32` of shape `[2]`.
  public static func uniform(_ shape: Shape, key: Tensor) -> Tensor {
    random(shape, key: key) { first, _ in uniform(first) }
  }

  /// Numbers of the standard normal distribution, from a key that is a tensor.
  /// - Parameters:
  ///   - shape: The extents.
  ///   - key: `uint32` of shape `[2]`.
  public static func normal(_ shape: Shape, key: Tensor) -> Tensor { random(shape, key: key, normal) }

  /// 24 bits as a number in `[0, 1)`.
  private static func uniform(_ word: Scalar) -> Scalar {
    Scalar.apply(.shiftRight, [word, .constant(8, .uint32)]).converted(to: .float32) * 0x1p-24
  }

  private static func normal(_ first: Scalar, _ second: Scalar) -> Scalar {
    // 1 - u lies in (0, 1], so the logarithm is finite.
    .sqrt(-2 * .log(1 - uniform(first))) * .cos(6.283_185_307_179_586 * uniform(second))
  }

  /// `body` of the two random words that Threefry gives for each element's row-major position.
  private static func random(_ shape: Shape, key: Tensor, _ body: (Scalar, Scalar) -> Scalar) -> Tensor {
    require(
      key.signature == Signature([2], .uint32), "random: the key is \(key.signature), not uint32[2]")
    require(shape.count <= 1 << 31, "random: \(shape) has more elements than a key gives numbers, 2^31")
    let words = (0..<2).map { key.sliced($0..<($0 + 1), along: 0).broadcast(toRandom: shape) }
    let position = zip(shape.strides, shape.extents.indices)
      .map { stride, axis in
        Scalar.coordinate(axis).converted(to: .uint32) * .constant(Double(stride), .uint32)
      }
      .reduce(Scalar.constant(0, .uint32), +)
    let block = [Scalar.input(0, .uint32), .input(1, .uint32), .constant(0, .uint32), position]
    return .elementwise(body(.apply(.threefryFirst, block), .apply(.threefrySecond, block)), words)
  }

  private func broadcast(toRandom shape: Shape) -> Tensor { reshaped(to: []).broadcast(to: shape) }
}
