import Foundation
import HeklaArrays
import HeklaTensors

extension CaseFamily {
  static let fft = CaseFamily(
    "fft",
    shape: CaseShape(
      "BATCHxN", rule: "It is BATCHxN, such as 1024x4096: BATCH rows of N complex numbers.", counts: 2...2,
      usual: "1024x4096", software: "64x256", arrays: { extents, _ in [extents + [2]] }),
    summary: "the discrete Fourier transform of each row of N complex numbers",
    members: [Member("fft", types: [.float32, .float64]) { .fft($0) }])
}

extension BenchmarkCase {
  fileprivate static func fft(_ parameters: CaseParameters) -> BenchmarkCase {
    let (batch, n) = (parameters.extents[0], parameters.extents[1])
    let type = parameters.elementType
    return BenchmarkCase(
      "fft", shape: parameters.shape, elementType: type, inputs: [.numbers([batch, n, 2], type)],
      // What is counted for a transform of a power of two, as is usual for every length.
      operationCount: 5 * Double(batch) * Double(n) * log2(Double(n)), primitive: "fourier",
      build: { [$0[0].fft()] },
      largestError: { inputs, outputs in
        CheckedTransform(batch: batch, n: n, roundoff: type.arithmeticRoundoff)
          .largestError(of: outputs[0].doubles(), inputs[0].doubles())
      })
  }
}

/// Discrete Fourier transforms whose elements can be computed one by one.
private struct CheckedTransform {
  let batch, n: Int
  let roundoff: Double

  /// The largest error among the frequencies that are looked at, and of the energy of every row.
  ///
  /// A transform of radices p is off by at most the sum of some p + 6 units each, of the Euclidean norm of the whole
  /// result, which is sqrt(n) times that of the row (Higham 2002, theorem 24.2, has 1 + 4 sqrt(2) for radix 2 with
  /// roots that are rounded once; a radix p sums p terms). That bounds every element. A large prime factor p may be
  /// done by three transforms of a power of two of up to 4 p numbers, with a filter whose frequencies are up to four
  /// times those of white noise.
  func largestError(of output: [Double], _ input: [Double]) -> Double {
    var error = LargestError()
    let roots = (0..<n).map { power -> SIMD2<Double> in
      let angle = 2 * Double.pi * Double(power) / Double(n)
      return [cos(angle), -sin(angle)]
    }
    var frequencies: [Int: [Int]] = [:]
    // Beyond some 2^22 products a sample of frequencies.
    for position in sampledPositions(of: batch * n, atMost: max((1 << 22) / n, 64)) {
      frequencies[position / n, default: []].append(position % n)
    }
    for row in 0..<batch {
      let start = row * n * 2
      let energy = input[start..<(start + 2 * n)].reduce(0) { $0 + $1 * $1 }
      let allowed = units * roundoff * (Double(n) * energy).squareRoot()
      for frequency in frequencies[row] ?? [] {
        let value = element(frequency, of: input, from: start, roots)
        for part in 0..<2 {
          error.compare(output[start + 2 * frequency + part], with: value[part], allowing: allowed)
        }
      }
      // Parseval: an error of the norm is at most the norm of the error.
      let norm = output[start..<(start + 2 * n)].reduce(0) { $0 + $1 * $1 }.squareRoot()
      error.compare(norm, with: (Double(n) * energy).squareRoot(), allowing: allowed)
    }
    return error.value
  }

  private func element(
    _ frequency: Int, of input: [Double], from start: Int, _ roots: [SIMD2<Double>]
  ) -> SIMD2<Double> {
    var (real, imaginary) = (CompensatedSum(), CompensatedSum())
    var power = 0
    for place in 0..<n {
      let (root, a, b) = (roots[power], input[start + 2 * place], input[start + 2 * place + 1])
      real.add(a, times: root.x)
      real.add(-b, times: root.y)
      imaginary.add(a, times: root.y)
      imaginary.add(b, times: root.x)
      power += frequency
      if power >= n { power -= n }
    }
    return [real.value, imaginary.value]
  }

  private var units: Double {
    var (rest, factor, units) = (n, 2, 1.0)
    while rest > 1 {
      if factor * factor > rest { factor = rest }
      guard rest % factor == 0 else {
        factor += 1
        continue
      }
      rest /= factor
      units += factor > 100 ? 4 * 3 * 8 * log2(4 * Double(factor)) + Double(factor) : Double(factor + 6)
    }
    return units
  }
}
