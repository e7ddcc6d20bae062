/// How positions of a convolution's target meet elements of its source along one axis.
///
/// Tap `t` meets position `p` at element `p * step + shift(t)` of the source, where that exists. Forward, positions
/// are outputs and the step is the stride. Backward, the inputs are divided into phases by their remainder under the
/// stride: all inputs of a phase meet the same taps, and neighbours meet neighbours.
struct WindowAxis: Sendable {
  /// The source's extent.
  let source: Int
  /// Elements of the source from one position to the next.
  let step: Int
  /// The number of positions, the first's place in the target, and elements of the target from one to the next.
  let positions, first, spacing: Int
  /// The taps that meet positions, and where.
  let taps, shifts: [Int]

  /// The outputs along `axis`.
  init(outputsOf convolution: Convolution, axis: Int) {
    source = convolution.input[axis]
    step = convolution.stride[axis]
    (positions, first, spacing) = (convolution.output[axis], 0, 1)
    taps = Array(0..<convolution.kernel[axis])
    shifts = taps.map { $0 * convolution.dilation[axis] - convolution.before[axis] }
  }

  /// The inputs along `axis` with remainder `phase` under the stride.
  init(inputsOf convolution: Convolution, axis: Int, phase: Int) {
    source = convolution.output[axis]
    step = 1
    let stride = convolution.stride[axis]
    (first, spacing) = (phase, stride)
    positions = max(0, convolution.input[axis] - phase + stride - 1) / stride
    let shifted = { phase + convolution.before[axis] - $0 * convolution.dilation[axis] }
    taps = (0..<convolution.kernel[axis]).filter { shifted($0) % stride == 0 }
    shifts = taps.map { shifted($0) / stride }
  }

  /// The least shift: where the elements that position 0 meets begin.
  var least: Int { shifts.min() ?? 0 }

  /// Elements are kept by their remainder under the step, so that neighbouring positions meet neighbours: the
  /// remainders that occur.
  var remainders: [Int] { Set(shifts.map { ($0 - least) % step }).sorted() }

  /// Elements of one remainder that `count` positions meet.
  func extent(_ count: Int) -> Int { count + ((shifts.max() ?? 0) - least) / step }
}
