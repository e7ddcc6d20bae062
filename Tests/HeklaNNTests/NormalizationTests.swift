import Foundation
import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct NormalizationTests {
  static let data = numbers(48, seed: 1)

  /// Numbers at mean 0 and variance 1, with the epsilon of the layers.
  static func normal(_ x: [Double], epsilon: Double = 1e-5) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(x.count)
    return x.map { ($0 - mean) / (variance + epsilon).squareRoot() }
  }

  @Test func `Batch normalization uses the batch in training and the running statistics afterwards`() {
    // 4 examples, 3 channels, 4 elements; float32 parameters, float64 by the reference.
    let layer = BatchNormalization(channels: 3, momentum: 0.3)
    let x = Tensor.input(0, Signature([4, 3, 4]))
    let feeds = [x.node: HostArray(Self.data, shape: [4, 3, 4])]
    let (output, updates) = layer.training(x)
    var expected = [Double](repeating: 0, count: 48)
    var (means, variances): ([Double], [Double]) = ([], [])
    for channel in 0..<3 {
      let places = (0..<4).flatMap { example in (0..<4).map { example * 12 + channel * 4 + $0 } }
      let own = places.map { Self.data[$0] }
      for (place, value) in zip(places, Self.normal(own)) { expected[place] = value }
      let mean = own.reduce(0, +) / 16
      means.append(0.3 * mean)
      variances.append(0.7 + 0.3 * own.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 15)
    }
    // The single-precision constants of the expressions round epsilon and momentum.
    #expect(agree(values(output, feeding: feeds), expected, within: 1e-6))
    var step = ReferenceStep()
    step.run(updates, feeding: feeds)
    #expect(agree(step.values(of: layer.runningMean.parameter), means, within: 1e-6))
    #expect(agree(step.values(of: layer.runningVariance.parameter), variances, within: 1e-6))
    let evaluated = values(
      layer(x),
      feeding: feeds.merging(step.held.map { ($0.key.tensor.node, $0.value) }, uniquingKeysWith: { $1 }))
    let place = 12 + 4 + 2
    let wanted = (Self.data[place] - means[1]) / (variances[1] + 1e-5).squareRoot()
    #expect(abs(evaluated[place] - wanted) < 1e-6)
    #expect(layer.trainableParameters == [layer.scale, layer.shift])
  }

  @Test func `Calibration makes the running statistics the means over batches`() {
    let layer = BatchNormalization(channels: 1)
    let (x, count) = (Tensor.input(0, Signature([4, 1])), Tensor.input(1, Signature([], .int32)))
    let (output, updates) = layer.calibrating(x, afterBatches: count)
    var step = ReferenceStep()
    // What the statistics were before does not matter, whatever it is.
    step.assign(HostArray([Double.nan], shape: [1]), to: layer.runningMean.parameter)
    var (means, variances) = (0.0, 0.0)
    for number in 0..<3 {
      let own = Array(Self.data[(number * 4)..<(number * 4 + 4)])
      let feeds = [x.node: HostArray(own, shape: [4, 1]), count.node: HostArray(scalar: Int32(number))]
      step.run(updates, feeding: feeds)
      #expect(agree(values(output, feeding: feeds), Self.normal(own), within: 1e-6))
      let mean = own.reduce(0, +) / 4
      means += mean / 3
      variances += own.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 9
    }
    #expect(agree(step.values(of: layer.runningMean.parameter), [means], within: 1e-12))
    #expect(agree(step.values(of: layer.runningVariance.parameter), [variances], within: 1e-12))
  }

  @Test func `Standardized numbers have mean 0 and variance 1 along the axes`() {
    let x = constant(Self.data, [4, 3, 4])
    let found = values(x.standardized(along: [0, -1]))
    for channel in 0..<3 {
      let places = (0..<4).flatMap { example in (0..<4).map { example * 12 + channel * 4 + $0 } }
      let wanted = Self.normal(places.map { Self.data[$0] })
      #expect(agree(places.map { found[$0] }, wanted, within: 1e-12))
    }
  }

  @Test func `Group and instance normalization use groups of channels of one example`() {
    let x = constant(Self.data, [2, 6, 4])
    let group = GroupNormalization(channels: 6, groups: 2, isLearned: false)
    let rows = (0..<4).flatMap { Self.normal(Array(Self.data[($0 * 12)..<($0 * 12 + 12)])) }
    #expect(agree(values(group(x)), rows, within: 1e-12))
    let instance = GroupNormalization.instance(channels: 6, isLearned: false)
    let singles = (0..<12).flatMap { Self.normal(Array(Self.data[($0 * 4)..<($0 * 4 + 4)])) }
    #expect(agree(values(instance(x)), singles, within: 1e-12))
  }

  @Test func `Root mean square normalization divides by the root of the mean square`() {
    let x = constant(Self.data, [8, 6])
    let layer = RootMeanSquareNormalization(width: 6)
    // A graph does not keep a parameter alive.
    let found = withExtendedLifetime(layer) { values(layer(x)) }
    let expected = (0..<8).flatMap { row -> [Double] in
      let own = Self.data[(row * 6)..<(row * 6 + 6)]
      let square = own.map { $0 * $0 }.reduce(0, +) / 6
      return own.map { $0 / (square + 1e-6).squareRoot() }
    }
    #expect(agree(found, expected, within: 1e-12))
  }

  @Test func `Gradients flow through the statistics`() {
    let weights = constant(numbers(48, seed: 2), [4, 3, 4])
    let batch = BatchNormalization(channels: 3)
    let group = GroupNormalization(channels: 3, groups: 1)
    let square = RootMeanSquareNormalization(width: 4)
    // The parameters are float32 ones, exact in either type.
    #expect(gradientError(Self.data, [4, 3, 4]) { (batch.training($0).output * weights).sum() } < 1e-7)
    #expect(gradientError(Self.data, [4, 3, 4]) { (group($0) * weights).sum() } < 1e-7)
    #expect(gradientError(Self.data, [4, 3, 4]) { (square($0) * weights).sum() } < 1e-7)
  }
}
