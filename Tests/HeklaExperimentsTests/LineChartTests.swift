import Foundation
import FoundationXML
import Testing

@testable import HeklaExperiments

@Suite struct LineChartTests {
  /// Counts an SVG's elements by name; nil where it is not well-formed XML.
  private final class ElementCounter: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var text = ""

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      counts[name, default: 0] += 1
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }

  private func elements(_ svg: String) -> ElementCounter? {
    let counter = ElementCounter()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = counter
    return parser.parse() ? counter : nil
  }

  private func pruning(_ scale: LineChart.Axis.Scale = .logarithmic) -> LineChart {
    let levels = (0..<12).map { 100 * pow(0.8, Double($0)) }
    func series(_ name: String, loss: Double) -> LineChart.Series {
      .init(
        name,
        levels.enumerated().map { index, level in
          let mean = 0.97 - loss * pow(Double(index) / 11, 3)
          return .init(x: level, meanOf: [mean - 0.01, mean, mean + 0.006])
        })
    }
    return LineChart(
      "Accuracy of pruned networks", x: .init("weights left (%)", scale: scale, isReversed: true),
      y: .init("test accuracy"),
      series: [
        series("winning ticket", loss: 0.02), series("random reinitialization", loss: 0.08),
        series("random sparsity", loss: 0.15), series("one-shot", loss: 0.04),
      ])
  }

  @Test("a band is one area, broken where a point has no range; markers stand alone")
  func styles() throws {
    let points = (0..<8).map { place -> LineChart.Point in
      let y = Double(place * place)
      return .init(x: Double(place), y: y, range: place == 3 ? nil : y - 1...y + 2)
    }
    let chart = LineChart(
      "Styles", x: .init("x"), y: .init("y"),
      series: [.init("band", points, style: .band), .init("dots", points, style: .markers)])
    let drawn = try #require(elements(chart.svg))
    #expect(drawn.counts["polyline"] == 1)
    // Two areas; eight square markers and the legend's.
    #expect(drawn.counts["polygon"] == 2 + 9)
    #expect(chart.svg.components(separatedBy: "fill-opacity").count == 1 + 2)
  }

  @Test("the drawing is well-formed, with one line per series, a marker and a bar per point")
  func wellFormed() throws {
    let chart = pruning()
    let drawn = try #require(elements(chart.svg))
    #expect(drawn.counts["svg"] == 1)
    #expect(drawn.counts["polyline"] == 4)
    // Series 1 has round markers, the others polygons; the legend adds one of each.
    #expect(drawn.counts["circle"] == 13)
    #expect(drawn.counts["polygon"] == 39)
    for name in ["Accuracy of pruned networks", "weights left (%)", "random sparsity"] {
      #expect(drawn.text.contains(name))
    }
  }

  @Test("names with markup, control characters and nothing at all stay well-formed")
  func hostileNames() throws {
    let chart = LineChart(
      "a < b & \"c\"\u{7}", x: .init(""), y: .init("'"), series: [.init("<svg>", [.init(x: 0, y: 0)])])
    #expect(try #require(elements(chart.svg)).text.contains("a < b & \"c\""))
  }

  @Test(
    "empty, single and unplaceable values give a drawing without NaN",
    arguments: [
      [], [1.0], [0, 0, 0], [.nan, .infinity], [1, .nan, 2], [-1, -2], [1e300, -1e300],
      [.leastNonzeroMagnitude, 1], [.greatestFiniteMagnitude, -.greatestFiniteMagnitude],
    ])
  func degenerate(values: [Double]) throws {
    for scale in [LineChart.Axis.Scale.linear, .logarithmic] {
      let chart = LineChart(
        "t", x: .init("x"), y: .init("y", scale: scale), series: [.init("s", values: values)])
      #expect(elements(chart.svg) != nil)
      #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf\""))
    }
  }

  @Test("a missing value breaks the line")
  func gaps() throws {
    let chart = LineChart(
      "t", x: .init("x"), y: .init("y"), series: [.init("s", values: [1, 2, .nan, 3, 4])])
    #expect(try #require(elements(chart.svg)).counts["polyline"] == 2)
  }

  @Test("a hundred thousand points draw a small file that keeps the highest and the lowest")
  func long() throws {
    var values = (0..<100_000).map { sin(Double($0) / 5_000) }
    values[54_321] = 9
    let chart = LineChart("t", x: .init("x"), y: .init("y"), series: [.init("s", values: values)])
    #expect(chart.svg.utf8.count < 60_000)
    // The range is 10 high with 6% above: the spike lies 0.6 / 11.2 of the way down.
    let spike = 50 + (386 - 50) * 0.6 / 11.2
    #expect(chart.svg.contains(String(format: ",%g ", (spike * 10).rounded() / 10)))
  }

  @Test("ticks stand at round values")
  func ticks() {
    func labels(_ range: ClosedRange<Double>, _ scale: LineChart.Axis.Scale, count: Int = 6) -> [String] {
      ChartScale(.init("", scale: scale, range: range), holding: [], padding: 0).ticks(about: count).map(
        \.label)
    }
    #expect(labels(0...1, .linear) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(-1...1, .linear, count: 4) == ["-1.0", "-0.5", "0.0", "0.5", "1.0"])
    #expect(labels(0.912...0.968, .linear) == ["0.92", "0.93", "0.94", "0.95", "0.96"])
    #expect(labels(0...60_000, .linear) == ["0", "10000", "20000", "30000", "40000", "50000", "60000"])
    #expect(labels(8...100, .logarithmic) == ["10", "20", "50", "100"])
    #expect(labels(1e-3...1e3, .logarithmic) == ["0.001", "0.01", "0.1", "1", "10", "100", "1000"])
    #expect(
      labels(1e-12...1, .logarithmic, count: 6) == ["1e-12", "1e-10", "1e-8", "1e-6", "0.0001", "0.01", "1"])
    #expect(labels(2...3, .logarithmic) == ["2.0", "2.2", "2.4", "2.6", "2.8", "3.0"])
  }

  @Test("a reversed logarithmic axis puts its middle ratio in the middle")
  func positions() {
    let axis = LineChart.Axis("", scale: .logarithmic, isReversed: true, range: 1...100)
    let scale = ChartScale(axis, holding: [], padding: 0)
    #expect(scale.position(of: 100) == 0)
    #expect(scale.position(of: 1) == 1)
    #expect(abs((scale.position(of: 10) ?? 0) - 0.5) < 1e-12)
    #expect(scale.position(of: 0) == nil)
    #expect(scale.position(of: .nan) == nil)
  }

  @Test("the same chart draws the same bytes")
  func determinism() { #expect(pruning().svg == pruning().svg) }

  @Test func `A series of a metric has its means and ranges where it was measured`() {
    let runs: [Metrics] = [["accuracy.2": 0.5, "accuracy.8": 1], ["accuracy.2": 0.75], [:]]
    let series = LineChart.Series("net", at: [2, 4, 8], of: runs) { "accuracy.\($0)" }
    #expect(
      series.points == [.init(x: 2, y: 0.625, range: 0.5...0.75), .init(x: 8, y: 1, range: 1...1)])
    #expect(Metrics(meanOf: runs) == ["accuracy.2": 0.625, "accuracy.8": 1])
    #expect(Metrics(meanOf: []) == [:])
  }

  @Test func `A series above another is of the differences within runs that measured both`() {
    let runs: [Metrics] = [["a.1": 3, "b.1": 1, "a.2": 5], ["a.1": 8, "b.1": 2], ["a.1": 100]]
    let series = LineChart.Series("a", at: [1, 2], of: runs) {
      "a.\($0)"
    } above: {
      "b.\($0)"
    }
    #expect(series.points == [.init(x: 1, y: 4, range: 2...6)])
  }

  @Test func `A band has the ends that are in order`() {
    let series = LineChart.Series(
      "band", band: [1, 2, 3], at: [0, 1, 2], lower: [0, 3, .nan], upper: [2, 2, 4])
    #expect(
      series.points == [.init(x: 0, y: 1, range: 0...2), .init(x: 1, y: 2), .init(x: 2, y: 3)])
    #expect(series.style == .band)
  }
}
