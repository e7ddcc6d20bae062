import Testing

@testable import HeklaText

@Suite struct TextTableTests {
  @Test("numbers stand right, text left, and no line ends in spaces")
  func alignment() {
    var table = TextTable(["name", "value", "note"])
    table.add(["é", "1.5", "short"])
    table.add(["数字", "-120", ""])
    table.add(["abc", "-"])
    #expect(
      table.text() == """
        name  value  note
        é       1.5  short
        数字   -120
        abc       -
        """)
  }

  @Test("the last column wraps under itself")
  func wrapping() {
    var table = TextTable(["name", "note"])
    table.add(["a", "one two three four five six"])
    #expect(
      table.text(width: 28, margin: "  ") == """
          name  note
          a     one two three four
                five six
        """)
  }

  @Test("Markdown escapes what would end a cell")
  func markdown() {
    var table = TextTable(["kind", "n"])
    table.add(["a | b", "1"])
    #expect(table.markdown == "| kind | n |\n| --- | ---: |\n| a \\| b | 1 |")
  }

  @Test("letters are as wide as terminals show them")
  func widths() {
    #expect("abc".displayWidth == 3)
    #expect("e\u{301}".displayWidth == 1)
    #expect("漢字".displayWidth == 4)
    #expect("🏔️".displayWidth == 2)
    #expect("\u{1B}".displayWidth == 0)
    #expect("漢字".truncated(to: 3) == "漢")
  }
}
