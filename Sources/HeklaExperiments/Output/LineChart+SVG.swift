import Foundation

extension LineChart {
  /// The plot as an SVG document on a light ground.
  ///
  /// Series differ by colour and by marker; the colours are told apart by colour-blind readers.
  ///
  /// Source of the palette: Okabe and Ito 2008, "Color universal design", without its yellow.
  public var svg: String { ChartDrawing(self).text }
}

/// One drawing of a chart: the places of things, and the text they become.
private struct ChartDrawing {
  static let palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333"]
  static let ink = "#1F2328"
  static let faded = "#57606A"
  static let rule = "#D8DEE4"
  /// More points than this hide each other's markers.
  static let mostMarkers = 48

  let chart: LineChart
  let x: ChartScale
  let y: ChartScale
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  let legend: [(name: String, x: Double, y: Double)]
  let yTicks: [ChartScale.Tick]

  init(_ chart: LineChart) {
    self.chart = chart
    let points = chart.series.flatMap(\.points)
    x = ChartScale(chart.x, holding: points.map(\.x), padding: 0.02)
    y = ChartScale(
      chart.y, holding: points.flatMap { [$0.y] + ($0.range.map { [$0.lowerBound, $0.upperBound] } ?? []) },
      padding: 0.06)
    yTicks = y.ticks(about: max(2, chart.height / 70))
    left = 46 + (yTicks.map { Self.width(of: $0.label, size: 12) }.max() ?? 0)
    right = Double(chart.width) - 24

    // The legend fills rows under the title; one series needs none.
    var places: [(name: String, x: Double, y: Double)] = []
    var (cursor, row) = (left, 52.0)
    for series in chart.series where chart.series.count > 1 {
      let needed = 34 + Self.width(of: series.name, size: 12)
      if cursor + needed > right, cursor > left { (cursor, row) = (left, row + 20) }
      places.append((series.name, cursor, row))
      cursor += needed + 20
    }
    legend = places
    top = places.isEmpty ? 50 : row + 18
    bottom = Double(chart.height) - 54
  }

