import Foundation
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
