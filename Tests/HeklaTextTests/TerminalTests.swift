import Foundation
import Testing

@testable import HeklaText

@Suite struct TerminalTests {
  @Test("a file has no colours and is not watched; NO_COLOR and TERM are heard")
  func detection() throws {
    let file = open("/dev/null", O_WRONLY)
    defer { close(file) }
    let terminal = Terminal(descriptor: file, environment: ["LANG": "en_US.UTF-8", "COLUMNS": "91"])
    #expect(terminal == Terminal(isInteractive: false, columns: 91, hasColor: false, hasUnicode: true))
    #expect(!Terminal(descriptor: file, environment: ["LC_ALL": "C", "LANG": "en_US.UTF-8"]).hasUnicode)
  }

  @Test("NO_COLOR turns colours off on a terminal, and an empty one does not")
  func noColor() throws {
    var (parent, child): (Int32, Int32) = (-1, -1)
    try #require(openpty(&parent, &child, nil, nil, nil) == 0)
    defer {
      close(parent)
      close(child)
    }
    #expect(Terminal(descriptor: child, environment: [:]).hasColor)
    #expect(Terminal(descriptor: child, environment: ["NO_COLOR": ""]).hasColor)
    let plain = Terminal(descriptor: child, environment: ["NO_COLOR": "1"])
    #expect(plain.isInteractive && !plain.hasColor)
    #expect(!Terminal(descriptor: child, environment: ["TERM": "dumb"]).isInteractive)
  }
}
