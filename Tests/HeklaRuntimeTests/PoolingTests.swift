import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

@Suite(.serialized) struct PoolingTests {
  /// The windows of a plane of `extents` as lists of the positions that are not border.
  private func windows(
    _ extents: [Int], kernel: [Int], strides: [Int], before: [Int], after: [Int]
  ) -> (counts: [Int], positions: [[Int]]) {
    let counts = (0..<2).map { axis -> Int in
      let room: Int = before[axis] + extents[axis] + after[axis] - kernel[axis]
      return room / strides[axis] + 1
    }
    let positions = (0..<counts[0] * counts[1]).map { window -> [Int] in
      let top: Int = window / counts[1] * strides[0] - before[0]
      let left: Int = window % counts[1] * strides[1] - before[1]
      return (0..<kernel[0] * kernel[1]).compactMap { tap -> Int? in
        let (y, x): (Int, Int) = (top + tap / kernel[1], left + tap % kernel[1])
        return (0..<extents[0]).contains(y) && (0..<extents[1]).contains(x) ? y * extents[1] + x : nil
      }
    }
    return (counts, positions)
  }

  @Test("Windows have their first maximum, their mean, and gradients there", arguments: TestDevice.present)
  func planes(_ device: TestDevice) throws {
    // Few distinct values, so that maxima tie.
    let extents = [7, 6]
    let values = (0..<84).map { index -> Float in (RandomKey(seed: 5).uniform(at: index) * 4).rounded(.down) }
    let (kernel, strides, before, after) = ([3, 2], [2, 1], [1, 1], [2, 0])
    let x = Tensor(values, shape: [1, 2, 7, 6])
    let padding = ConvolutionPadding.explicit(before: before, after: after)
    let largest = x.maximumPooled(kernel, strides: strides, padding: padding)
    let mean = x.averagePooled(kernel, strides: strides, padding: padding)
    let full = x.averagePooled(kernel, strides: strides, padding: padding, countingBorder: true)
    let (counts, positions) = windows(extents, kernel: kernel, strides: strides, before: before, after: after)
    #expect(largest.shape == Shape([1, 2] + counts))
    let weights = Tensor((0..<largest.shape.count).map { Float($0 + 1) }, shape: largest.shape)
    let gradient = gradients(of: (largest * weights).sum(), withRespectTo: [x])[0]
    var expected = (
      largest: [Double](), mean: [Double](), full: [Double](), gradient: [Double](repeating: 0, count: 84)
    )
    for channel in 0..<2 {
      for (window, places) in positions.enumerated() {
        let elements = places.map { Double(values[channel * 42 + $0]) }
        let best = try #require(elements.max())
        let sum = elements.reduce(0, +)
        expected.largest.append(best)
        expected.mean.append(sum / Double(places.count))
        expected.full.append(sum / 6)
        let first = try #require(elements.firstIndex(of: best))
        expected.gradient[channel * 42 + places[first]] += Double(channel * positions.count + window + 1)
      }
    }
    let found = try device.executor().values(of: [largest, mean, full, gradient]).map { $0.doubles() }
    // Small whole numbers are exact; means are rounded a few times.
    #expect(found[0] == expected.largest)
    #expect(zip(found[1], expected.mean).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(zip(found[2], expected.full).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(found[3] == expected.gradient)
  }

  @Test("Adaptive and global pooling take nearly equal parts", arguments: TestDevice.present)
  func parts(_ device: TestDevice) throws {
    let x = Tensor([3, 1, 4, 1, 5, 5, 2] as [Float], shape: [1, 1, 7])
    let largest = x.maximumPooled(to: [3])
    let all = [
      largest, x.averagePooled(to: [3]), x.globalMaximumPooled(), x.globalAveragePooled(),
      gradients(of: x.globalMaximumPooled().sum(), withRespectTo: [x])[0],
      x.sliced(0..<6, along: 2).averagePooled(to: [2]),
    ]
    let found = try device.executor().values(of: all).map { $0.doubles() }
    #expect(found[0] == [4, 5, 5])
    #expect(zip(found[1], [8.0 / 3, 10.0 / 3, 4]).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(found[2] == [5])
    #expect(abs(found[3][0] - 3) < 1e-5)
    #expect(found[4] == [0, 0, 0, 0, 1, 0, 0])
    #expect(zip(found[5], [8.0 / 3, 11.0 / 3]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("Pooling works over one and three axes, and NaN wins")
  func axes() {
    let cube = Tensor((0..<27).map(Float.init), shape: [1, 1, 3, 3, 3])
    #expect(
      referenceValues(of: [cube.maximumPooled([2, 2, 2], strides: [1, 1, 1])])[0].doubles() == [
        13, 14, 16, 17, 22, 23, 25, 26,
      ])
    #expect(referenceValues(of: [cube.averagePooled([3, 3, 3])])[0].doubles() == [13])
    let line = Tensor([1, .nan, 3, 4] as [Float], shape: [1, 1, 4])
    let found = referenceValues(of: [line.maximumPooled([2])])[0].doubles()
    #expect(found[0].isNaN && found[1] == 4)
  }
}
