/// The names that a person may have meant when the one they wrote does not exist.
public struct NearestNames: Sendable, Equatable {
  /// The candidates, nearest first; none where nothing is near.
  public let names: [String]

  /// Those of `known` that are near to `name`: few slips away, or begun by it.
  ///
  /// - Parameters:
  ///   - name: What was written.
  ///   - known: The names that exist.
  ///   - count: The most candidates.
  public init(to name: String, among known: [String], count: Int = 3) {
    let wanted = Array(name.lowercased())
    // One slip in three letters still looks like the name that was meant; more is another word.
    let threshold = max(1, (wanted.count + 1) / 3)
    var scored: [(name: String, distance: Int)] = []
    for candidate in known {
      let letters = Array(candidate.lowercased())
      let distance = Self.distance(wanted, letters)
      if distance <= threshold {
        scored.append((candidate, distance))
      } else if wanted.count >= 2, letters.starts(with: wanted) {
        scored.append((candidate, threshold + 1))
      }
    }
    names = scored.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(count).map(\.name)
  }

  /// ` Did you mean 'a' or 'b'?`, with its leading space, or nothing.
  public var question: String {
    guard !names.isEmpty else { return "" }
    let quoted = names.map { "'\($0)'" }
    let list =
      quoted.count == 1
      ? quoted[0] : quoted.dropLast().joined(separator: ", ") + " or " + quoted[quoted.count - 1]
    return " Did you mean \(list)?"
  }

  /// The least number of letters to insert, delete, replace or swap with a neighbour that turns one into the other.
  ///
  /// Source: the optimal string alignment distance, after Damerau 1964.
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in 1...left.count {
      var current = [row] + [Int](repeating: 0, count: right.count)
      for column in 1...right.count {
        let isSame = left[row - 1] == right[column - 1]
        var best = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          best = min(best, beforeLast[column - 2] + 1)
        }
        current[column] = best
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
