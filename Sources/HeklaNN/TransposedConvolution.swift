import HeklaArrays
import HeklaTensors

/// A transposed convolution over one to three spatial axes, and a shift of each feature: it enlarges.
///
/// The number of entries in `kernel` is the number of spatial axes.
public struct TransposedConvolution: Module {
  /// The weights, shape `[channels, features / groups, kernel...]`.
  public let weight: Parameter
  /// The shift, shape `[features]`.
  public let bias: Parameter?
  /// How far apart the input's elements come to lie.
  public let strides: [Int]
  /// What is cut off at the border.
  public let padding: ConvolutionPadding
  /// What is added behind each axis; nil for nothing, or for what `.same` asks.
  public let outputPadding: [Int]?
  /// Parts of channels and features that do not see each other.
  public let groups: Int

  /// A transposed convolution from `channels` to `features` with windows of `kernel`.
  /// - Parameters:
  ///   - channels: The second extent of what comes in.
  ///   - features: The second extent of what goes out.
  ///   - kernel: The extents of a window, one per spatial axis.
  ///   - strides: How far apart the input's elements come to lie; 1 when nil.
  ///   - padding: What is cut off at the border.
  ///   - outputPadding: What is added behind each axis.
  ///   - groups: Divides both channels and features.
  ///   - bias: Whether there is a shift; it starts at 0.
  ///   - initializer: Draws the weights; each output sums `channels / groups` times the window's extent over the
  ///     stride terms, which is the fan-in it is given.
  ///   - key: What the weights are drawn from.
  public init(
    channels: Int, features: Int, kernel: [Int], strides: [Int]? = nil, padding: ConvolutionPadding = .valid,
    outputPadding: [Int]? = nil, groups: Int = 1, bias: Bool = true, initializer: Initializer = .heNormal,
    key: RandomKey, file: StaticString = #fileID, line: UInt = #line
  ) {
    let strides = strides ?? kernel.map { _ in 1 }
    require(
      (1...3).contains(kernel.count) && groups > 0 && channels % groups == 0 && features % groups == 0
        && strides.count == kernel.count && strides.allSatisfy { $0 > 0 },
      "transposed-convolution: \(channels) channels to \(features) features in \(groups) groups with windows "
        + "\(kernel) and strides \(strides): groups must divide both, and there are one to three axes",
      file: file, line: line)
    let taps = kernel.reduce(1, *)
    weight = Parameter(
      initializer(
        Shape([channels, features / groups] + kernel),
        fanIn: max(1, channels / groups * taps / strides.reduce(1, *)), fanOut: features / groups * taps,
        key: key.folded(in: "weight")))
    self.bias = bias ? Parameter(.zeros([features])) : nil
    self.strides = strides
    self.padding = padding
    self.outputPadding = outputPadding
    self.groups = groups
  }

  /// The transposed convolution of `x`, shape `[batch, features, extents...]`.
  /// - Parameter x: Shape `[batch, channels, spatial...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    x.convolvedTransposed(
      with: weight.tensor, strides: strides, padding: padding, outputPadding: outputPadding, groups: groups,
      file: file, line: line
    ).shifted(byFeature: bias)
  }
}
