import HeklaArrays

/// Discrete Fourier transforms of any length; complex numbers lie along a last axis of extent 2.
///
/// Every length costs n log n operations; lengths with prime factors above 100 some ten times as many as others.
extension Tensor {
  /// The product of complex numbers `[..., 2]`, element by element; shapes broadcast.
  public func complexProduct(_ other: Tensor) -> Tensor {
    let (real, imaginary) = (other.sliced(0..<1, along: -1), other.sliced(1..<2, along: -1))
    let signs = Tensor(HostArray([-1, 1] as [Double]).converted(to: elementType))
    return self * real + flipped(along: [-1]) * (imaginary * signs)
  }

  /// `X[k] = sum over j of x[j] e^(-2 pi i j k / n)` along `axis` of complex numbers `[..., 2]`.
  public func fft(along axis: Int = -2, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    fourier(along: axis, isInverse: false, file: file, line: line)
  }

  /// The inverse of `fft(along:)`: the other sign, divided by n.
  public func inverseFFT(along axis: Int = -2, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let sum = fourier(along: axis, isInverse: true, file: file, line: line)
    return sum * (1 / Double(max(shape[axis], 1)))
  }

  /// `fft(along:)` along the two axes before the last.
  public func fft2D(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    fft(along: -2, file: file, line: line).fft(along: -3, file: file, line: line)
  }

  /// The inverse of `fft2D()`.
  public func inverseFFT2D(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    inverseFFT(along: -2, file: file, line: line).inverseFFT(along: -3, file: file, line: line)
  }

  /// The transform of real numbers along `axis`, `[..., n, ...]`: the first n / 2 + 1 frequencies,
  /// `[..., n / 2 + 1, ..., 2]`; the others are their conjugates.
  public func rfft(along axis: Int = -1, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    let axis = shape.normalized(axis: axis)
    let numbers = expanded(at: -1)
    let complex = Tensor.concatenating([numbers, .zeros(numbers.shape, elementType)], along: -1)
    return complex.fft(along: axis, file: file, line: line).sliced(0..<(shape[axis] / 2 + 1), along: axis)
  }

  /// The `count` real numbers along `axis` whose `rfft(along:)` this is, `[..., count / 2 + 1, ..., 2]`.
  /// - Parameters:
  ///   - count: How many real numbers there are.
  ///   - axis: Of the result; the last axis of complex numbers is not counted.
  public func irfft(
    count: Int, along axis: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let axis = axis < 0 ? axis + rank - 1 : axis
    require(
      rank >= 2 && shape[-1] == 2 && count > 0 && (0..<(rank - 1)).contains(axis)
        && shape[axis] == count / 2 + 1,
      "irfft: \(shape) does not hold the frequencies of \(count) numbers along axis \(axis)", file: file,
      line: line)
    // The frequencies from count / 2 + 1 on are conjugates of those before, backwards.
    let mirrored = sliced(1..<(count - count / 2), along: axis).flipped(along: [axis])
    let conjugate = mirrored * Tensor(HostArray([1, -1] as [Double]).converted(to: elementType))
    let all = Tensor.concatenating([self, conjugate], along: axis)
    return all.inverseFFT(along: axis, file: file, line: line).element(0, along: -1)
  }

  private func fourier(along axis: Int, isInverse: Bool, file: StaticString, line: UInt) -> Tensor {
    let axis = axis < 0 ? axis + rank : axis
    require(
      rank >= 2 && shape[-1] == 2 && (0..<(rank - 1)).contains(axis),
      "fft: \(shape) along axis \(axis); complex numbers lie along a last axis of extent 2", file: file,
      line: line)
    guard shape.count > 0 else { return self }
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 2)
    let moved = permuted(order)
    return Fourier.transform(moved.reshaped(to: [-1, moved.shape[-2], 2]), isInverse: isInverse)
      .reshaped(to: moved.shape).permuted(order)
  }
}
