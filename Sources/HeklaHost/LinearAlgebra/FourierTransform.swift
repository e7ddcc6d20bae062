import CHostLoops
import HeklaDevices

/// The unscaled discrete Fourier transform of each row of complex numbers.
///
/// Parameters: 1 for float64 (0 float32), rows, n, 1 for the other sign. Bindings: source [rows, n, 2], the powers
/// of e^(-2 pi i / n) [n, 2], result [rows, n, 2].
/// Stockham's self-sorting transform with radices 4, 2, 3, 5, ... (Van Loan 1992, section 1.7): a prime p costs
/// p operations per number. Rows in parallel. Where the length is a multiple of 256, sixteen parts of a row are
/// transformed side by side in vectors, and joined.
struct FourierTransform: Sendable {
  static let name = "fourier"

  private let isDouble, isInverse: Bool
  private let rows, n: Int
  /// Of a row, or of a sixteenth of one that is done in vectors.
  private let radices: [Int]
  private let isVectored: Bool

  init?(_ parameters: [Int]) {
    guard parameters.count == 4, parameters.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      return nil
    }
    isDouble = parameters[0] == 1
    rows = parameters[1]
    n = parameters[2]
    isInverse = parameters[3] == 1
    isVectored = n > 0 && n.isMultiple(of: 256)
    radices = Self.radices(of: isVectored ? n / 16 : n)
  }

  private static func radices(of n: Int) -> [Int] {
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
    return radices
  }

  var source: HostSource { source(library: .best) }

  /// The same at another level of vector instructions.
  func source(library: BlockLibrary) -> HostSource {
    HostSource(name: Self.name, key: "\(library.name) \(isDouble) \(rows) \(n) \(isInverse)") {
      (arguments: HostArguments) throws(DeviceError) in
      let transform = library.fourier(isDouble: isDouble)
      if isDouble {
        try run(arguments, as: Double.self, transform)
      } else {
        try run(arguments, as: Float.self, transform)
      }
    }
  }

  private func run<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ arguments: HostArguments, as type: Element.Type, _ transform: HostFourier
  ) throws(DeviceError) {
    let count = rows * n * 2
    let input = try arguments.elements(0, count: count, as: type, kernel: Self.name)
    let table = try arguments.elements(1, count: n * 2, as: type, kernel: Self.name)
    let output = try arguments.elements(2, count: count, as: type, kernel: Self.name)
    guard count > 0, let from = input.baseAddress, let roots = table.baseAddress, let to = output.baseAddress
    else {
      return
    }
    if isVectored {
      runVectored(from, to, roots, transform)
      return
    }
    ThreadPool.shared.parallel(count: rows) { row in
      let (source, result) = (from + row * 2 * n, to + row * 2 * n)
      let scratch = UnsafeMutablePointer<Element>.allocate(capacity: 2 * n)
      defer { scratch.deallocate() }
      // The passes write both in turn, the last one the result.
      var (current, next) = radices.count % 2 == 0 ? (result, scratch) : (scratch, result)
      current.update(from: source, count: 2 * n)
      var done = 1
      for radix in radices {
        let pass = Pass(
          source: current, target: next, roots: roots, n: n, done: done, sign: isInverse ? -1 : 1)
        if radix == 4 { pass.runFours() } else { pass.run(radix: radix) }
        swap(&current, &next)
        done *= radix
      }
      if radices.isEmpty { result.update(from: source, count: 2 * n) }
    }
  }

  private func runVectored<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ from: UnsafeMutablePointer<Element>, _ to: UnsafeMutablePointer<Element>,
    _ roots: UnsafeMutablePointer<Element>, _ transform: HostFourier
  ) {
    let part = n / 16
    let turns = UnsafeMutablePointer<Element>.allocate(capacity: 2 * n)
    defer { turns.deallocate() }
    for lane in 0..<16 {
      for place in 0..<part {
        let power = 2 * lane * place
        let turn = turns + 2 * (lane * part + place / 16 * 16) + place % 16
        turn[0] = roots[power]
        turn[16] = isInverse ? -roots[power + 1] : roots[power + 1]
      }
    }
    radices.map(Int32.init).withUnsafeBufferPointer { radices in
      guard let first = radices.baseAddress else { return }
      let row = HostFourierRow(
        count: n, radices: first, radix_count: radices.count, roots: roots, turns: turns,
        sign: isInverse ? -1 : 1)
      ThreadPool.shared.parallel(count: rows) { number in
        let scratch = UnsafeMutablePointer<Element>.allocate(capacity: 2 * n)
        defer { scratch.deallocate() }
        withUnsafePointer(to: row) { transform($0, from + 2 * n * number, to + 2 * n * number, scratch) }
      }
    }
  }

  /// One radix over a row.
  private struct Pass<Element: BinaryFloatingPoint & BitwiseCopyable> {
    let source, target, roots: UnsafeMutablePointer<Element>
    let n, done: Int
    /// 1, or -1 for the inverse.
    let sign: Element

    /// Number `at` of the source, turned by `power`.
    @inline(__always)
    private func turned(_ at: Int, by power: Int) -> (real: Element, imaginary: Element) {
      let (a, b) = (source[2 * at], source[2 * at + 1])
      let (c, s) = (roots[2 * power], sign * roots[2 * power + 1])
      return (a * c - b * s, a * s + b * c)
    }

    func runFours() {
      let (quarter, turn) = (n / 4, n / (4 * done))
      for block in 0..<quarter / done {
        for place in 0..<done {
          let from = block * done + place
          let to = target + 2 * (block * done * 4 + place)
          let x0 = (real: source[2 * from], imaginary: source[2 * from + 1])
          let x1 = turned(from + quarter, by: place * turn)
          let x2 = turned(from + 2 * quarter, by: 2 * place * turn)
          let x3 = turned(from + 3 * quarter, by: 3 * place * turn)
          let sum = (real: x0.real + x2.real, imaginary: x0.imaginary + x2.imaginary)
          let difference = (real: x0.real - x2.real, imaginary: x0.imaginary - x2.imaginary)
          let odd = (real: x1.real + x3.real, imaginary: x1.imaginary + x3.imaginary)
          // A quarter turn of the difference: times -i, or i for the inverse.
          let quarterTurn = (
            real: sign * (x1.imaginary - x3.imaginary), imaginary: sign * (x3.real - x1.real)
          )
          to[0] = sum.real + odd.real
          to[1] = sum.imaginary + odd.imaginary
          to[2 * done] = difference.real + quarterTurn.real
          to[2 * done + 1] = difference.imaginary + quarterTurn.imaginary
          to[4 * done] = sum.real - odd.real
          to[4 * done + 1] = sum.imaginary - odd.imaginary
          to[6 * done] = difference.real - quarterTurn.real
          to[6 * done + 1] = difference.imaginary - quarterTurn.imaginary
        }
      }
    }

    func run(radix: Int) {
      let (stride, turn) = (n / radix, n / (radix * done))
      for block in 0..<stride / done {
        for within in 0..<radix * done {
          let from = block * done + within % done
          var (real, imaginary): (Element, Element) = (0, 0)
          var power = 0
          for term in 0..<radix {
            let x = turned(from + term * stride, by: power)
            real += x.real
            imaginary += x.imaginary
            power += within * turn
            if power >= n { power -= n }
          }
          let to = target + 2 * (block * done * radix + within)
          to[0] = real
          to[1] = imaginary
        }
      }
    }
  }
}
