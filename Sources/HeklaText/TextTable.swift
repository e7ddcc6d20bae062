/// Rows of cells in aligned columns, as plain text or Markdown.
///
/// A column whose cells are all numbers is aligned right. The last column wraps where a width is given.
public struct TextTable: Sendable {
  private let titles: [String]
  private var rows: [[String]] = []

  /// A table without rows.
  ///
  /// - Parameter titles: One title per column.
  public init(_ titles: [String]) { self.titles = titles }

  /// Adds a row; missing cells are empty.
  ///
  /// - Precondition: There are at most as many cells as columns.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count <= titles.count, "a row of \(cells.count) cells in \(titles.count) columns")
    rows.append(cells + Array(repeating: "", count: titles.count - cells.count))
  }

  /// Whether there are no rows.
  public var isEmpty: Bool { rows.isEmpty }

  /// The table as lines without spaces at their ends.
  ///
  /// - Parameters:
  ///   - width: The columns of the terminal that the last column's words are wrapped to, or nil for no wrapping.
  ///   - margin: What every line begins with.
  public func text(width: Int? = nil, margin: String = "") -> String {
    let widths = titles.indices.map { column in
      ([titles] + rows).map { $0[column].displayWidth }.max() ?? 0
    }
    let isRight = titles.indices.map { isNumeric($0) }
    let indent = margin.displayWidth + widths.dropLast().reduce(0) { $0 + $1 + 2 }
    // Under 20 columns a wrapped column is harder to read than a long line.
    let room = width.map { max(20, $0 - indent) } ?? Int.max
    var lines: [String] = []
    for row in [titles] + rows where titles.contains(where: { !$0.isEmpty }) || row != titles {
      let wrapped = row[row.count - 1].wrapped(to: room)
      for (index, last) in wrapped.enumerated() {
        var line = margin
        for column in titles.indices.dropLast() {
          let cell = index == 0 ? row[column] : ""
          line +=
            (isRight[column] ? cell.leftPadded(to: widths[column]) : cell.padded(to: widths[column])) + "  "
        }
        let isLastRight = isRight[titles.count - 1] && wrapped.count == 1
        line += isLastRight ? last.leftPadded(to: widths[titles.count - 1]) : last
        while line.last == " " { line.removeLast() }
        lines.append(line)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The table in GitHub's dialect of Markdown.
  public var markdown: String {
    let rule = titles.indices.map { isNumeric($0) ? "---:" : "---" }
    return ([titles, rule] + rows)
      .map { "| " + $0.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |" }
      .joined(separator: "\n")
  }

  private func isNumeric(_ column: Int) -> Bool {
    let cells = rows.map { $0[column] }.filter { !$0.isEmpty && $0 != "-" }
    return !cells.isEmpty
      && cells.allSatisfy { cell in
        guard let first = cell.first, first.isNumber || "+-.".contains(first) else { return cell == "NaN" }
        return Double(cell.replacing(",", with: "").replacing("%", with: "")) != nil
      }
  }
}
