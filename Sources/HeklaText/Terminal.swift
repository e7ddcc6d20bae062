import Foundation

/// What can be shown at the end of an output: width, colours, letters, whether a person watches.
public struct Terminal: Sendable, Equatable {
  /// Whether lines can be redrawn, because a person watches.
  public var isInteractive: Bool
  /// The width in columns.
  public var columns: Int
  /// Whether escape sequences for colours are welcome.
  public var hasColor: Bool
  /// Whether letters beyond ASCII are shown.
  public var hasUnicode: Bool

  /// A terminal of these abilities.
  public init(isInteractive: Bool, columns: Int = 80, hasColor: Bool = false, hasUnicode: Bool = true) {
    self.isInteractive = isInteractive
    self.columns = columns
    self.hasColor = hasColor
    self.hasUnicode = hasUnicode
  }

  /// A file or pipe.
  public static let file = Terminal(isInteractive: false)

  /// What is behind a file descriptor.
  ///
  /// `NO_COLOR` with any text turns colours off (no-color.org), as does `TERM=dumb`, which cannot redraw either.
  public init(descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment) {
    let isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    var size = winsize()
    let isSized = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    self.init(
      isInteractive: isTerminal,
      columns: isSized ? Int(size.ws_col) : environment["COLUMNS"].flatMap(Int.init) ?? 80,
      hasColor: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty,
      hasUnicode: locale.lowercased().replacing("-", with: "").contains("utf8"))
  }

  /// Colours and weights that text can have.
  public enum Style: String, Sendable {
    case bold = "1"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }

  /// `text` in `style`, or as it is where there are no colours.
  public func styled(_ text: String, _ style: Style) -> String {
    hasColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}
