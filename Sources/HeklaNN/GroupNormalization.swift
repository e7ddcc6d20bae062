import HeklaArrays
import HeklaTensors

/// Groups of channels of each example brought to mean 0 and variance 1, then scaled and shifted by channel.
///
/// One group for all channels normalizes an example; as many groups as channels is instance normalization.
/// Source: Wu & He 2018, "Group normalization", section 3; Ulyanov et al. 2016, "Instance normalization".
public struct GroupNormalization: Module {
  /// The learned factor, shape `[channels]`, at first 1; nil where nothing is learned.
  public let scale: Parameter?
  /// The learned term, shape `[channels]`, at first 0; nil where nothing is learned.
  public let shift: Parameter?
  /// The number of channels.
  public let channels: Int
  /// The number of groups, a divisor of the number of channels.
  public let groups: Int
  /// What is added to the variance, so that a constant group does not divide by 0.
  public let epsilon: Double

  /// A normalization of `channels` channels in `groups` groups.
  public init(
    channels: Int, groups: Int, isLearned: Bool = true, epsilon: Double = 1e-5, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      groups > 0 && channels % groups == 0,
      "group-normalization: \(channels) channels do not make \(groups) equal groups", file: file, line: line)
    self.channels = channels
    self.groups = groups
    self.epsilon = epsilon
    scale = isLearned ? Parameter(.ones([channels])) : nil
    shift = isLearned ? Parameter(.zeros([channels])) : nil
  }

  /// Instance normalization: each channel of each example by itself.
  public static func instance(channels: Int, isLearned: Bool = true, epsilon: Double = 1e-5)
    -> GroupNormalization
  {
    GroupNormalization(channels: channels, groups: channels, isLearned: isLearned, epsilon: epsilon)
  }

  /// The normalized input, of its shape.
  /// - Parameter x: Shape `[batch, channels, ...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank >= 2 && x.shape[1] == channels,
      "group-normalization: the input is \(x.shape); it must be [batch, \(channels), ...]", file: file,
      line: line)
    let rows = x.reshaped(to: [x.shape[0], groups, x.shape.extents.dropFirst().reduce(1, *) / groups])
    let normal = rows.standardized(along: [-1], epsilon: epsilon).reshaped(to: x.shape)
    guard let scale, let shift else { return normal }
    func aligned(_ parameter: Parameter) -> Tensor {
      parameter.tensor.converted(to: x.elementType)
        .reshaped(to: [channels] + [Int](repeating: 1, count: x.rank - 2))
    }
    return .map(normal, aligned(scale), aligned(shift)) { $0 * $1 + $2 }
  }
}

/// Each vector along the innermost axis divided by its root mean square, then scaled as learned.
///
/// Source: Zhang & Sennrich 2019, "Root mean square layer normalization", equation 4.
public struct RootMeanSquareNormalization: Module {
  /// The learned factor, shape `[width]`, at first 1.
  public let scale: Parameter
  /// What is added to the mean square, so that a vector of zeros does not divide by 0.
  public let epsilon: Double

  /// A normalization of vectors of `width` numbers.
  public init(width: Int, epsilon: Double = 1e-6) {
    scale = Parameter(.ones([width]))
    self.epsilon = epsilon
  }

  /// The normalized vectors, of the input's shape.
  /// - Parameter x: Shape `[..., width]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      x.rank >= 1 && x.shape[-1] == scale.shape[0],
      "root-mean-square-normalization: the input is \(x.shape); its innermost extent must be \(scale.shape[0])",
      file: file, line: line)
    let square = x.squared().mean(along: -1, keepingAxes: true)
    return .map(x, square, scale.tensor.converted(to: x.elementType)) {
      $0 * .reciprocalSquareRoot($1 + Scalar(epsilon)) * $2
    }
  }
}
