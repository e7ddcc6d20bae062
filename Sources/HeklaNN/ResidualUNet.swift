import HeklaArrays
import HeklaTensors

/// A U-shaped network for segmentation: residual blocks on the way down, localization on the way up, deep supervision.
///
/// Down, each level halves the extents by a convolution with stride 2 and adds a `ContextBlock`. Up, features are
/// resized to the level above, halved in number by a convolution, joined with what the level had on the way down and
/// recombined by convolutions over windows of 3 and of 1. The outputs of all levels but the lowest are resized and
/// added up.
/// Source: Isensee et al. 2017, "Brain tumor segmentation and radiomics survival prediction", section 2.2.
public struct ResidualUNet: Module {
  /// One level of the way up.
  struct Localization: Module {
    /// Halves the features that come from below, and those that are joined; then mixes them place by place.
    let rise, join, mix: ConvolutionUnit
  }

  /// Into each level, from the top: stride 1 into the first, 2 into the others.
  let descents: [ConvolutionUnit]
  /// At each level, from the top.
  let contexts: [ContextBlock]
  /// At each level but the lowest, from the top.
  let localizations: [Localization]
  /// What each of these levels adds to the outputs, and is not part of the trunk.
  let heads: [Convolution]
  private let axes: Int

  /// A network from `channels` to `outputs` channels.
  /// - Parameters:
  ///   - channels: The second extent of what comes in.
  ///   - features: The second extent at each level, from the top; two levels or more.
  ///   - outputs: The second extent of what goes out. All other weights are the same whatever it is.
  ///   - axes: The number of spatial axes, 1 to 3.
  ///   - dropout: The probability with which an element is dropped inside of context blocks.
  ///   - key: What the weights are drawn from.
  public init(
    channels: Int, features: [Int], outputs: Int, axes: Int, dropout: Double = 0.3, key: RandomKey,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      features.count >= 2, "residual U-net: \(features) are not the features of two levels or more",
      file: file,
      line: line)
    self.axes = axes
    func own(_ name: String, _ level: Int) -> RandomKey { key.folded(in: name).folded(in: UInt64(level)) }
    descents = features.indices.map { level in
      ConvolutionUnit(
        channels: level == 0 ? channels : features[level - 1], features: features[level],
        stride: level == 0 ? 1 : 2, axes: axes, key: own("descent", level))
    }
    contexts = features.indices.map { level in
      ContextBlock(features: features[level], axes: axes, dropout: dropout, key: own("context", level))
    }
    localizations = features.indices.dropLast().map { level in
      let count = features[level]
      return Localization(
        rise: .init(channels: features[level + 1], features: count, axes: axes, key: own("rise", level)),
        join: .init(channels: 2 * count, features: count, axes: axes, key: own("join", level)),
        mix: .init(channels: count, features: count, kernel: 1, axes: axes, key: own("mix", level)))
    }
    heads = features.indices.dropLast().map { level in
      Convolution(
        channels: features[level], features: outputs, kernel: [Int](repeating: 1, count: axes),
        initializer: .lecunNormal, key: own("head", level))
    }
  }

  /// What extents are padded to a multiple of.
  public var strideProduct: Int { 1 << (contexts.count - 1) }

  /// The outputs, shape `[batch, outputs, spatial...]`.
  ///
  /// Extents that `strideProduct` does not divide are padded behind with zeros, which the norms see, and the outputs
  /// are cropped back.
  /// - Parameters:
  ///   - x: Shape `[batch, channels, spatial...]`.
  ///   - key: What decides which elements are dropped, as in `Dropout`; nil in evaluation.
  public func callAsFunction(
    _ x: Tensor, key: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      x.rank == axes + 2 && x.shape[1] == descents[0].convolution.weight.shape[1],
      "residual U-net: the input is \(x.shape); it must be [batch, \(descents[0].convolution.weight.shape[1])] and "
        + "\(axes) spatial axes", file: file, line: line)
    let missing = x.shape.extents.dropFirst(2).map { (strideProduct - $0 % strideProduct) % strideProduct }
    let y = outputs(x.padded(after: [0, 0] + missing), key: key)
    return y.sliced(
      starts: [Int](repeating: 0, count: x.rank),
      extents: [x.shape[0], y.shape[1]] + x.shape.extents.dropFirst(2))
  }

  /// The outputs for extents that the product of strides divides.
  private func outputs(_ x: Tensor, key: Tensor?) -> Tensor {
    var levels: [Tensor] = []
    for (level, (descent, context)) in zip(descents, contexts).enumerated() {
      levels.append(context(descent(levels.last ?? x), key: key?.folded(in: UInt64(level))))
    }
    var (below, sum) = (levels[levels.count - 1], Tensor?.none)
    for (level, (localization, head)) in zip(localizations, heads).enumerated().reversed() {
      let risen = localization.rise(below.doubled(axes))
      below = localization.mix(localization.join(.concatenating([risen, levels[level]], along: 1)))
      sum = sum.map { head(below) + $0.doubled(axes) } ?? head(below)
    }
    return sum ?? x
  }
}

extension Tensor {
  /// Twice the extents of the last `axes` axes, interpolated linearly.
  fileprivate func doubled(_ axes: Int) -> Tensor {
    let places = Array(2..<(2 + axes))
    return resized(to: places.map { 2 * shape[$0] }, along: places)
  }
}
