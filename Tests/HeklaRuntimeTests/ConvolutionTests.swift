import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

private let directions = ["convolution", "convolution-input-gradient", "convolution-weight-gradient"]

/// Numbers in [-1, 1) without pattern.
private func numbers(_ shape: Shape, seed: UInt64) -> HostArray {
  HostArray((0..<shape.count).map { Double(RandomKey(seed: seed).uniform(at: $0)) * 2 - 1 }, shape: shape)
}

private func input(_ position: Int, _ shape: Shape) -> Tensor { .input(position, Signature(shape, .float64)) }

/// The largest difference between a tensor's gradient and central differences, both in float64.
private func gradientError(of loss: Tensor, in x: Tensor, feeding feeds: [Node: HostArray]) throws -> Double {
  let start = try #require(feeds[x.node]).doubles()
  let found = referenceValues(of: gradients(of: loss, withRespectTo: [x]), feeding: feeds)[0].doubles()
  let step = 1e-5
  let errors = start.indices.map { index -> Double in
    func value(_ change: Double) -> Double {
      var moved = (start, feeds)
      moved.0[index] += change
      moved.1[x.node] = HostArray(moved.0, shape: x.shape)
      return referenceValues(of: [loss], feeding: moved.1)[0].doubles()[0]
    }
    return abs((value(step) - value(-step)) / (2 * step) - found[index])
  }
  return errors.contains { $0.isNaN } ? .infinity : errors.max() ?? .infinity
}

@Suite(.serialized) struct ConvolutionTests {
  @Test(
    "Every sample of the three directions agrees with the reference, by every variant, three times",
    arguments: TestDevice.present)
  func samples(_ device: TestDevice) throws {
    let executor = try device.executor()
    let variants = device.isHost ? ["host"] : ["direct", "registers", "tiled"]
    for (name, samples) in Sample.all where directions.contains(name) {
      for sample in samples {
        let values = sample.values(key: RandomKey(seed: 11))
        let output = sample.build(sample.inputs.enumerated().map { .input($0, $1.signature) })
        // On absolute inputs the reference gives the size of the sums that are rounded.
        let feeds = zip(output.node.inputs, values)
        let exact = referenceValues(
          of: [output], feeding: Dictionary(uniqueKeysWithValues: feeds.map { ($0, $1) }))[0]
        let size = referenceValues(
          of: [output],
          feeding: Dictionary(
            uniqueKeysWithValues: feeds.map { ($0, HostArray($1.doubles().map(abs), shape: $1.shape)) }))[0]
        guard case .sum(let terms) = sample.tolerance else {
          Issue.record("\(sample.label) is a sum"); return
        }
        for variant in variants {
          var options = CompilerOptions()
          options.preferredVariants[name] = variant
          let step = try executor.compile(
            StepDescription(outputs: [output]), inputs: sample.inputs.map(\.signature), options: options)
          let found = try step.run(values)[0]
          let unit = Double(Float.ulpOfOne) / 2
          let worst = zip(zip(found.doubles(), exact.doubles()), size.doubles()).map {
            abs($0.0 - $0.1) / (Double(terms) * unit * $1 + 1e-30)
          }
          #expect(worst.allSatisfy { $0 <= 1 }, "\(name) \(sample.label) by \(variant): \(worst.max() ?? 0)")
          #expect(try step.run(values)[0] == found && step.run(values)[0] == found)
        }
      }
    }
  }

  @Test("The host computes in float64 where asked, planes of one channel included")
  func doubles() throws {
    let executor = try #require(TestDevice.present.first).executor()
    for groups in [1, 3] {
      let (x, w) = (numbers([2, 3, 7, 8], seed: 1), numbers([3, 3 / groups, 3, 3], seed: 2))
      let y = Tensor(x).convolved(with: Tensor(w), strides: [1, 2], padding: .same, groups: groups)
      let all = [y] + gradients(of: y.squared().sum(), withRespectTo: y.node.inputs.map { Tensor($0) })
      for (found, exact) in zip(try executor.values(of: all), referenceValues(of: all)) {
        // Sums of at most 64 products below 10 in float64.
        #expect(zip(found.doubles(), exact.doubles()).allSatisfy { abs($0 - $1) < 1e-12 })
      }
    }
  }

