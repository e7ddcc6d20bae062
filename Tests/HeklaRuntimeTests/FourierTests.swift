import Foundation
import HeklaArrays
import HeklaTensors
import RuntimeTestSupport
import TestSupport
import Testing

@testable import HeklaRuntime

/// What is made of the Fourier transform: axes, inverses, real numbers.
@Suite struct FourierTests {
  private static func random(_ shape: Shape, seed: UInt64) -> Tensor {
    var numbers = RandomNumbers(seed: seed)
    return Tensor((0..<shape.count).map { _ in Float(numbers.real(in: -1...1)) }, shape: shape)
  }

  @Test(arguments: TestDevice.present)
  func `transforms agree with their references and come back`(device: TestDevice) throws {
    let (x, real) = (Self.random([2, 12, 5, 2], seed: 1), Self.random([3, 14], seed: 2))
    let odd = Self.random([9, 2], seed: 3)
    let loss = (x.fft2D().squared() * 0.01).sum() + real.rfft().squared().sum() * 0.1
    let pairs = [
      (x.fft2D().inverseFFT2D(), x), (real.rfft().irfft(count: 14), real),
      (odd.rfft(along: 0).irfft(count: 9, along: 0), odd),
    ]
    let outputs =
      [x.fft(along: 1), x.inverseFFT(along: 2), real.rfft(), x.fft2D()]
      + gradients(of: loss, withRespectTo: [x, real])
      + pairs.map(\.0)
    try device.run { executor in
      let got = try executor.compile(StepDescription(outputs: outputs)).run()
      // Sums of at most 60 numbers below 1, through radices of at most 7: 2e-5 is 30 half-units of 10.
      for (index, (got, wanted)) in zip(got, referenceValues(of: outputs)).enumerated() {
        let difference = disagreement(got, wanted, within: 2e-5)
        #expect(difference == nil, "\(device.name) output \(index): \(difference ?? "")")
      }
      for (got, wanted) in zip(got.suffix(3), referenceValues(of: pairs.map(\.1))) {
        #expect(disagreement(got, wanted, within: 1e-6) == nil)
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `lengths with large prime factors are transformed, there and back`(device: TestDevice) throws {
    for n in [103, 2 * 107] {
      let x = Self.random([2, n, 2], seed: UInt64(n))
      let outputs =
        [x.fft(), x.fft().inverseFFT()] + gradients(of: x.fft().squared().sum(), withRespectTo: [x])
      let numbers = referenceValues(of: [x])[0].doubles()
      let wanted = (0..<2 * n).flatMap { place -> [Double] in
        let terms = (0..<n).map { j -> (Double, Double) in
          let angle = -2 * Double.pi * Double(j * (place % n) % n) / Double(n)
          let (a, b) = (numbers[2 * (place / n * n + j)], numbers[2 * (place / n * n + j) + 1])
          return (a * cos(angle) - b * sin(angle), a * sin(angle) + b * cos(angle))
        }
        return [terms.reduce(0) { $0 + $1.0 }, terms.reduce(0) { $0 + $1.1 }]
      }
      try device.run { executor in
        let got = try executor.compile(StepDescription(outputs: outputs)).run()
        // Three transforms of 1,024 numbers and less, of values up to 50: 2e-4 is 60 half-units.
        #expect(disagreement(got[0], HostArray(wanted, shape: [2, n, 2]), within: 2e-4) == nil)
        #expect(disagreement(got[1], HostArray(numbers, shape: [2, n, 2]), within: 2e-5) == nil)
        // Parseval: the squares of the transform sum to n times those of the numbers, so this gradient is 2 n x.
        let slopes = HostArray(numbers.map { 2 * Double(n) * $0 }, shape: [2, n, 2])
        #expect(disagreement(got[2], slopes, within: 1e-2) == nil)
      }
    }
  }

  @Test func `a wave has one frequency`() {
    // Four numbers once around the circle.
    let wave = Tensor([1, 0, 0, 1, -1, 0, 0, -1] as [Float], shape: [4, 2])
    let got = referenceValues(of: [wave.fft()])[0].doubles()
    for (value, wanted) in zip(got, [0, 0, 4, 0, 0, 0, 0, 0] as [Double]) {
      #expect(abs(value - wanted) < 1e-12)
    }
  }
}
