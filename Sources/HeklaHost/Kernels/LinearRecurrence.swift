import HeklaDevices

/// `y[i] = factors[i] * y[i - 1] + values[i]` along the middle axis.
///
/// Parameters: 1 for float64, 1 for reversed, outer, extent, inner.
/// Bindings: values [outer, extent, inner], factors, results, the same. Floats are carried in their own type.
struct LinearRecurrence: Sendable {
  static let name = "linear_recurrence"

  /// The columns that run together.
  private static let stretch = 128

  private let isDouble: Bool
  private let isReversed: Bool
  private let outer: Int
  private let extent: Int
  private let inner: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 5, parameters.allSatisfy({ $0 >= 0 }) else { return nil }
    (isDouble, isReversed) = (parameters[0] == 1, parameters[1] == 1)
    (outer, extent, inner) = (parameters[2], parameters[3], parameters[4])
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(isDouble) \(isReversed) \(outer) \(extent) \(inner)") {
      (arguments: HostArguments) throws(DeviceError) in
      if isDouble { try run(arguments, Double.self) } else { try run(arguments, Float.self) }
    }
  }

  private func run<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ arguments: HostArguments, _ type: Element.Type
  ) throws(DeviceError) {
    let count = outer * extent * inner
    let values = try arguments.elements(0, count: count, as: type, kernel: Self.name)
    let factors = try arguments.elements(1, count: count, as: type, kernel: Self.name)
    let results = try arguments.elements(2, count: count, as: type, kernel: Self.name)
    let step = isReversed ? -inner : inner
    let stretches = inner.chunks(of: Self.stretch)
    ThreadPool.shared.parallel(count: outer * stretches) { number in
      let first = number % stretches * Self.stretch
      var row = number / stretches * extent * inner + first + (isReversed ? (extent - 1) * inner : 0)
      for i in 0..<extent {
        for at in row..<row + min(Self.stretch, inner - first) {
          results[at] = i == 0 ? values[at] : factors[at] * results[at - step] + values[at]
        }
        row += step
      }
    }
  }
}
