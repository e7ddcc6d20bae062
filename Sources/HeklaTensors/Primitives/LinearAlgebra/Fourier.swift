import Foundation
import HeklaArrays
import HeklaDevices

/// `X[k] = sum over j of x[j] e^(-2 pi i j k / n)` for each row of complex numbers `[rows, n, 2]`; the inverse has
/// the other sign and is not divided by n.
///
/// The second input is `[n, 2]`, the powers of `e^(-2 pi i / n)`: devices' own sines are too coarse.
struct Fourier: Primitive {
  let isInverse: Bool

  var name: String { "fourier" }
  var attributes: String { isInverse ? "inverse" : "" }

  /// The transform of `rows`, `[rows, n, 2]`: by this operation where n has no large prime factor, which costs it p
  /// operations a number, else by three transforms of a power of two.
  static func transform(_ rows: Tensor, isInverse: Bool) -> Tensor {
    let n = rows.shape[1]
    guard (radices(of: n).max() ?? 1) <= largestRadix else { return chirped(rows, isInverse: isInverse) }
    return Tensor(Fourier(isInverse: isInverse), [rows, Tensor(roots(n, rows.elementType))])
  }

  /// Beyond this a direct sum costs more than three longer transforms of radix 4.
  private static let largestRadix = 100

  /// The transform as a convolution with a chirp, since `j k = (j^2 + k^2 - (k - j)^2) / 2`.
  /// Source: Bluestein 1970, "A linear filtering approach to the computation of discrete Fourier transform".
  private static func chirped(_ rows: Tensor, isInverse: Bool) -> Tensor {
    let (n, type) = (rows.shape[1], rows.elementType)
    var length = 4
    while length < 2 * n - 1 { length *= 2 }
    let sign = isInverse ? 1.0 : -1.0
    // The angle repeats when j^2 grows by 2 n; the remainder keeps it exact.
    let chirp = (0..<n).map { j -> (real: Double, imaginary: Double) in
      let angle = sign * Double.pi * Double(j * j % (2 * n)) / Double(n)
      return (cos(angle), sin(angle))
    }
    var filter = [Double](repeating: 0, count: 2 * length)
    for (j, value) in chirp.enumerated() {
      for place in [j, (length - j) % length] {
        filter[2 * place] = value.real
        filter[2 * place + 1] = -value.imaginary
      }
    }
    let turns = Tensor(
      HostArray(converting: chirp.flatMap { [$0.real, $0.imaginary] }, shape: [1, n, 2], to: type))
    let response = transform(
      Tensor(HostArray(converting: filter, shape: [1, length, 2], to: type)), isInverse: false)
    let padded = rows.complexProduct(turns).padded(after: [0, length - n, 0])
    let product = transform(padded, isInverse: false).complexProduct(response)
    let convolution = transform(product, isInverse: true).sliced(0..<n, along: 1)
    return convolution.complexProduct(turns) * (1 / Double(length))
  }

  /// The powers of `e^(-2 pi i / n)`, each rounded once.
  private static func roots(_ n: Int, _ type: ElementType) -> HostArray {
    let numbers = (0..<n).flatMap { power -> [Double] in
      let angle = 2 * Double.pi * Double(power) / Double(n)
      return [cos(angle), -sin(angle)]
    }
    return HostArray(converting: numbers, shape: [n, 2], to: type)
  }

  // MARK: Shape

  func signature(of inputs: [Signature]) -> Signature {
    let (rows, roots) = (inputs[0], inputs[1])
    require(
      rows.shape.rank == 3 && rows.shape[2] == 2 && rows.elementType.isReal
        && roots == Signature([rows.shape[1], 2], rows.elementType),
      "fourier: \(rows) with roots \(roots); rows must be [rows, n, 2] of float32 or float64")
    return rows
  }

  // MARK: Gradient

  /// The conjugate transpose of the matrix of powers is the transform with the other sign.
  func gradient(_ context: GradientContext) -> [Tensor?] {
    [Self.transform(context.upstream, isInverse: !isInverse), nil]
  }

  // MARK: Reference

  func reference(_ inputs: [HostArray], signature: Signature) -> HostArray {
    let (rows, n) = (signature.shape[0], signature.shape[1])
    let x = inputs[0].doubles()
    let sign = isInverse ? 1.0 : -1.0
    var results: [Double] = []
    for row in 0..<rows {
      for k in 0..<n {
        var (real, imaginary) = (0.0, 0.0)
        for j in 0..<n {
          let angle = sign * 2 * Double.pi * Double(j * k % n) / Double(n)
          let (a, b) = (x[(row * n + j) * 2], x[(row * n + j) * 2 + 1])
          real += a * cos(angle) - b * sin(angle)
          imaginary += a * sin(angle) + b * cos(angle)
        }
        results += [real, imaginary]
      }
    }
    return HostArray(converting: results, shape: signature.shape, to: signature.elementType)
  }

