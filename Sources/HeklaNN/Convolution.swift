import HeklaArrays
import HeklaTensors

/// A convolution over one to three spatial axes, and a shift of each feature.
///
/// The number of entries in `kernel` is the number of spatial axes.
public struct Convolution: Module {
  /// The weights, shape `[features, channels / groups, kernel...]`.
  public let weight: Parameter
  /// The shift, shape `[features]`.
  public let bias: Parameter?
  /// Steps from one window to the next.
  public let strides: [Int]
  /// The border of zeros.
  public let padding: ConvolutionPadding
  /// Steps from one tap of the kernel to the next.
  public let dilations: [Int]
  /// Parts of channels and features that do not see each other.
  public let groups: Int

  /// A convolution from `channels` to `features` with windows of `kernel`.
  /// - Parameters:
  ///   - channels: The second extent of what comes in.
  ///   - features: The second extent of what goes out.
  ///   - kernel: The extents of a window, one per spatial axis.
  ///   - strides: Steps from one window to the next; 1 when nil.
  ///   - padding: The border of zeros.
  ///   - dilations: Steps from one tap to the next; 1 when nil.
  ///   - groups: Divides both channels and features; as many as channels is a depthwise convolution.
  ///   - bias: Whether there is a shift; it starts at 0.
  ///   - initializer: Draws the weights.
  ///   - key: What the weights are drawn from.
  public init(
    channels: Int, features: Int, kernel: [Int], strides: [Int]? = nil, padding: ConvolutionPadding = .valid,
    dilations: [Int]? = nil, groups: Int = 1, bias: Bool = true, initializer: Initializer = .heNormal,
    key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      (1...3).contains(kernel.count) && groups > 0 && channels % groups == 0 && features % groups == 0,
      "convolution: \(channels) channels to \(features) features in \(groups) groups with windows \(kernel): "
        + "groups must divide both, and there are one to three axes",
      file: file, line: line)
    let taps = kernel.reduce(1, *)
    weight = Parameter(
      initializer(
        Shape([features, channels / groups] + kernel), fanIn: channels / groups * taps,
        fanOut: features / groups * taps, key: key.folded(in: "weight")))
    self.bias = bias ? Parameter(.zeros([features])) : nil
    self.strides = strides ?? kernel.map { _ in 1 }
    self.padding = padding
    self.dilations = dilations ?? kernel.map { _ in 1 }
    self.groups = groups
  }

  /// The convolution of `x`, shape `[batch, features, windows...]`.
  /// - Parameter x: Shape `[batch, channels, spatial...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    x.convolved(
      with: weight.tensor, strides: strides, padding: padding, dilations: dilations, groups: groups,
      file: file,
      line: line
    ).shifted(byFeature: bias)
  }
}

extension Tensor {
  /// `[batch, features, ...]` with a number added to each feature.
  func shifted(byFeature bias: Parameter?) -> Tensor {
    guard let bias else { return self }
    return self + bias.tensor.reshaped(to: [bias.shape[0]] + [Int](repeating: 1, count: rank - 2))
  }
}
