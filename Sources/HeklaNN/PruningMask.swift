import HeklaArrays

/// Which weights of a network remain: an array of 1 and 0 for each layer, the m of f(x; m * theta).
///
/// Masks are chosen on the host, between training runs. A step takes them as parameters, so that it is compiled
/// once; see `masks` in `Optimizer.assignments(for:gradients:masks:)`.
public struct PruningMask: Sendable, Equatable {
  /// For each layer, 1 where a weight remains and 0 where it is pruned: `float32` of the weights' shape.
  public let layers: [HostArray]

  /// The mask that prunes nothing of layers with these shapes.
  public init(keepingAllOf shapes: [Shape]) {
    layers = shapes.map { HostArray([Float](repeating: 1, count: $0.count), shape: $0) }
  }

  /// The mask that keeps `counts[i]` weights of layer i, each choice equally likely.
  /// - Precondition: There is one count for each shape, and no more than the layer has weights.
  public init(keeping counts: [Int], atRandomOf shapes: [Shape], key: RandomKey) {
    require(counts.count == shapes.count, "PruningMask: \(counts.count) counts, \(shapes.count) layers")
    layers = zip(counts, shapes).enumerated().map { layer, pair in
      let order = key.folded(in: UInt64(layer)).permutation(of: pair.1.count)
      return Self.layer(keeping: order, count: pair.0, shape: pair.1)
    }
  }

  private init(_ layers: [HostArray]) { self.layers = layers }

  /// The number of weights left in each layer.
  public var counts: [Int] { layers.map { $0.elements(as: Float.self).count { $0 != 0 } } }

  /// The part of all weights that is left.
  public var density: Double {
    Double(counts.reduce(0, +)) / Double(max(1, layers.reduce(0) { $0 + $1.count }))
  }

  /// The mask that keeps, of the weights left in each layer, the `counts[i]` of largest magnitude.
  ///
  /// Of equal magnitudes those that come first stay; NaN is smaller than everything.
  /// - Parameters:
  ///   - counts: One for each layer, at most the number of weights left there.
  ///   - theta: The weights, `float32` of the layers' shapes; what comes after them, such as biases, is not read.
  public func keepingLargest(_ counts: [Int], of theta: [HostArray]) -> PruningMask {
    require(
      counts.count == layers.count && theta.count >= layers.count,
      "PruningMask: \(counts.count) counts and \(theta.count) arrays of weights for \(layers.count) layers")
    return PruningMask(
      zip(counts, zip(layers, theta)).map { count, layer in
        let (mask, weights) = (layer.0.elements(as: Float.self), layer.1.elements(as: Float.self))
        let magnitudes = weights.map { $0.isNaN ? -1 : abs($0) }
        let order = mask.indices.filter { mask[$0] != 0 }
          .sorted { (-magnitudes[$0], $0) < (-magnitudes[$1], $1) }
        return Self.layer(keeping: order, count: count, shape: layer.0.shape)
      })
  }

  /// m * theta: weights that are pruned become 0, and what comes after the layers, such as biases, stays.
  /// - Parameter theta: The weights, `float32` of the layers' shapes, then any other arrays.
  public func applied(to theta: [HostArray]) -> [HostArray] {
    zip(layers, theta).map { mask, weights in
      let pairs = zip(mask.elements(as: Float.self), weights.elements(as: Float.self))
      // Selected, not multiplied, which would give -0 and NaN.
      return HostArray(pairs.map { $0 == 0 ? 0 : $1 }, shape: weights.shape)
    } + theta.dropFirst(layers.count)
  }

  /// 1 at the first `count` positions of `order`, else 0.
  private static func layer(keeping order: [Int], count: Int, shape: Shape) -> HostArray {
    require(
      (0...order.count).contains(count),
      "PruningMask: cannot keep \(count) of \(order.count) weights of \(shape)")
    var kept = [Float](repeating: 0, count: shape.count)
    for index in order.prefix(count) { kept[index] = 1 }
    return HostArray(kept, shape: shape)
  }
}
