import HeklaArrays
import HeklaTensors

/// Two convolutions over windows of 3, each after instance normalization and a leaky rectifier, with dropout between
/// them, added to what came in.
///
/// Sources: He et al. 2016, "Identity mappings in deep residual networks", for the order; Isensee et al. 2017, "Brain
/// tumor segmentation and radiomics survival prediction", section 2.2, for the block.
public struct ContextBlock: Module {
  /// The norms before each convolution.
  public let normalizations: [GroupNormalization]
  /// The two convolutions; the first has no shift, which the norm would take away.
  public let convolutions: [Convolution]
  /// What drops elements between them.
  public let dropout: Dropout

  /// A block on `features` channels over `axes` spatial axes.
  /// - Parameters:
  ///   - features: The second extent of what comes in and goes out.
  ///   - axes: The number of spatial axes, 1 to 3.
  ///   - dropout: The probability with which an element is dropped.
  ///   - key: What the weights are drawn from.
  public init(features: Int, axes: Int, dropout: Double = 0.3, key: RandomKey) {
    normalizations = (0..<2).map { _ in .instance(channels: features) }
    convolutions = (0..<2).map { number in
      Convolution(
        channels: features, features: features, kernel: [Int](repeating: 3, count: axes), padding: .same,
        bias: number == 1, key: key.folded(in: UInt64(number)))
    }
    self.dropout = Dropout(rate: dropout)
  }

  /// The block's result, of the input's shape.
  /// - Parameters:
  ///   - x: Shape `[batch, features, spatial...]`.
  ///   - key: What decides which elements are dropped, as in `Dropout`; nil in evaluation.
  public func callAsFunction(_ x: Tensor, key: Tensor? = nil) -> Tensor {
    let inner = convolutions[0](normalizations[0](x).leakyRelu())
    return x + convolutions[1](normalizations[1](dropout(inner, key: key)).leakyRelu())
  }
}

/// A convolution, instance normalization and a leaky rectifier.
public struct ConvolutionUnit: Module {
  /// The convolution; it has no shift, which the norm would take away.
  public let convolution: Convolution
  /// The norm of what it gives.
  public let normalization: GroupNormalization

  /// A unit from `channels` to `features` over `axes` spatial axes.
  /// - Parameters:
  ///   - channels: The second extent of what comes in.
  ///   - features: The second extent of what goes out.
  ///   - kernel: The extent of windows along each axis.
  ///   - stride: Steps from one window to the next along each axis.
  ///   - axes: The number of spatial axes, 1 to 3.
  ///   - key: What the weights are drawn from.
  public init(
    channels: Int, features: Int, kernel: Int = 3, stride: Int = 1, axes: Int, key: RandomKey
  ) {
    func all(_ number: Int) -> [Int] { .init(repeating: number, count: axes) }
    convolution = Convolution(
      channels: channels, features: features, kernel: all(kernel), strides: all(stride), padding: .same,
      bias: false, key: key)
    normalization = .instance(channels: features)
  }

  /// The unit's result, shape `[batch, features, windows...]`, extents divided by the stride and rounded up.
  /// - Parameter x: Shape `[batch, channels, spatial...]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { normalization(convolution(x)).leakyRelu() }
}
