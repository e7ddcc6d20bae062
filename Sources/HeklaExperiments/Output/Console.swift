import Foundation
import Synchronization

/// Where messages and progress of a run go: lines that stay, and below them at most one line that changes.
///
/// May be used from any thread. A new line takes the changing line's place, which is drawn again below.
public final class Console: Sendable {
  /// What can be shown.
  public let terminal: Terminal
  private let write: @Sendable (String) -> Void
  private let changing = Mutex("")

  /// A console that hands text to `write`.
  public init(terminal: Terminal, write: @escaping @Sendable (String) -> Void) {
    self.terminal = terminal
    self.write = write
  }

  /// The standard error stream: progress goes there, so that standard output holds only results.
  public static let standardError = Console(terminal: Terminal(descriptor: STDERR_FILENO)) { text in
    FileHandle.standardError.write(Foundation.Data(text.utf8))
  }

  /// Nowhere.
  public static let silent = Console(terminal: .file) { _ in }

  /// Makes an interrupt (Ctrl-C) erase the line that changes before it ends the process, as it would have anyway.
  public static func eraseOnInterrupt() {
    guard standardError.terminal.isInteractive else { return }
    signal(SIGINT) { number in
      // A signal handler may call little; these three are among it (POSIX, async-signal-safe functions).
      let erasure: StaticString = "\r\u{1B}[K"
      _ = Foundation.write(STDERR_FILENO, erasure.utf8Start, erasure.utf8CodeUnitCount)
      signal(number, SIG_DFL)
      raise(number)
    }
  }

  /// Writes a line that stays.
  public func print(_ line: String) {
    changing.withLock { changing in
      write(changing.isEmpty ? line + "\n" : Self.erasure + line + "\n" + changing)
    }
  }

  /// Shows `line` as the line that changes, cut to the terminal's width; an empty one erases it.
  func show(_ line: String) {
    guard terminal.isInteractive else { return }
    changing.withLock { changing in
      // A line as wide as the terminal would wrap on some, and could not be erased.
      let next = line.truncated(to: terminal.columns - 1)
      guard next != changing else { return }
      write((changing.isEmpty ? "" : Self.erasure) + next)
      changing = next
    }
  }

  /// To the line's beginning, and erase to its end.
  private static let erasure = "\r\u{1B}[K"
}
