import Foundation
import HeklaArrays
import HeklaRuntime
import HeklaTensors
import RuntimeTestSupport
import Testing

/// Functions of single numbers where drivers' own versions are too coarse, or take liberties.
@Suite struct ScalarFunctionTests {
  /// The results of `outputs` for float32 arguments, on `device`.
  private func results(
    on device: TestDevice, of arguments: [[Float]], _ outputs: ([Tensor]) -> [Tensor]
  ) throws -> [[Double]] {
    let arrays = arguments.map { HostArray($0) }
    let signatures = arrays.map { Signature($0.shape, $0.elementType) }
    return try device.run { executor in
      try executor.compile(inputs: signatures) { StepDescription(outputs: outputs($0)) }
        .run(arrays).map { $0.doubles() }
    }
  }

  @Test(arguments: TestDevice.present)
  func `inverse trigonometric functions are exact to a few units in the last place`(device: TestDevice) throws
  {
    var shares: [Float] = [1e-6, -3e-4, 0.999_999]
    for step in -200...200 { shares.append(Float(step) / 200) }
    // From tiny to huge, of both signs.
    let wide = shares.indices.map { index -> Float in
      let size = Float(exp(Double(index - 200) / 10))
      return index % 2 == 0 ? size : -size
    }
    let found = try results(on: device, of: [shares, wide]) { x in
      [
        x[0].map { .asin($0) }, x[0].map { .acos($0) }, x[1].map { .atan($0) },
        Tensor.map(x[0], x[1]) { .atan2($0, $1) },
      ]
    }
    let wanted: [[Double]] = [
      shares.map { asin(Double($0)) }, shares.map { acos(Double($0)) }, wide.map { atan(Double($0)) },
      zip(shares, wide).map { atan2(Double($0), Double($1)) },
    ]
    // Cephes's functions are off by up to 3 units; Vulkan allows 2.5 more to each division and root, of which up to
    // two are made one after the other.
    for function in wanted.indices {
      for (value, want) in zip(found[function], wanted[function]) where value != want {
        let allowed = max(10 * Double(Float(want).ulp), Double(Float.leastNormalMagnitude))
        #expect(abs(value - want) <= allowed, "function \(function): \(value), not \(want)")
      }
    }
  }

  @Test(arguments: TestDevice.present)
  func `the angle of special points is that of IEEE 754`(device: TestDevice) throws {
    let values: [Float] = [0, -0.0, 1, -1, .infinity, -.infinity, .nan]
    let (y, x) = (values.flatMap { y in values.map { _ in y } }, values.flatMap { _ in values })
    let found = try results(on: device, of: [y, x]) { [Tensor.map($0[0], $0[1]) { .atan2($0, $1) }] }[0]
    for (index, value) in found.enumerated() {
      let want = atan2(Double(y[index]), Double(x[index]))
      #expect(
        abs(value - want) <= 1e-6 || (value.isNaN && want.isNaN),
        "atan2(\(y[index]), \(x[index])): \(value), not \(want)")
      if want == 0 { #expect(value.sign == want.sign, "atan2(\(y[index]), \(x[index]))") }
    }
    let outside = try results(on: device, of: [[1.0001, -2, .infinity, .nan]]) { x in
      [x[0].map { .asin($0) }, x[0].map { .acos($0) }]
    }
    #expect(outside.joined().allSatisfy { $0.isNaN })
  }

  @Test(arguments: TestDevice.present)
  func `what is finite is told from what is not`(device: TestDevice) throws {
    let values: [Float] = [0, .nan, .infinity, -.infinity, 1, -Float.greatestFiniteMagnitude]
    let found = try results(on: device, of: [values]) { [$0[0].isFinite()] }[0]
    #expect(found == [1, 0, 0, 0, 1, 1])
  }
}
