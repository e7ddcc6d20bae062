import HeklaArrays
import HeklaTensors

/// Looks for the most probable sequences of symbols, step by step, among the `width` most probable beginnings.
///
/// Runs on the host; a compiled step gives the probabilities for the beams of all examples at once.
/// Source: Graves 2012, "Sequence transduction with recurrent neural networks", section 2.5, for one network.
public struct BeamSearch: Sendable {
  /// How many beginnings are kept for each example; 1 takes the most probable symbol each time.
  public let width: Int
  /// The symbol that ends a sequence and is its last; nil where all sequences end at the greatest length.
  public let end: Int?

  /// A search that keeps `width` beginnings.
  public init(width: Int, end: Int?, file: StaticString = #fileID, line: UInt = #line) {
    require(width > 0, "beam search: a width of \(width); it must be positive", file: file, line: line)
    (self.width, self.end) = (width, end)
  }

  private struct Beam {
    var symbols: [Int] = []
    var score = 0.0
    var row = 0
  }

  /// The best sequence found for each example.
  ///
  /// - Parameters:
  ///   - count: How many examples there are.
  ///   - length: The most symbols that a sequence has.
  ///   - allows: Whether a symbol may follow a beginning. A beginning that nothing may follow is given up.
  ///   - advance: Gives log-probabilities of the next symbol, row by row, `count * width` rows: beam `k` of example
  ///     `b` is row `k * count + b`. Row `r` continues what row `parents[r]` was, by `symbols[r]`; -1 at first.
  /// - Returns: Symbols with the end, if one was reached; of equally probable sequences the first found. Empty where
  ///   every beginning was given up.
  public func sequences(
    count: Int, length: Int, allowing allows: (_ beginning: [Int], _ symbol: Int) -> Bool = { _, _ in true },
    advance: (_ parents: [Int], _ symbols: [Int]) throws -> [Float]
  ) rethrows -> [[Int]] {
    let rows = count * width
    var beams = (0..<count).map { [Beam(row: $0)] }
    for _ in 0..<length {
      var (parents, symbols) = (Array(0..<rows), [Int](repeating: -1, count: rows))
      for (example, kept) in beams.enumerated() {
        for (k, beam) in kept.enumerated() {
          parents[k * count + example] = beam.row
          symbols[k * count + example] = beam.symbols.last ?? -1
        }
      }
      let scores = try advance(parents, symbols)
      let words = scores.count / max(rows, 1)
      for example in 0..<count {
        var next: [Beam] = []
        for (k, beam) in beams[example].enumerated() {
          let row = k * count + example
          if let end, beam.symbols.last == end {
            next.append(Beam(symbols: beam.symbols, score: beam.score, row: row))
            continue
          }
          for symbol in 0..<words where allows(beam.symbols, symbol) {
            let score = beam.score + Double(scores[row * words + symbol])
            // Below this lie symbols that were masked, such as padding.
            guard score > -1e20 else { continue }
            next.append(Beam(symbols: beam.symbols + [symbol], score: score, row: row))
          }
        }
        // Sorting is not stable by promise, so that the order found decides among equals.
        let best = next.enumerated().sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
        beams[example] = best.prefix(width).map(\.element)
      }
      if let end, beams.allSatisfy({ $0.allSatisfy { $0.symbols.last == end } }) { break }
    }
    return beams.map { $0.first?.symbols ?? [] }
  }
}
