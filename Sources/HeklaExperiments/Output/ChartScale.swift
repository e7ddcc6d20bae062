import Foundation

/// A chart axis with its range settled: where values lie, and where its ticks stand.
struct ChartScale {
  /// A labelled place on an axis.
  struct Tick: Equatable {
    var value: Double
    var label: String
  }

  let axis: LineChart.Axis
  /// The values at the axis's ends.
  let range: ClosedRange<Double>

  /// The scale of `axis` that holds `values`.
  ///
  /// - Parameters:
  ///   - axis: What was asked for.
  ///   - values: Everything that is drawn along it; what the scale cannot place is ignored.
  ///   - padding: The share of the range to add at both ends, so that markers clear the frame.
  init(_ axis: LineChart.Axis, holding values: [Double], padding: Double) {
    self.axis = axis
    if let range = axis.range, axis.scale == .linear || range.lowerBound > 0,
      range.upperBound > range.lowerBound
    {
      self.range = range
      return
    }
    let isLogarithmic = axis.scale == .logarithmic
    // Bounded, so that differences and padded ends stay finite.
    let placed = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
      .map { isLogarithmic ? min(max($0, 1e-290), 1e290) : min(max($0, -1e300), 1e300) }
    guard var low = placed.min(), var high = placed.max() else {
      range = isLogarithmic ? 1...10 : 0...1
      return
    }
    if isLogarithmic { (low, high) = (log10(low), log10(high)) }
    if high - low <= abs(high) * 1e-9 {
      // One value only: room around it, so that it stands in the middle.
      let room = isLogarithmic ? 0.5 : max(abs(high) * 0.1, 1e-9)
      (low, high) = (low - room, high + room)
    }
    let room = (high - low) * padding
    (low, high) = (low - room, high + room)
    range = isLogarithmic ? pow(10, low)...pow(10, high) : low...high
  }

  /// Where `value` lies between the axis's start, 0, and its end, 1; nil where the scale cannot place it.
  func position(of value: Double) -> Double? {
    guard value.isFinite else { return nil }
    var share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    if axis.scale == .logarithmic {
      guard value > 0 else { return nil }
      share = (log10(value) - log10(range.lowerBound)) / decades
    }
    return axis.isReversed ? 1 - share : share
  }

  /// The labelled places, from the least value to the greatest.
  ///
  /// - Parameter count: About how many.
  func ticks(about count: Int) -> [Tick] {
    guard axis.scale == .logarithmic else { return linearTicks(about: count) }

    // Less than a third of a decade holds too few of 1, 2, 5.
    if decades < 0.35 { return linearTicks(about: count) }
    let digits: [Double] = decades <= 1 ? [1, 2, 3, 5, 7] : decades <= Double(count) / 3 ? [1, 2, 5] : [1]
    let stride = max(1, Int((decades / Double(count)).rounded(.up)))
    return logarithmicValues(digits: digits, stride: stride).map { Tick(value: $0, label: Self.label($0)) }
  }

  /// The powers of ten that a logarithmic axis spans; ratios of far ends would overflow.
  private var decades: Double { log10(range.upperBound) - log10(range.lowerBound) }

  /// Unlabelled places between the ticks of a logarithmic axis, which show that it is one.
  var minorTicks: [Double] {
    guard axis.scale == .logarithmic, decades <= 6 else { return [] }
    return logarithmicValues(digits: [1, 2, 3, 4, 5, 6, 7, 8, 9], stride: 1)
  }

  private func logarithmicValues(digits: [Double], stride step: Int) -> [Double] {
    let first = Int(log10(range.lowerBound).rounded(.down))
    let last = Int(log10(range.upperBound).rounded(.up))
    let held = range.lowerBound * (1 - 1e-9)...range.upperBound * (1 + 1e-9)
    var values: [Double] = []
    for exponent in first...max(first, last) where exponent % step == 0 {
      let power = pow(10, Double(exponent))
      values += digits.map { $0 * power }.filter { held.contains($0) }
    }
    return values
  }

  /// Steps of 1, 2 or 5 times a power of ten.
  private func linearTicks(about count: Int) -> [Tick] {
    let rough = (range.upperBound - range.lowerBound) / Double(max(1, count))
    let power = pow(10, log10(rough).rounded(.down))
    let step = ([1, 2, 5].first { $0 * power >= rough } ?? 10) * power
    let decimals = max(0, -Int((log10(step) + 1e-9).rounded(.down)))
    let first = (range.lowerBound / step - 1e-9).rounded(.up)
    let last = (range.upperBound / step + 1e-9).rounded(.down)
    guard first <= last, last - first < 1000 else { return [] }
    return stride(from: first, through: last, by: 1).map { index in
      // Adding 0 turns a negative zero into zero.
      let value = index * step + 0
      let isPlain = decimals <= 6 && abs(value) < 1e6
      return Tick(value: value, label: isPlain ? String(format: "%.\(decimals)f", value) : Self.label(value))
    }
  }

  private static func label(_ value: Double) -> String {
    abs(value) >= 1e-4 && abs(value) < 1e6 || value == 0
      ? String(format: "%.6g", value)
      : String(format: "%.3g", value).replacing("e+0", with: "e").replacing("e-0", with: "e-")
  }
}
