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
      [x.fft(along: 1), x.inverseFFT(along: 2), real.rfft(), x.fft2D()] + gradients(of: loss, withRespectTo: [x, real])
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

  @Test func `a wave has one frequency`() {
    // Four numbers once around the circle.
    let wave = Tensor([1, 0, 0, 1, -1, 0, 0, -1] as [Float], shape: [4, 2])
    let got = referenceValues(of: [wave.fft()])[0].doubles()
    for (value, wanted) in zip(got, [0, 0, 4, 0, 0, 0, 0, 0] as [Double]) { #expect(abs(value - wanted) < 1e-12) }
  }
}
