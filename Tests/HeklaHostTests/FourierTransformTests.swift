import Foundation
import HeklaArrays
import HeklaDevices
import Testing

@testable import HeklaHost

/// Fourier transforms of rows, against the sums that they are.
@Suite struct FourierTransformTests {
  /// Lengths that vectors transform, with radices of 4, 2, 3 and 7, and some that they do not.
  private static let lengths = [1, 15, 48, 256, 512, 768, 1_792, 2_048, 4_096]

  @Test(arguments: lengths)
  func `a row is transformed at every level, in both precisions and both ways`(n: Int) throws {
    var generator = Generator(seed: UInt64(n))
    let rows = 3
    let numbers = (0..<rows * n * 2).map { _ in Double(Float.random(in: -1...1, using: &generator)) }
    let roots = (0..<n).flatMap { power -> [Double] in
      let angle = -2 * Double.pi * Double(power) / Double(n)
      return [cos(angle), sin(angle)]
    }
    for type in [ElementType.float32, .float64] {
      for isInverse in [false, true] {
        let sign: Double = isInverse ? -1 : 1
        let parameters = [type == .float64 ? 1 : 0, rows, n, isInverse ? 1 : 0]
        let transform = try #require(FourierTransform(parameters))
        let memory = [
          HostArray(converting: numbers, shape: [rows, n, 2], to: type),
          HostArray(converting: roots, shape: [n, 2], to: type), HostArray(zeros: [rows, n, 2], of: type),
        ]
        for library in OperationTests.levels {
          let found = try run(transform.source(library: library), on: memory)[2].doubles()
          // Of long rows some sixty frequencies, since each takes a sum over all of it.
          for frequency in stride(from: 0, to: n, by: max(1, n / 61)) {
            for row in 0..<rows {
              var (real, imaginary, energy) = (0.0, 0.0, 0.0)
              for place in 0..<n {
                let power = frequency * place % n
                let (c, s) = (roots[2 * power], sign * roots[2 * power + 1])
                let (a, b) = (numbers[2 * (row * n + place)], numbers[2 * (row * n + place) + 1])
                real += a * c - b * s
                imaginary += a * s + b * c
                energy += a * a + b * b
              }
              // Some p + 6 units for each radix p, of the norm of the whole result (Higham 2002, theorem 24.2): at
              // most 7 radices of up to 7 here.
              let unit = type == .float64 ? 0x1p-53 : 0x1p-24
              let allowed = 13 * 7 * unit * (Double(n) * energy).squareRoot()
              let at = 2 * (row * n + frequency)
              #expect(
                abs(found[at] - real) <= allowed && abs(found[at + 1] - imaginary) <= allowed,
                "\(library.name) \(type) \(isInverse) row \(row), frequency \(frequency)")
            }
          }
        }
      }
    }
  }
}
