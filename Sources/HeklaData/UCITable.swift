import HeklaArrays

/// Small tables of numbers with classes from the UCI repository, as the folder `sklearn/datasets/data` of
/// scikit-learn has them.
///
/// Sources: Wolberg, Mangasarian, Street & Street 1995, "Breast cancer Wisconsin (diagnostic)"; Aeberhard & Forina
/// 1992, "Wine"; Fisher 1936, "Iris"; Alpaydin & Kaynak 1998, "Optical recognition of handwritten digits".
public enum UCITable: String, Sendable, Hashable, Codable, CaseIterable {
  /// 569 tumours, malignant or benign, by 30 measures of cells.
  case breastCancer = "breast_cancer"
  /// 178 wines of three growers, by 13 chemical measures.
  case wine = "wine_data"
  /// 150 flowers of three kinds, by 4 lengths.
  case iris
  /// 1,797 digits, by 8 x 8 pixels.
  case digits

  /// The number of numbers in a row, without its class.
  public var featureCount: Int {
    switch self {
    case .breastCancer: 30
    case .wine: 13
    case .iris: 4
    case .digits: 64
    }
  }

  /// The number of classes.
  public var classCount: Int {
    switch self {
    case .breastCancer: 2
    case .wine, .iris: 3
    case .digits: 10
    }
  }

  /// What was read.
  public struct Contents: Sendable {
    /// The file that it was read from.
    public let file: String
    /// The features of each row.
    public let rows: [[Double]]
    /// The class of each row, from 0 on.
    public let labels: [Int]
  }

  /// The table from `breast_cancer.csv`, `wine_data.csv`, `iris.csv` or `digits.csv`, plain or with `.gz`, in
  /// `folder` or in its folder `uci-classification`.
  /// - Throws: `DataError` for a file that is missing, and with its line for rows that are not finite numbers and a
  ///   class.
  public func load(from folder: String) throws(DataError) -> Contents {
    try DataFolder.check(folder)
    let paths = DataFolder.candidates(in: folder, named: ["uci-classification"]).flatMap { folder in
      ["", ".gz"].map { DataFolder.path(folder, "\(rawValue).csv\($0)") }
    }
    guard let path = paths.first(where: FileContents.isFile) else { throw .missingFile(lookedFor: paths) }
    // The first line of the others has counts and the names of classes.
    let format = CSVFile.Format(
      hasHeader: false, skippedLineCount: self == .digits ? 0 : 1, skipsBlankLines: true)
    let table = try CSVFile(path, format: format)
    guard table.columnCount == featureCount + 1 else {
      throw .wrongContents(
        file: path, expected: "\(featureCount) features and a class in a row",
        found: "\(table.columnCount) cells")
    }
    let numbers = try table.numbers(as: Double.self).doubles()
    var (rows, labels): ([[Double]], [Int]) = ([], [])
    for row in 0..<table.rowCount {
      let cells = numbers[row * (featureCount + 1)..<(row + 1) * (featureCount + 1)]
      guard let label = Int(exactly: cells[cells.endIndex - 1]), (0..<classCount).contains(label),
        cells.allSatisfy(\.isFinite)
      else {
        throw .malformedLine(
          file: path, line: table.position(row, featureCount).line,
          expected: "finite numbers and a class, 0 to \(classCount - 1)",
          found: cells.map { "\($0)" }.joined(separator: ","))
      }
      rows.append(Array(cells.dropLast()))
      labels.append(label)
    }
    return Contents(file: path, rows: rows, labels: labels)
  }
}
