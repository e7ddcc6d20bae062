import HeklaTensors

/// The largest element of each window; the gradient goes to the first. See `Tensor.maximumPooled`.
public struct MaxPooling: Module {
  /// The extents of a window, one per spatial axis.
  public let kernel: [Int]
  /// Steps from one window to the next.
  public let strides: [Int]
  /// The border, which never wins.
  public let padding: ConvolutionPadding

  /// Pooling over windows of `kernel`, side by side when `strides` is nil.
  public init(_ kernel: [Int], strides: [Int]? = nil, padding: ConvolutionPadding = .valid) {
    self.kernel = kernel
    self.strides = strides ?? kernel
    self.padding = padding
  }

  /// The maxima, shape `[batch, channels, windows...]`.
  public func callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    x.maximumPooled(kernel, strides: strides, padding: padding, file: file, line: line)
  }
}
