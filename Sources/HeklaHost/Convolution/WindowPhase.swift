/// Positions of a convolution's target that meet the same taps: all outputs, or the inputs of one remainder per axis.
struct WindowPhase: Sendable {
  let axes: [WindowAxis]
  /// The taps' numbers in the kernel.
  let taps: [Int]

  init(_ axes: [WindowAxis], kernel: [Int]) {
    self.axes = axes
    taps = axes[0].taps.flatMap { z in
      axes[1].taps.flatMap { y in axes[2].taps.map { x in (z * kernel[1] + y) * kernel[2] + x } }
    }
  }

  /// The phases of `convolution` forward, which is one, or backward.
  static func all(of convolution: Convolution, isBackward: Bool) -> [WindowPhase] {
    guard isBackward else {
      return [
        WindowPhase(
          (0..<3).map { WindowAxis(outputsOf: convolution, axis: $0) }, kernel: convolution.kernel)
      ]
    }
    let stride = convolution.stride
    return (0..<stride[0] * stride[1] * stride[2]).map { number in
      let phases = [number / stride[2] / stride[1], number / stride[2] % stride[1], number % stride[2]]
      return WindowPhase(
        (0..<3).map { WindowAxis(inputsOf: convolution, axis: $0, phase: phases[$0]) },
        kernel: convolution.kernel)
    }.filter { $0.positions > 0 }
  }

  /// The number of positions.
  var positions: Int { axes.reduce(1) { $0 * $1.positions } }

  /// At most so many elements does a plane's region have, whatever the piece.
  var largestRegionSize: Int {
    axes.reduce(1) { $0 * $1.extent($1.positions) * max(1, $1.remainders.count) }
  }

  /// The phase cut into pieces of about `limit` positions: whole planes where they fit, else rows, else their parts.
  ///
  /// - Parameter unit: What parts of rows are multiples of, but for the last.
  func pieces(_ limit: Int, sourceExtents: [Int], targetExtents: [Int], unit: Int) -> [WindowPiece] {
    let counts = axes.map(\.positions)
    let plane = counts[1] * counts[2]
    func cut(_ count: Int, to most: Int, unit: Int = 1) -> [Range<Int>] {
      let parts = max(1, (count + max(most, unit) - 1) / max(most, unit))
      return (0..<parts).map { evenPart($0, of: parts, in: count, unit: unit) }.filter { !$0.isEmpty }
    }
    let depths = cut(counts[0], to: plane > limit ? 1 : limit / plane)
    let rows = cut(counts[1], to: plane > limit ? max(1, limit / counts[2]) : counts[1])
    let columns = cut(counts[2], to: counts[2] > limit ? limit : counts[2], unit: unit)
    return depths.flatMap { z in
      rows.flatMap { y in
        columns.map { x in
          WindowPiece(
            self, [z, y, x], sourceExtents: sourceExtents, targetExtents: targetExtents, lanes: unit)
        }
      }
    }
  }
}
