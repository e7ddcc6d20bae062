extension StringProtocol {
  /// The number of terminal columns the text takes: two for East Asian wide letters and emoji, one for others.
  ///
  /// Source: the ranges of Unicode Standard Annex 11 that terminals agree on.
  package var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

  /// The text followed by spaces up to `width` columns.
  package func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - displayWidth))
  }

  /// The text after spaces that make it `width` columns.
  package func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - displayWidth)) + self
  }

  /// The longest beginning that takes at most `width` columns.
  package func truncated(to width: Int) -> String {
    var (result, used) = ("", 0)
    for letter in self {
      used += letter.displayWidth
      if used > width { break }
      result.append(letter)
    }
    return result
  }

  /// The text's words on lines of at most `width` terminal columns; a longer word gets its own line.
  package func wrapped(to width: Int) -> [String] {
    var (lines, line) = ([String](), "")
    for word in split(separator: " ") {
      if line.isEmpty {
        line = String(word)
      } else if line.displayWidth + 1 + word.displayWidth <= width {
        line += " " + word
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return lines + [line]
  }
}

extension Character {
  /// The number of terminal columns: 0 for what does not advance, 2 for wide letters, else 1.
  package var displayWidth: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    let properties = scalar.properties
    if unicodeScalars.contains("\u{FE0F}") { return 2 }
    switch properties.generalCategory {
    case .control, .format, .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
      0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      return 2
    default:
      return properties.isEmojiPresentation ? 2 : 1
    }
  }
}
