import Synchronization

/// How far a loop has come: share, rate, time left and the current loss.
///
/// Where a person watches it is one line that is redrawn and erased at the end; in a file or pipe it is a
/// plain line every few seconds and a last one with the totals.
public final class ProgressBar: Sendable {
  private struct State {
    var step = 0
    var loss: Double?
    var drawnAt: Double?
    var rateStep = 0
    var rateTime: Double
    var rate: Double?
    var isFinished = false
  }

  private let label: String
  private let total: Int
  private let console: Console
  private let now: @Sendable () -> Double
  private let start: Double
  private let state: Mutex<State>

  /// A bar for `total` steps, drawn from the first `advance` on.
  public convenience init(_ label: String, total: Int, console: Console) {
    let origin = ContinuousClock.now
    self.init(label, total: total, console: console) { (ContinuousClock.now - origin) / .seconds(1) }
  }

  /// A bar that reads the time, in seconds, from `now`.
  init(_ label: String, total: Int, console: Console, now: @escaping @Sendable () -> Double) {
    self.label = label
    self.total = max(1, total)
    self.console = console
    self.now = now
    start = now()
    state = Mutex(State(rateTime: start))
  }

  deinit { erase() }

  /// Says that `step` steps are done; cheap enough to call after every one.
  ///
  /// - Parameters:
  ///   - step: The number of steps done so far.
  ///   - loss: The loss of the last one.
  public func advance(to step: Int, loss: Double? = nil) {
    let line: String? = state.withLock { state in
      state.step = step
      state.loss = loss ?? state.loss
      let time = now()
      // Ten drawings a second look steady; a log wants a line every ten seconds.
      let interval = console.terminal.isInteractive ? 0.1 : 10
      guard !state.isFinished, time - (state.drawnAt ?? start) >= interval else { return nil }
      measureRate(&state, at: time)
      state.drawnAt = time
      return text(state)
    }
    guard let line else { return }
    if console.terminal.isInteractive { console.show(line) } else { console.print(line) }
  }

  /// Erases the bar and leaves one line with the totals.
  public func finish() {
    let line: String? = state.withLock { state in
      guard !state.isFinished else { return nil }
      state.isFinished = true
      let seconds = now() - start
      var parts = ["\(state.step) steps in \(NumberText.time(seconds))"]
      if seconds > 0 { parts.append("\(NumberText.rate(Double(state.step) / seconds)) steps/s") }
      if let loss = state.loss { parts.append("loss \(NumberText.short(loss))") }
      return "\(label): \(parts.joined(separator: ", "))"
    }
    guard let line else { return }
    console.show("")
    console.print(line)
  }

  /// Takes the bar off the screen, as when the loop threw.
  private func erase() {
    if !state.withLock({ $0.isFinished }) { console.show("") }
  }

  /// Follows the rate with a memory of some five seconds, so that a slow first step (compilation) is forgotten.
  private func measureRate(_ state: inout State, at time: Double) {
    let elapsed = time - state.rateTime
    guard elapsed > 0, state.step > state.rateStep else { return }
    let current = Double(state.step - state.rateStep) / elapsed
    let weight = min(1, elapsed / 5)
    state.rate = state.rate.map { $0 + weight * (current - $0) } ?? current
    state.rateStep = state.step
    state.rateTime = time
  }

  private func text(_ state: State) -> String {
    let share = min(1, Double(state.step) / Double(total))
    let percent = "\(Int(share * 100))%"
    var parts: [String] = []
    if let rate = state.rate {
      parts.append("\(NumberText.rate(rate)) steps/s")
      parts.append("\(NumberText.time(Double(max(0, total - state.step)) / rate)) left")
    }
    if let loss = state.loss { parts.append("loss \(NumberText.short(loss))") }
    guard console.terminal.isInteractive else {
      return "\(label): " + (["step \(state.step) of \(total) (\(percent))"] + parts).joined(separator: ", ")
    }
    let facts = ([percent.leftPadded(to: 4), "\(state.step)/\(total)"] + parts).joined(separator: "  ")
    let room = console.terminal.columns - 1 - label.displayWidth - facts.displayWidth - 4
    guard room >= 8 else { return "\(label)  \(facts)" }
    return "\(label)  \(bar(share, width: min(30, room)))  \(facts)"
  }

  private func bar(_ share: Double, width: Int) -> String {
    let filled = Int(share * Double(width))
    let (done, rest) = console.terminal.hasUnicode ? ("━", "─") : ("=", "-")
    let left = String(repeating: done, count: filled)
    let right = String(repeating: rest, count: width - filled)
    // Escape sequences would be cut by the console's width limit, so the two letters carry the difference.
    return left + right
  }
}
