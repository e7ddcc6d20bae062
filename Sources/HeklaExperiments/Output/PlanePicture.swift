import Foundation
import Hekla

/// Points and lines of the plane in panels side by side, such as truth beside prediction, drawn as SVG.
public struct PlanePicture: Sendable {
  /// One picture of the row.
  public struct Panel: Sendable {
    /// What stands above it.
    public var title: String
    /// What is drawn as dots; the first, which often is a start, with a ring.
    public var points: [SIMD2<Double>]
    /// What is outlined, and filled faintly.
    public var polygons: [Polygon]

    /// The panel `title` of `polygons` with `points` on top.
    public init(_ title: String, points: [SIMD2<Double>], polygons: [Polygon]) {
      self.title = title
      self.points = points
      self.polygons = polygons
    }
  }

  /// The panels, from left to right; all have the scale that shows every point of every one.
  public var panels: [Panel]
  /// The width and height of a panel's drawing in pixels.
  public var size = 240

  /// The picture of these panels.
  public init(_ panels: [Panel]) { self.panels = panels }

  /// The drawing; what is not finite is left out.
  public var svg: String {
    let all = panels.flatMap { $0.points + $0.polygons.flatMap(\.corners) }.filter {
      $0.x.isFinite && $0.y.isFinite
    }
    let low = all.reduce(SIMD2(repeating: Double.infinity)) { SIMD2(min($0.x, $1.x), min($0.y, $1.y)) }
    let high = all.reduce(SIMD2(repeating: -Double.infinity)) { SIMD2(max($0.x, $1.x), max($0.y, $1.y)) }
    let extent = all.isEmpty ? 1 : max(high.x - low.x, high.y - low.y)
    let scale = Double(size) / (extent > 0 ? extent : 1)
    let (step, width, height) = (size + 32, panels.count * (size + 32) + 16, size + 68)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"13\">",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"white\"/>",
    ]
    for (number, panel) in panels.enumerated() {
      let left = Double(24 + number * step)
      func place(_ point: SIMD2<Double>) -> (x: String, y: String)? {
        guard point.x.isFinite, point.y.isFinite else { return nil }
        let (x, y) = (left + (point.x - low.x) * scale, 44 + (high.y - point.y) * scale)
        return (String(format: "%.1f", x), String(format: "%.1f", y))
      }
      lines.append("<text x=\"\(left)\" y=\"24\" fill=\"#333333\">\(Self.escaped(panel.title))</text>")
      for polygon in panel.polygons {
        let corners = polygon.corners.compactMap(place).map { "\($0.x),\($0.y)" }.joined(separator: " ")
        lines.append(
          "<polygon points=\"\(corners)\" fill=\"#1f77b4\" fill-opacity=\"0.12\" stroke=\"#1f77b4\" "
            + "stroke-width=\"1.5\" stroke-linejoin=\"round\"/>")
      }
      for (index, center) in panel.points.map(place).enumerated() {
        guard let center else { continue }
        let circle = "<circle cx=\"\(center.x)\" cy=\"\(center.y)\""
        if index == 0 { lines.append("\(circle) r=\"6\" fill=\"none\" stroke=\"#d62728\"/>") }
        lines.append("\(circle) r=\"3\" fill=\"#333333\"/>")
      }
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
