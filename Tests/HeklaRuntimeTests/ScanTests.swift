import Foundation
import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct ScanTests {
  @Test(arguments: TestDevice.present)
  func `whole numbers are summed exactly along rows and columns of any length`(device: TestDevice) throws {
    try device.run { executor in
      for extent in [1, 2, 33, 1_023, 1_024, 1_025, 2_049] {
        for isReversed in [false, true] {
          let x = Tensor((0..<3 * extent).map { Int32($0 % 17) - 8 }, shape: [3, extent])
          let outputs = [
            x.cumulativeSum(along: 1, isReversed: isReversed),
            x.transposed().cumulativeSum(along: 0, isExclusive: true, isReversed: isReversed),
            x.cumulativeMaximum(along: 1, isReversed: isReversed),
          ]
          let got = try executor.values(of: outputs)
          #expect(got == referenceValues(of: outputs), "\(device.name) \(extent)")
        }
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `from the first NaN on a running maximum is NaN`(device: TestDevice) throws {
    try device.run { executor in
      var values = (0..<200).map { Float($0 % 60) }
      values[150] = .nan
      let got = try executor.values(of: [Tensor(values).cumulativeMaximum(along: 0)])[0].elements(
        as: Float.self)
      #expect(got[149] == 59 && got[150...].allSatisfy(\.isNaN))
    }
  }

  @Test func `a long row summed in chunks is right and has the same bits every time`() throws {
    let executor = try TestDevice.cpu.executor()
    let x = Tensor((0..<300_000).map { Float($0 % 7) - 3 })
    let step = try executor.compile(StepDescription(outputs: [x.cumulativeSum(along: 0)]))
    let got = try step.run()
    // Partial sums are whole and small, so floats hold them exactly.
    #expect(got[0].doubles() == referenceValues(of: [x.cumulativeSum(along: 0)])[0].doubles())
    #expect(try step.run() == got)
  }

  @Test(arguments: [false, true])
  func `the gradient of a running product is right where elements are zero`(isReversed: Bool) {
    let numbers: [Double] = [2, 0, 3, 0.5, 0]
    let weights: [Double] = [1, -2, 0.5, 3, 1]
    func loss(_ numbers: [Double]) -> Double {
      var (product, sum) = (1.0, 0.0)
      for i in isReversed ? Array(numbers.indices.reversed()) : Array(numbers.indices) {
        product *= numbers[i]
        sum += weights[i] * product
      }
      return sum
    }
    let x = Tensor(numbers)
    let gradient = gradients(
      of: (x.cumulativeProduct(along: 0, isReversed: isReversed) * Tensor(weights)).sum(), withRespectTo: [x])[
        0]
    for (position, got) in referenceValues(of: [gradient])[0].doubles().enumerated() {
      var (above, below) = (numbers, numbers)
      above[position] += 0.5
      below[position] -= 0.5
      // The loss is linear in each element, so the difference is the derivative but for rounding.
      #expect(abs(loss(above) - loss(below) - got) < 1e-12)
    }
  }

  @Test(arguments: [false, true])
  func `sums of exponentials run on in logarithms without overflow`(isReversed: Bool) {
    let rows: [[Double]] = [
      [-1000, 0, 1000, 999, -1000], [-.infinity, -.infinity, -700, 2, -.infinity], [5, -3, 800, 1, 801],
    ]
    let got = referenceValues(of: [
      Tensor(rows.flatMap { $0 }, shape: [3, 5]).cumulativeLogSumExp(along: 1, isReversed: isReversed)
    ])[0].doubles()
    for (number, row) in rows.enumerated() {
      for place in 0..<5 {
        let terms = isReversed ? row[place...] : row[...place]
        let largest = terms.max() ?? 0
        let wanted =
          largest == -.infinity
          ? largest : largest + Foundation.log(terms.map { Foundation.exp($0 - largest) }.reduce(0, +))
        let value = got[number * 5 + place]
        // A few roundings of numbers of up to 1000.
        #expect(value == wanted || abs(value - wanted) < 1e-12)
      }
    }
  }

  @Test func `an exclusive scan starts with what changes nothing`() {
    let x = Tensor([3, 5, 4] as [Float])
    let got = referenceValues(of: [
      x.cumulativeSum(along: 0, isExclusive: true),
      x.cumulativeProduct(along: 0, isExclusive: true, isReversed: true),
      x.cumulativeMinimum(along: 0, isExclusive: true),
    ])
    #expect(got.map { $0.doubles() } == [[0, 3, 8], [20, 4, 1], [.infinity, 3, 3]])
  }
}
