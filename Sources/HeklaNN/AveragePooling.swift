import HeklaTensors

/// The mean of each window. See `Tensor.averagePooled`.
public struct AveragePooling: Module {
  /// The extents of a window, one per spatial axis.
  public let kernel: [Int]
  /// Steps from one window to the next.
  public let strides: [Int]
  /// The border.
  public let padding: ConvolutionPadding
  /// Whether elements of the border count as 0, or not at all.
  public let countingBorder: Bool

  /// Pooling over windows of `kernel`, side by side when `strides` is nil.
  public init(
    _ kernel: [Int], strides: [Int]? = nil, padding: ConvolutionPadding = .valid, countingBorder: Bool = false
  ) {
    self.kernel = kernel
    self.strides = strides ?? kernel
    self.padding = padding
    self.countingBorder = countingBorder
  }

  /// The means, shape `[batch, channels, windows...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    x.averagePooled(
      kernel, strides: strides, padding: padding, countingBorder: countingBorder, file: file, line: line)
  }
}
