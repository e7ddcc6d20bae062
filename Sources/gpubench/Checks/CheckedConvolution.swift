/// A convolution whose elements, and those of its gradients, can be computed one by one.
///
/// `y[b, f, o] = sum over c and k of x[b, c, o * stride + k - kernel / 2] * w[f, c, k]`, with 0 beyond the input.
struct CheckedConvolution: Sendable {
  let batch, channels, features, groups: Int
  /// The extents of input, windows and output, and the distance of windows, along three axes. Two axes have a first
  /// one of extent 1 before them.
  let input, kernel, output, stride: [Int]
  /// The unit roundoff of what is checked.
  let roundoff: Double

  init(
    batch: Int, channels: Int, features: Int, groups: Int = 1, input: [Int], kernel: Int, stride: Int,
    roundoff: Double
  ) {
    (self.batch, self.channels, self.features, self.groups) = (batch, channels, features, groups)
    self.roundoff = roundoff
    let missing = [Int](repeating: 1, count: 3 - input.count)
    self.input = missing + input
    self.kernel = missing + input.map { _ in kernel }
    self.stride = missing + input.map { _ in stride }
    // Windows reach kernel / 2 beyond both ends, and the kernel is odd.
    output = missing + input.map { ($0 - 1) / stride + 1 }
  }

  private var channelsOfGroup: Int { channels / groups }
  private var featuresOfGroup: Int { features / groups }
  private var kernelCount: Int { kernel.reduce(1, *) }
  private var outputCount: Int { output.reduce(1, *) }

  /// Multiplications of one evaluation.
  var productCount: Double {
    Double(batch * features) * Double(outputCount) * Double(channelsOfGroup * kernelCount)
  }

  /// The largest error among the elements of `y` that are looked at.
  func largestError(ofOutput y: [Double], _ x: [Double], _ weights: [Double]) -> Double {
    let (spatial, taps) = (Self.steps(output), Self.steps(kernel))
    return largestError(of: y, terms: channelsOfGroup * kernelCount) { position, sum in
      let (image, place) = (position / outputCount, position % outputCount)
      let (sample, feature) = (image / features, image % features)
      let start = coordinates(place, spatial)
      for channel in 0..<channelsOfGroup {
        let plane = sample * channels + feature / featuresOfGroup * channelsOfGroup + channel
        for tap in 0..<kernelCount {
          guard let source = inputIndex(start, coordinates(tap, taps)) else { continue }
          sum.add(
            x[plane * inputCount + source], weights[(feature * channelsOfGroup + channel) * kernelCount + tap]
          )
        }
      }
    }
  }

  /// The same for the gradient with respect to `x`: each product of the convolution goes back to where it came from.
  func largestError(ofInputGradient dx: [Double], _ weights: [Double], _ dy: [Double]) -> Double {
    let (spatial, taps) = (Self.steps(input), Self.steps(kernel))
    return largestError(of: dx, terms: featuresOfGroup * kernelCount) { position, sum in
      let (image, place) = (position / inputCount, position % inputCount)
      let (sample, channel) = (image / channels, image % channels)
      let target = coordinates(place, spatial)
      for tap in 0..<kernelCount {
        // The window in which this tap lies on this element, if there is one.
        guard let window = outputIndex(target, coordinates(tap, taps)) else { continue }
        for feature in 0..<featuresOfGroup {
          let feature = channel / channelsOfGroup * featuresOfGroup + feature
          let weight = (feature * channelsOfGroup + channel % channelsOfGroup) * kernelCount + tap
          sum.add(dy[(sample * features + feature) * outputCount + window], weights[weight])
        }
      }
    }
  }

  /// The same for the gradient with respect to the weights: sums over the batch and all windows.
  func largestError(ofWeightGradient dw: [Double], _ x: [Double], _ dy: [Double]) -> Double {
    let (spatial, taps) = (Self.steps(output), Self.steps(kernel))
    return largestError(of: dw, terms: batch * outputCount) { position, sum in
      let (pair, tap) = (position / kernelCount, coordinates(position % kernelCount, taps))
      let (feature, channel) = (pair / channelsOfGroup, pair % channelsOfGroup)
      let inputChannel = feature / featuresOfGroup * channelsOfGroup + channel
      for window in 0..<outputCount {
        guard let source = inputIndex(coordinates(window, spatial), tap) else { continue }
        for sample in 0..<batch {
          sum.add(
            x[(sample * channels + inputChannel) * inputCount + source],
            dy[(sample * features + feature) * outputCount + window])
        }
      }
    }
  }

  private var inputCount: Int { input.reduce(1, *) }

  /// A sum of products, exact enough to compare with, and the sum of their absolute values.
  private struct ProductSum {
    private(set) var sum = CompensatedSum()
    private(set) var magnitude = 0.0
    private(set) var count = 0

    mutating func add(_ left: Double, _ right: Double) {
      sum.add(left, times: right)
      magnitude += abs(left * right)
      count += 1
    }
  }

  /// Compares some elements, so many that about 2^22 products are summed for them, in units of what the sum of their
  /// products may be off by.
  private func largestError(
    of elements: [Double], terms: Int, _ sum: (_ position: Int, _ sum: inout ProductSum) -> Void
  ) -> Double {
    var error = LargestError()
    for position in sampledPositions(of: elements.count, atMost: max((1 << 22) / terms, 64)) {
      var reference = ProductSum()
      sum(position, &reference)
      error.compare(
        elements[position], with: reference.sum.value,
        allowing: roundingUnits(ofSumOf: reference.count) * roundoff * reference.magnitude)
    }
    return error.value
  }

  /// Where a tap of the window at `window` lies in the input; nil beyond it.
  private func inputIndex(_ window: SIMD3<Int>, _ tap: SIMD3<Int>) -> Int? {
    var index = 0
    for axis in 0..<3 {
      let place = window[axis] * stride[axis] + tap[axis] - kernel[axis] / 2
      guard place >= 0, place < input[axis] else { return nil }
      index = index * input[axis] + place
    }
    return index
  }

  /// The window whose tap lies on the element of the input at `place`; nil where none does.
  private func outputIndex(_ place: SIMD3<Int>, _ tap: SIMD3<Int>) -> Int? {
    var index = 0
    for axis in 0..<3 {
      let distance = place[axis] + kernel[axis] / 2 - tap[axis]
      guard distance >= 0, distance % stride[axis] == 0, distance / stride[axis] < output[axis] else {
        return nil
      }
      index = index * output[axis] + distance / stride[axis]
    }
    return index
  }

  private static func steps(_ extents: [Int]) -> (Int, Int) { (extents[1] * extents[2], extents[2]) }

  private func coordinates(_ index: Int, _ steps: (Int, Int)) -> SIMD3<Int> {
    SIMD3(index / steps.0, index % steps.0 / steps.1, index % steps.1)
  }
}
