import HeklaArrays

extension Tensor {
  /// The windows that slide along `axes`.
  ///
  /// Element `[..., o1, ..., o2, ..., k1, k2]` is that at `o1 stride1 + k1 dilation1` and so on; each of `axes`
  /// keeps its place with one entry per window, and the windows' own axes come innermost, in the order of
  /// `axes`. Nothing is copied: a product or sum reads the windows where they are. The gradient adds up what
  /// overlaps.
  /// - Parameters:
  ///   - sizes: The elements of a window along each axis.
  ///   - axes: Different axes.
  ///   - strides: From window to window, 1 when nil.
  ///   - dilations: From element to element of a window, 1 when nil.
  public func windows(
    _ sizes: [Int], along axes: [Int], strides: [Int]? = nil, dilations: [Int]? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let normalized = axes.map { shape.normalized(axis: $0) }
    let strides = strides ?? axes.map { _ in 1 }
    let dilations = dilations ?? axes.map { _ in 1 }
    require(
      Set(normalized).count == axes.count && sizes.count == axes.count && strides.count == axes.count
        && dilations.count == axes.count,
      "windows: sizes \(sizes), strides \(strides) and dilations \(dilations) for axes \(axes) of \(shape)",
      file: file, line: line)
    return normalized.indices.reduce(self) { result, position in
      let windows = Windows(
        axis: normalized[position], size: sizes[position], stride: strides[position],
        dilation: dilations[position])
      return Tensor(windows, [result])
    }
  }

  /// Blocks of channels as blocks of pixels: `[..., c r^2, h, w]` to `[..., c, h r, w r]`.
  ///
  /// Source: Shi et al. 2016, "Real-time single image and video super-resolution", equation 4.
  public func pixelShuffled(by factor: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      rank >= 3 && factor > 0 && shape[-3] % (factor * factor) == 0,
      "pixel-shuffle: the channels of \(shape) are no multiple of \(factor) squared", file: file, line: line)
    let outer = Array(shape.extents.dropLast(3))
    let (channels, height, width) = (shape[-3] / (factor * factor), shape[-2], shape[-1])
    let first = outer.count
    return reshaped(to: outer + [channels, factor, factor, height, width])
      .permuted(Array(0..<first) + [0, 3, 1, 4, 2].map { $0 + first })
      .reshaped(to: outer + [channels, height * factor, width * factor])
  }

  /// Blocks of pixels as blocks of channels: `[..., c, h r, w r]` to `[..., c r^2, h, w]`.
  public func pixelUnshuffled(by factor: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(
      rank >= 3 && factor > 0 && shape[-2] % factor == 0 && shape[-1] % factor == 0,
      "pixel-unshuffle: height and width of \(shape) are no multiples of \(factor)", file: file, line: line)
    let outer = Array(shape.extents.dropLast(3))
    let (channels, height, width) = (shape[-3], shape[-2] / factor, shape[-1] / factor)
    let first = outer.count
    return reshaped(to: outer + [channels, height, factor, width, factor])
      .permuted(Array(0..<first) + [0, 2, 4, 1, 3].map { $0 + first })
      .reshaped(to: outer + [channels * factor * factor, height, width])
  }
}
