import HeklaArrays

/// An equation of an Einstein summation, such as `bij,bjk->bik`, read and fitted to shapes.
///
/// Labels are numbers: letters by their code, the axes of an ellipsis -1, -2, ... from its innermost, so that
/// ellipses of different ranks align as in broadcasting.
struct EinsteinSummation {
  /// The labels of each operand's axes.
  let operands: [[Int]]
  /// The labels of the result's axes.
  let output: [Int]
  /// What each label runs over.
  let extents: [Int: Int]

  /// What is wrong with an equation.
  struct Mistake: Error {
    let message: String
  }

  /// Reads `equation` for operands of `shapes`.
  init(_ equation: String, shapes: [Shape]) throws(Mistake) {
    let text = equation.filter { $0 != " " }
    var sides: [String] = [text]
    if let arrow = text.firstRange(of: "->") {
      sides = [String(text[..<arrow.lowerBound]), String(text[arrow.upperBound...])]
    }
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard terms.count == shapes.count else {
      throw Mistake(message: "it has \(terms.count) terms for \(shapes.count) operands")
    }
    var operands: [[Int]] = []
    var extents: [Int: Int] = [:]
    var ellipsisRank = 0
    for (term, shape) in zip(terms, shapes) {
      let named = term.count - (term.contains("...") ? 3 : 0)
      let hidden = shape.rank - named
      guard hidden == 0 || (hidden > 0 && term.contains("...")) else {
        throw Mistake(message: "term \(term) has \(named) labels for shape \(shape)")
      }
      ellipsisRank = max(ellipsisRank, hidden)
      let labels = try Self.labels(of: term, ellipsisRank: hidden)
      for (label, extent) in zip(labels, shape.extents) {
        let known = extents[label] ?? extent
        guard known == extent || (label < 0 && (known == 1 || extent == 1)) else {
          throw Mistake(
            message: "the axes that \(Self.name(label)) names have extents \(known) and \(extent)")
        }
        extents[label] = known == 1 ? extent : known
      }
      operands.append(labels)
    }
    if sides.count == 2 {
      output = try Self.labels(of: sides[1], ellipsisRank: sides[1].contains("...") ? ellipsisRank : 0)
    } else {
      // As NumPy does: the ellipsis, then each label that occurs once, in alphabetical order.
      let all = operands.flatMap { $0 }
      let single = Set(all).filter { label in label > 0 && all.filter { $0 == label }.count == 1 }
      output = (0..<ellipsisRank).map { $0 - ellipsisRank } + single.sorted()
    }
    guard Set(output).count == output.count else { throw Mistake(message: "the result names a label twice") }
    if let stranger = output.first(where: { extents[$0] == nil }) {
      throw Mistake(message: "no operand has \(Self.name(stranger)), which the result names")
    }
    self.operands = operands
    self.extents = extents
  }

  private static func name(_ label: Int) -> String {
    UnicodeScalar(UInt32(max(label, 0))).map { label > 0 ? "label \($0)" : "the ellipsis" } ?? "a label"
  }

  private static func labels(of term: String, ellipsisRank: Int) throws(Mistake) -> [Int] {
    var labels: [Int] = []
    var rest = Substring(term)
    var hasEllipsis = false
    while let first = rest.first {
      if rest.hasPrefix("..."), !hasEllipsis {
        labels += (0..<ellipsisRank).map { $0 - ellipsisRank }
        rest = rest.dropFirst(3)
        hasEllipsis = true
      } else if let code = first.asciiValue, first.isLetter {
        labels.append(Int(code))
        rest = rest.dropFirst()
      } else {
        throw Mistake(message: "\(first) in term \(term) is no label; labels are the letters a-z and A-Z")
      }
    }
    return labels
  }
}

