import Foundation
import TestSupport
import Testing

@testable import HeklaExperiments

@Suite struct ProgressBarTests {
  private func bar(_ terminal: Terminal, total: Int = 100) -> (ProgressBar, Transcript, ManualTime) {
    let (transcript, time) = (Transcript(), ManualTime())
    let bar = ProgressBar("train", total: total, console: transcript.console(terminal)) { time.seconds }
    return (bar, transcript, time)
  }

  @Test("a log gets a plain line every ten seconds and one with the totals")
  func plain() {
    let (bar, transcript, time) = bar(.file)
    for step in 1...100 {
      time.seconds = Double(step) / 4
      bar.advance(to: step, loss: 1 / Double(step))
    }
    bar.finish()
    bar.finish()
    #expect(
      transcript.text == """
        train: step 40 of 100 (40%), 4 steps/s, 0:15 left, loss 0.025
        train: step 80 of 100 (80%), 4 steps/s, 0:05 left, loss 0.0125
        train: 100 steps in 0:25, 4 steps/s, loss 0.01

        """)
  }

  @Test("a watched bar is redrawn on its line, erased at the end, and never wider than the terminal")
  func interactive() {
    let (bar, transcript, time) = bar(Terminal(isInteractive: true, columns: 66))
    for step in [25, 50] {
      time.seconds += 1
      bar.advance(to: step, loss: 0.5)
    }
    bar.finish()
    let erase = "\r\u{1B}[K"
    #expect(
      transcript.text
        == "train  ━━─────────   25%  25/100  25 steps/s  0:03 left  loss 0.5".truncated(to: 65) + erase
        + "train  ━━━━━──────   50%  50/100  25 steps/s  0:02 left  loss 0.5".truncated(to: 65) + erase
        + "train: 50 steps in 0:02, 25 steps/s, loss 0.5\n")
  }

  @Test("a narrow terminal gets no bar, one without Unicode an ASCII one")
  func narrow() {
    let (small, smallText, smallTime) = bar(Terminal(isInteractive: true, columns: 40))
    smallTime.seconds = 1
    small.advance(to: 10)
    #expect(smallText.text == "train   10%  10/100  10 steps/s  0:09 le".truncated(to: 39))
    let (plain, plainText, plainTime) = bar(Terminal(isInteractive: true, columns: 60, hasUnicode: false))
    plainTime.seconds = 1
    plain.advance(to: 50)
    #expect(plainText.text.contains("===") && plainText.text.contains("---"))
  }

  @Test("drawing is rare, however often the loop reports")
  func rare() {
    let (bar, transcript, time) = bar(Terminal(isInteractive: true), total: 10_000)
    for step in 1...10_000 {
      time.seconds = Double(step) / 10_000
      bar.advance(to: step)
    }
    // A second at ten drawings a second, each but the first after an erasure.
    #expect(transcript.text.components(separatedBy: "\r").count <= 10)
  }

  @Test("a bar that goes out of scope, as when the loop throws, is erased")
  func thrown() {
    let (transcript, time) = (Transcript(), ManualTime())
    do {
      let bar = ProgressBar(
        "train", total: 2, console: transcript.console(Terminal(isInteractive: true))
      ) { time.seconds }
      time.seconds = 1
      bar.advance(to: 1)
    }
    #expect(transcript.text.hasSuffix("\r\u{1B}[K"))
  }

  @Test("a message goes above the bar, which is drawn again below")
  func messages() {
    let transcript = Transcript()
    let console = transcript.console(Terminal(isInteractive: true))
    console.show("half")
    console.print("note")
    console.show("")
    #expect(transcript.text == "half\r\u{1B}[Knote\nhalf\r\u{1B}[K")
  }
}

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

