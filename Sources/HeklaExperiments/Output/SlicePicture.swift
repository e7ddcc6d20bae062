import Foundation

/// Slices of volumes with the borders of regions, in panels side by side, such as truth beside prediction, as SVG.
public struct SlicePicture: Sendable {
  /// One picture of the row.
  public struct Panel: Sendable {
    /// What stands above it.
    public var title: String
    /// The gray of each pixel, row by row; all rows have the same length.
    public var grays: [[Double]]
    /// The innermost region that holds each pixel, 0 for none, in the same order; each lies inside of the one before.
    public var regions: [[Int]]

    /// The panel `title` of a slice with its regions.
    public init(_ title: String, grays: [[Double]], regions: [[Int]]) {
      self.title = title
      self.grays = grays
      self.regions = regions
    }
  }

  /// The panels, from left to right.
  public var panels: [Panel]
  /// What regions 1, 2, ... are called in the legend.
  public var regionNames: [String]
  /// The width of a panel's slice in pixels.
  public var size = 256

  /// The picture of these panels.
  public init(_ panels: [Panel], regionNames: [String]) {
    self.panels = panels
    self.regionNames = regionNames
  }

  /// Colours that colour-blind readers tell apart. Source: Okabe and Ito 2008, "Color universal design".
  private static let colors = ["#56B4E9", "#E69F00", "#D55E00", "#CC79A7", "#009E73"]

  /// The drawing. Grays go from the least, black, to the greatest of all panels; what is not finite is black.
  public var svg: String {
    let all = panels.flatMap(\.grays).joined().filter(\.isFinite)
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    let heights = panels.map {
      Double(size) * Double($0.grays.count) / Double(max($0.grays.first?.count ?? 1, 1))
    }
    let (width, height) = (panels.count * (size + 16) + 16, Int(heights.max() ?? 0) + 76)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"13\">",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"white\"/>",
    ]
    for (number, panel) in panels.enumerated() {
      let scale = String(format: "%.4g", Double(size) / Double(max(panel.grays.first?.count ?? 1, 1)))
      lines.append(
        "<text x=\"\(16 + number * (size + 16))\" y=\"24\" fill=\"#333333\">\(escaped(panel.title))</text>")
      lines.append(
        "<g transform=\"translate(\(16 + number * (size + 16)) 36) scale(\(scale))\" shape-rendering=\"crispEdges\">"
      )
      for (y, row) in panel.grays.enumerated() {
        for (x, gray) in row.enumerated() {
          let share = gray.isFinite && high > low ? (gray - low) / (high - low) : 0
          let level = String(format: "%02x", Int((255 * share).rounded()))
          lines.append(
            "<rect x=\"\(x)\" y=\"\(y)\" width=\"1\" height=\"1\" fill=\"#\(level)\(level)\(level)\"/>")
        }
      }
      for region in 1...max(regionNames.count, 1) {
        let path = Self.border(of: region, in: panel.regions)
        guard !path.isEmpty else { continue }
        lines.append("<path d=\"\(path)\" fill=\"none\" stroke=\"\(color(region))\" stroke-width=\"0.25\"/>")
      }
      lines.append("</g>")
    }
    for (number, name) in regionNames.enumerated() {
      let (x, y) = (16 + number * 110, height - 18)
      lines.append(
        "<rect x=\"\(x)\" y=\"\(y - 4)\" width=\"22\" height=\"3\" fill=\"\(color(number + 1))\"/>")
      lines.append("<text x=\"\(x + 28)\" y=\"\(y)\" fill=\"#333333\">\(escaped(name))</text>")
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// The edges between pixels inside and outside of a region, those at the slice's own border among them.
  static func border(of region: Int, in regions: [[Int]]) -> String {
    func isInside(_ y: Int, _ x: Int) -> Bool {
      regions.indices.contains(y) && regions[y].indices.contains(x) && regions[y][x] >= region
    }
    var moves: [String] = []
    for y in 0...regions.count {
      for x in 0...(regions.first?.count ?? 0) {
        if isInside(y, x) != isInside(y - 1, x) { moves.append("M\(x) \(y)h1") }
        if isInside(y, x) != isInside(y, x - 1) { moves.append("M\(x) \(y)v1") }
      }
    }
    return moves.joined()
  }

  private func color(_ region: Int) -> String { Self.colors[(region - 1) % Self.colors.count] }

  private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