/// In which order the operands of a summation are contracted, two at a time.
///
/// The cost of a pair is the number of multiplications, the product of the extents of all labels in it. The best
/// order is searched exhaustively, over sets of operands, for up to six; for more, the pair that shrinks the
/// operands most is taken first. Source: Pfeifer et al. 2014, "Faster identification of optimal contraction
/// sequences for tensor networks", section II.
struct ContractionOrder {
  /// Positions in a list from which each pair is removed, and to the end of which the result is put.
  let pairs: [(Int, Int)]
  /// The multiplications of all pairs.
  let cost: Double

  private static let exhaustiveLimit = 6

  /// The order for operands with these labels.
  init(_ operands: [Set<Int>], output: Set<Int>, extents: [Int: Int]) {
    func size(_ labels: Set<Int>) -> Double { labels.reduce(1) { $0 * Double(extents[$1] ?? 1) } }
    self =
      operands.count <= Self.exhaustiveLimit
      ? Self.exhaustive(operands, output, size) : Self.greedy(operands, output, size)
  }

  private init(pairs: [(Int, Int)], cost: Double) {
    self.pairs = pairs
    self.cost = cost
  }

  /// Every set of operands from its best division in two.
  private static func exhaustive(
    _ operands: [Set<Int>], _ output: Set<Int>, _ size: (Set<Int>) -> Double
  ) -> ContractionOrder {
    let count = operands.count
    let full = (1 << count) - 1
    func members(_ set: Int) -> [Int] { (0..<count).filter { set >> $0 & 1 == 1 } }
    // What is left of a set of operands once they are contracted: labels that others or the result need.
    let kept = (0...full).map { set -> Set<Int> in
      let inside = members(set).reduce(into: Set<Int>()) { $0.formUnion(operands[$1]) }
      if members(set).count == 1 { return inside }
      return inside.intersection(members(full & ~set).reduce(output) { $0.union(operands[$1]) })
    }
    var best = [(cost: Double, left: Int)](repeating: (.infinity, 0), count: full + 1)
    for set in 1...max(full, 1) where set <= full {
      if members(set).count == 1 {
        best[set] = (0, 0)
        continue
      }
      var left = (set - 1) & set
      while left > 0 {
        let right = set & ~left
        // Each division once.
        if left > right {
          let cost = best[left].cost + best[right].cost + size(kept[left].union(kept[right]))
          if cost < best[set].cost { best[set] = (cost, left) }
        }
        left = (left - 1) & set
      }
    }
    var list = (0..<count).map { 1 << $0 }
    var pairs: [(Int, Int)] = []
    func contract(_ set: Int) {
      guard members(set).count > 1 else { return }
      let (left, right) = (best[set].left, set & ~best[set].left)
      contract(left)
      contract(right)
      guard let first = list.firstIndex(of: left), let second = list.firstIndex(of: right) else { return }
      pairs.append((min(first, second), max(first, second)))
      list.remove(at: max(first, second))
      list.remove(at: min(first, second))
      list.append(set)
    }
    contract(full)
    return ContractionOrder(pairs: pairs, cost: best[full].cost)
  }

  private static func greedy(
    _ operands: [Set<Int>], _ output: Set<Int>, _ size: (Set<Int>) -> Double
  ) -> ContractionOrder {
    var list = operands
    var pairs: [(Int, Int)] = []
    var total = 0.0
    while list.count > 1 {
      var best: (growth: Double, cost: Double, pair: (Int, Int), result: Set<Int>)?
      for first in list.indices {
        for second in list.indices where second > first {
          let others = list.indices.filter { $0 != first && $0 != second }
          let needed = others.reduce(output) { $0.union(list[$1]) }
          let all = list[first].union(list[second])
          let result = all.intersection(needed)
          let growth = size(result) - size(list[first]) - size(list[second])
          if best.map({ (growth, size(all)) < ($0.growth, $0.cost) }) ?? true {
            best = (growth, size(all), (first, second), result)
          }
        }
      }
      guard let best else { break }
      pairs.append(best.pair)
      total += best.cost
      list.remove(at: best.pair.1)
      list.remove(at: best.pair.0)
      list.append(best.result)
    }
    return ContractionOrder(pairs: pairs, cost: total)
  }
}