  @Test(
    "NaN and infinity in an element reach the windows that hold it, and no border",
    arguments: TestDevice.present)
  func special(_ device: TestDevice) throws {
    var elements = [Float](repeating: 1, count: 64)
    elements[0] = .nan
    elements[63] = .infinity
    let x = Tensor(elements, shape: [1, 1, 8, 8])
    let y = x.convolved(with: .ones([9, 1, 3, 3]), padding: .same)
    let found = try device.executor().values(of: [y])[0].doubles()
    for index in 0..<64 {
      let (row, column) = (index / 8, index % 8)
      #expect(found[index].isNaN == (row < 2 && column < 2))
      #expect(found[index].isInfinite == (row > 5 && column > 5))
    }
  }

  @Test("Gradients of first and second order agree with central differences")
  func derivatives() throws {
    let (x, w) = (input(0, [1, 4, 4, 3]), input(1, [2, 2, 3, 2]))
    let feeds = [x.node: numbers(x.shape, seed: 3), w.node: numbers(w.shape, seed: 4)]
    let y = x.convolved(
      with: w, strides: [2, 1], padding: .explicit(before: [1, 0], after: [0, 2]), dilations: [1, 2],
      groups: 2)
    let loss = (y * y * y).sum()
    // Central differences in float64 with a step of 1e-5 are good to about 1e-8 of values of this size.
    #expect(try gradientError(of: loss, in: x, feeding: feeds) < 1e-5)
    #expect(try gradientError(of: loss, in: w, feeding: feeds) < 1e-5)
    let first = gradients(of: loss, withRespectTo: [x, w])
    for part in first {
      let second = part.squared().sum() * 1e-3
      #expect(try gradientError(of: second, in: x, feeding: feeds) < 1e-4)
      #expect(try gradientError(of: second, in: w, feeding: feeds) < 1e-4)
    }
  }

  @Test("The transposed convolution is the adjoint, for any output padding")
  func adjoint() throws {
    for extra in [[0, 0], [1, 0], [2, 1]] {
      let w = Tensor(numbers([5, 3, 4, 2], seed: 5))
      let y = Tensor(numbers([2, 5, 4, 6], seed: 6))
      let options = (strides: [3, 2], padding: ConvolutionPadding.explicit(before: [1, 0], after: [2, 1]))
      let back = y.convolvedTransposed(
        with: w, strides: options.strides, padding: options.padding, outputPadding: extra)
      #expect(back.shape == [2, 3, 9 - 3 + 4 + extra[0], 10 - 1 + 2 + extra[1]])
      let x = Tensor(numbers(back.shape, seed: 7))
      let forth = x.convolved(with: w, strides: options.strides, padding: options.padding)
      let both = referenceValues(of: [(forth * y).sum(), (x * back).sum()]).map { $0.doubles()[0] }
      #expect(abs(both[0] - both[1]) < 1e-11)
    }
    let enlarged = Tensor.zeros([1, 4, 5, 7]).convolvedTransposed(
      with: .zeros([4, 2, 3, 1]), strides: [2, 3], padding: .same)
    #expect(enlarged.shape == [1, 2, 10, 21])
  }

  @Test("The same border makes the extent the input's over the stride, rounded up")
  func samePadding() {
    for (extent, stride, kernel) in [(7, 1, 3), (7, 2, 3), (8, 2, 2), (8, 3, 5), (5, 4, 1)] {
      let y = Tensor.zeros([1, 1, extent]).convolved(
        with: .zeros([1, 1, kernel]), strides: [stride], padding: .same)
      #expect(y.shape == [1, 1, (extent + stride - 1) / stride])
    }
  }
}