  // MARK: Operations

  /// 5 n log2(n) a row, as is usual for every length.
  func operationCount(of inputs: [Signature]) -> Double? {
    let (rows, n) = (Double(inputs[0].shape[0]), Double(inputs[0].shape[1]))
    return rows * 5 * n * log2(n)
  }

  // MARK: Lowering

  var lowering: Lowering { .kernels(variants) }

  // MARK: Samples

  static var samples: [Sample] {
    [
      ("one", 3, 1), ("two", 65, 2), ("three", 1, 3), ("seven", 5, 7), ("power", 3, 64), ("edge-257", 1, 257),
      ("radices-60", 2, 60), ("prime-31", 2, 31), ("odd-105", 1, 105),
      ("long-1024", 1, 1024),
    ]
    .map { label, rows, n in
      // A radix sums its terms one after the other, p at most 31 here; the largest result exceeds the root mean
      // square, to which the error is proportional (Higham 2002, section 24.1).
      Sample(
        label, inputs: [.init([rows, n, 2])], tolerance: .normwise(64),
        flops: Fourier(isInverse: false).flops([rows, n, 2], [n, 2]),
        isDifferentiable: n < 100
      ) { transform($0[0], isInverse: n == 60) }
    }
  }
}

extension Fourier {
  /// On the host and in shared memory all passes at once; longer rows with a dispatch per radix.
  var variants: [KernelVariant] {
    [
      KernelVariant("host", applies: { device, _, _ in device.interface == .host }) { _, output, _ in
        let body = KernelCall.Body.host(
          "fourier",
          [output.elementType == .float64 ? 1 : 0, output.shape[0], output.shape[1], isInverse ? 1 : 0])
        return KernelProgram([KernelCall(body, bindings: [.input(0), .input(1), .output])])
      },
      KernelVariant(
        "shared",
        applies: { device, _, output in
          device.runs(output.elementType, localSize: 64)
            && 4 * Self.capacity(output.shape[1]) * output.elementType.byteCount
              <= device.sharedMemoryByteCount
        },
        program: { _, output, _ in
          let constants: [UInt32: UInt32] = [
            0: 64, 1: isInverse ? 1 : 0, 2: UInt32(Self.capacity(output.shape[1])),
          ]
          return KernelProgram([
            KernelCall(
              .shader("fourier_shared", constants: constants, defines: output.elementType.scalarDefines),
              bindings: [.input(0), .input(1), .output], groupCount: GroupCount(folding: output.shape[0]),
              pushConstants: [UInt32(output.shape[0]), UInt32(output.shape[1])])
          ])
        }),
      KernelVariant(
        "passes", applies: { device, _, output in device.runs(output.elementType, localSize: 64) },
        program: passes),
    ]
  }

  /// Elements of shared memory for rows of `n`, so that lengths share kernels.
  private static func capacity(_ n: Int) -> Int {
    var capacity = 256
    while capacity < n { capacity *= 2 }
    return capacity
  }

  private func passes(_ inputs: [Signature], _ output: Signature, _ device: Capabilities) -> KernelProgram {
    let (rows, n) = (output.shape[0], output.shape[1])
    let radices = Self.radices(of: n)
    var program = KernelProgram(
      [], temporaries: [Int](repeating: output.byteCount, count: min(radices.count - 1, 2)))
    var (source, done): (KernelCall.Operand, Int) = (.input(0), 1)
    for (number, radix) in radices.enumerated() {
      let target: KernelCall.Operand = number == radices.count - 1 ? .output : .temporary(number % 2)
      program.calls.append(
        KernelCall(
          .shader(
            "fourier_pass", constants: [0: 64, 1: isInverse ? 1 : 0],
            defines: output.elementType.scalarDefines),
          bindings: [source, .input(1), target], groupCount: GroupCount(folding: (rows * n).groups(of: 64)),
          pushConstants: [rows, n, radix, done].map(UInt32.init)))
      (source, done) = (target, done * radix)
    }
    return program
  }

  /// Fours, then primes ascending; a single 1 for rows of one.
  static func radices(of n: Int) -> [Int] {
    var (rest, radix): (Int, Int) = (n, 4)
    var radices: [Int] = []
    while rest > 1 {
      if rest % radix == 0 {
        radices.append(radix)
        rest /= radix
      } else {
        radix = radix == 4 ? 2 : radix == 2 ? 3 : radix * radix > rest ? rest : radix + 2
      }
    }
    return radices.isEmpty ? [1] : radices
  }
}