  var text: String {
    let size = "width=\"\(chart.width)\" height=\"\(chart.height)\""
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) viewBox=\"0 0 \(chart.width) \(chart.height)\" role=\"img\""
        + " font-family=\"system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif\" font-size=\"12\">",
      "<title>\(Self.escaped(chart.title))</title>",
      "<defs><clipPath id=\"plot\"><rect \(box(margin: 6))/></clipPath></defs>",
      "<rect \(size) fill=\"#FFFFFF\"/>",
      label(
        chart.title, x: left, y: 28, anchor: "start", color: Self.ink,
        more: " font-size=\"\(Self.number(titleSize))\" font-weight=\"600\""),
    ]
    lines += gridLines + axisTitles
    for (index, place) in legend.enumerated() {
      lines.append(line(from: (place.x, place.y - 4), to: (place.x + 26, place.y - 4), stroke(index)))
      lines.append(marker(index, at: (place.x + 13, place.y - 4)))
      lines.append(label(place.name, x: place.x + 34, y: place.y, anchor: "start", color: Self.ink))
    }
    lines.append("<g clip-path=\"url(#plot)\">")
    for (index, series) in chart.series.enumerated() { lines += drawing(of: series, index) }
    lines.append("</g>")
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// A long title gets smaller letters before it leaves the drawing.
  private var titleSize: Double {
    min(15, 15 * (right - left) / max(1, Self.width(of: chart.title, size: 16)))
  }

  // MARK: - Axes

  private var gridLines: [String] {
    var lines: [String] = []
    for tick in yTicks {
      guard let place = vertical(tick.value) else { continue }
      lines.append(line(from: (left, place), to: (right, place), "stroke=\"\(Self.rule)\""))
      lines.append(label(tick.label, x: left - 8, y: place + 4, anchor: "end"))
    }
    for value in x.minorTicks {
      guard let place = horizontal(value) else { continue }
      lines.append(line(from: (place, bottom), to: (place, bottom + 3), "stroke=\"\(Self.faded)\""))
    }
    for tick in x.ticks(about: max(2, chart.width / 90)) {
      guard let place = horizontal(tick.value) else { continue }
      lines.append(line(from: (place, bottom), to: (place, bottom + 6), "stroke=\"\(Self.faded)\""))
      lines.append(label(tick.label, x: place, y: bottom + 20, anchor: "middle"))
    }
    lines.append(line(from: (left, bottom), to: (right, bottom), "stroke=\"\(Self.faded)\""))
    return lines
  }

  private var axisTitles: [String] {
    let middle = (top + bottom) / 2
    return [
      label(chart.x.title, x: (left + right) / 2, y: bottom + 42, anchor: "middle"),
      label(
        chart.y.title, x: 18, y: middle, anchor: "middle",
        more: " transform=\"rotate(-90 18 \(Self.number(middle)))\""),
    ]
  }

  // MARK: - Series

  private func drawing(of series: LineChart.Series, _ index: Int) -> [String] {
    // Bars at one place would hide each other, so series with bars stand side by side, three pixels apart.
    let hasRanges = chart.series.contains { series in
      series.style == .line && series.points.contains { $0.range != nil }
    }
    let shift = hasRanges ? 3 * (Double(index) - Double(chart.series.count - 1) / 2) : 0
    var lines: [String] = []
    // The line of a long, noisy series fills an area; a thin one shows more of it.
    let width = series.points.count > chart.width ? 1.1 : 1.8
    if series.style == .band { lines += bands(of: series, index) }
    for run in runs(of: series, shift: shift) where series.style != .markers {
      let path = thinned(run).map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
      lines.append(
        "<polyline points=\"\(path)\" fill=\"none\" stroke-linejoin=\"round\" \(stroke(index, width: width))/>"
      )
    }
    for point in series.points where series.style == .line {
      guard let range = point.range, let place = horizontal(point.x),
        let low = vertical(range.lowerBound), let high = vertical(range.upperBound)
      else { continue }
      let center = place + shift
      let style = "stroke=\"\(color(index))\" stroke-width=\"1.2\""
      lines.append(line(from: (center, low), to: (center, high), style))
      for end in [low, high] { lines.append(line(from: (center - 3, end), to: (center + 3, end), style)) }
    }
    guard series.points.count <= Self.mostMarkers || series.style == .markers else { return lines }
    for run in runs(of: series, shift: shift) { lines += run.map { marker(index, at: $0) } }
    return lines
  }

  /// The ranges of the series as filled areas, broken where a point has none or cannot be placed.
  private func bands(of series: LineChart.Series, _ index: Int) -> [String] {
    var areas: [[(x: Double, low: Double, high: Double)]] = [[]]
    for point in series.points {
      if let range = point.range, let place = horizontal(point.x), let low = vertical(range.lowerBound),
        let high = vertical(range.upperBound)
      {
        areas[areas.count - 1].append((place, low, high))
      } else if areas.last?.isEmpty == false {
        areas.append([])
      }
    }
    return areas.filter { !$0.isEmpty }.map { area in
      let outline = area.map { ($0.x, $0.high) } + area.reversed().map { ($0.x, $0.low) }
      let points = outline.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
      return "<polygon points=\"\(points)\" fill=\"\(color(index))\" fill-opacity=\"0.18\"/>"
    }
  }

  /// The series in pixels, broken where a point cannot be placed.
  private func runs(of series: LineChart.Series, shift: Double) -> [[(Double, Double)]] {
    var runs: [[(Double, Double)]] = [[]]
    for point in series.points {
      if let place = horizontal(point.x), let height = vertical(point.y) {
        runs[runs.count - 1].append((place + shift, height))
      } else if runs.last?.isEmpty == false {
        runs.append([])
      }
    }
    return runs.filter { !$0.isEmpty }
  }

  /// Of a long run, the first, lowest, highest and last point of every pixel column, which draw the same line.
  ///
  /// Source: Jugel et al. 2014, "M4: a visualization-oriented time series data aggregation".
  private func thinned(_ run: [(Double, Double)]) -> [(Double, Double)] {
    guard run.count > 4 * chart.width else { return run }
    var kept: [(Double, Double)] = []
    var start = 0
    while start < run.count {
      let column = run[start].0.rounded(.down)
      var (end, low, high) = (start, start, start)
      while end < run.count, run[end].0.rounded(.down) == column {
        if run[end].1 < run[low].1 { low = end }
        if run[end].1 > run[high].1 { high = end }
        end += 1
      }
      kept += Set([start, low, high, end - 1]).sorted().map { run[$0] }
      start = end
    }
    return kept
  }

  private func color(_ index: Int) -> String { Self.palette[index % Self.palette.count] }

  private func stroke(_ index: Int, width: Double = 1.8) -> String {
    // Past the palette's end its colours come again, dashed.
    let dash = index < Self.palette.count ? "" : " stroke-dasharray=\"6 4\""
    return "stroke=\"\(color(index))\" stroke-width=\"\(width)\"\(dash)"
  }

  private func marker(_ index: Int, at place: (Double, Double)) -> String {
    let (x, y) = place
    let style = "fill=\"\(color(index))\" stroke=\"#FFFFFF\" stroke-width=\"0.8\""
    func polygon(_ corners: [(Double, Double)]) -> String {
      let points = corners.map { "\(Self.number(x + $0.0)),\(Self.number(y + $0.1))" }.joined(separator: " ")
      return "<polygon points=\"\(points)\" \(style)/>"
    }
    switch index % 4 {
    case 0: return "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"3.6\" \(style)/>"
    case 1: return polygon([(-3.3, -3.3), (3.3, -3.3), (3.3, 3.3), (-3.3, 3.3)])
    case 2: return polygon([(0, -4.4), (4.2, 3.2), (-4.2, 3.2)])
    default: return polygon([(0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)])
    }
  }

  // MARK: - Places and text

  private func horizontal(_ value: Double) -> Double? {
    x.position(of: value).map { left + $0 * (right - left) }
  }

  private func vertical(_ value: Double) -> Double? {
    y.position(of: value).map { bottom - $0 * (bottom - top) }
  }

  private func box(margin: Double) -> String {
    "x=\"\(Self.number(left - margin))\" y=\"\(Self.number(top - margin))\""
      + " width=\"\(Self.number(right - left + 2 * margin))\" height=\"\(Self.number(bottom - top + 2 * margin))\""
  }

  private func line(from start: (Double, Double), to end: (Double, Double), _ style: String) -> String {
    "<line x1=\"\(Self.number(start.0))\" y1=\"\(Self.number(start.1))\""
      + " x2=\"\(Self.number(end.0))\" y2=\"\(Self.number(end.1))\" \(style)/>"
  }

  private func label(
    _ text: String, x: Double, y: Double, anchor: String, color: String = faded, more: String = ""
  ) -> String {
    "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor)\" fill=\"\(color)\"\(more)>"
      + "\(Self.escaped(text))</text>"
  }

  /// About the width of `text`, in pixels; the font is the reader's, so it is a guess on the wide side.
  private static func width(of text: String, size: Double) -> Double {
    Double(text.displayWidth) * size * 0.6
  }

  private static func number(_ value: Double) -> String {
    // Values far outside a given range are clipped anyway; without a bound their digits would fill the file.
    String(format: "%.4g", (min(max(value, -9999), 9999) * 10).rounded() / 10)
  }

  private static func escaped(_ text: String) -> String {
    // Control characters cannot be written in XML 1.0 at all.
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 >= " " || $0 == "\t" }))
      .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