@Suite struct RunFolderTests {
  @Test("a run leaves metrics, report and plots, and nothing else")
  func contents() throws {
    let root = try TemporaryFolder()
    let folder = try RunFolder(root.path + "/a/b")
    let record = try SampleStudy().run(RunContext(device: NamedDevice("stub"), output: folder))
    try folder.write(LineChart("loss", x: .init("step"), y: .init("loss"), series: []), named: "loss")
    try folder.write(Report(record, of: SampleStudy.self))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
        "loss.svg", "metrics.jsonl", "report.json", "report.md",
      ])
    #expect(try root.text(of: "a/b/metrics.jsonl").hasPrefix("{\"step\": 1, \"loss\": 1.0}\n{\"step\": 2, "))
    #expect(try RunRecord(jsonText: root.text(of: "a/b/report.json")) == record)
    #expect(try root.text(of: "a/b/report.md").contains("![loss](loss.svg)"))
  }

  @Test("a folder that holds something is refused and stays as it was")
  func refusal() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("old", to: root.path + "/report.json")
    #expect(throws: ExperimentError.outputNotEmpty(path: root.path)) { try RunFolder(root.path) }
    #expect(try root.text(of: "report.json") == "old")
    #expect(try root.contents == ["report.json"])
  }

  @Test("overwriting deletes the old run's files and no others, and never a folder without a run")
  func overwriting() throws {
    let root = try TemporaryFolder()
    for name in ["report.json", "metrics.jsonl", "old.svg", "notes.txt"] {
      try AtomicFile.write("old", to: root.path + "/" + name)
    }
    _ = try RunFolder(root.path, isOverwriting: true)
    #expect(try root.contents == ["notes.txt"])
    let error = try #require(throws: ExperimentError.self) { try RunFolder(root.path, isOverwriting: true) }
    #expect(error.description.contains("It holds files, but no run that could be overwritten."))
  }

  @Test("a folder that the run made and left empty goes again, an older one stays")
  func discarding() throws {
    let root = try TemporaryFolder()
    let made = try RunFolder(root.path + "/new")
    made.discardIfEmpty()
    #expect(try root.contents.isEmpty)
    let taken = try RunFolder(root.path)
    taken.discardIfEmpty()
    #expect(try root.contents.isEmpty)
    let used = try RunFolder(root.path + "/used")
    try used.append(step: 1, ["loss": 1])
    used.discardIfEmpty()
    #expect(try root.contents == ["used"])
  }

  @Test("a path that is a file is refused")
  func fileInTheWay() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("x", to: root.path + "/file")
    #expect(throws: ExperimentError.self) { try RunFolder(root.path + "/file", isOverwriting: true) }
    #expect(throws: ExperimentError.self) { try RunFolder(root.path + "/file/inside") }
    #expect(try root.text(of: "file") == "x")
  }

  @Test("of many that make one folder at once, one gets it")
  func race() async throws {
    let root = try TemporaryFolder()
    let path = root.path + "/run"
    let winners = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask {
          guard let folder = try? RunFolder(path) else { return false }
          return (try? folder.append(step: 1, ["loss": 1])) != nil
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(winners >= 1)
    let lines = try root.text(of: "run/metrics.jsonl").split(separator: "\n")
    #expect(lines.allSatisfy { $0 == "{\"step\": 1, \"loss\": 1.0}" })
  }
}

@Suite struct AtomicFileTests {
  @Test("a file is replaced whole and no temporary one stays")
  func replacing() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("one", to: root.path + "/file")
    try AtomicFile.write("two", to: root.path + "/file")
    #expect(try root.text(of: "file") == "two")
    #expect(try root.contents == ["file"])
  }

  @Test("where a file cannot be written the error says why, before and at writing, and nothing stays")
  func refusal() throws {
    let root = try TemporaryFolder()
    let missing = root.path + "/missing/file"
    let error = ExperimentError.cannotWrite(path: missing, reason: "No such file or directory.")
    #expect(throws: error) { try AtomicFile.requireWritable(missing) }
    #expect(throws: error) { try AtomicFile.write("x", to: missing) }
    #expect(throws: ExperimentError.self) { try AtomicFile.requireWritable(root.path) }
    #expect(throws: ExperimentError.self) { try AtomicFile.write("x", to: root.path) }
    #expect(try root.contents.isEmpty)
  }

  @Test("checking leaves nothing behind and changes nothing")
  func checking() throws {
    let root = try TemporaryFolder()
    try AtomicFile.write("kept", to: root.path + "/file")
    try AtomicFile.requireWritable(root.path + "/file")
    try AtomicFile.requireWritable(root.path + "/other")
    #expect(try root.contents == ["file"])
    #expect(try root.text(of: "file") == "kept")
  }
}
