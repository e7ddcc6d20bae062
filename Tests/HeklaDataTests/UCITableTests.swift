import HeklaData
import Testing

@Suite("UCI tables")
struct UCITableTests {
  private static let flowers =
    "3,4,setosa,versicolor,virginica\n5.1,3.5,1.4,0.2,0\n7,3.2,4.7,1.4,1\n\n6.3,3.3,6,2.5,2\n"

  @Test("Rows and classes are read from the folder or from uci-classification in it, the first line left out")
  func rows() throws {
    let folder = try TemporaryFolder()
    try folder.file("uci-classification/iris.csv", Self.flowers)
    for path in [folder.path, folder.path + "/uci-classification"] {
      let iris = try UCITable.iris.load(from: path)
      #expect(iris.rows == [[5.1, 3.5, 1.4, 0.2], [7, 3.2, 4.7, 1.4], [6.3, 3.3, 6, 2.5]])
      #expect(iris.labels == [0, 1, 2])
      #expect(iris.file.hasSuffix("/uci-classification/iris.csv"))
    }
  }

  @Test("Digits have no first line to leave out")
  func digits() throws {
    let folder = try TemporaryFolder()
    let row = (0..<64).map { "\($0 % 17)" }.joined(separator: ",")
    try folder.file("digits.csv", "\(row),3\n\(row),8\n")
    let digits = try UCITable.digits.load(from: folder.path)
    #expect(digits.labels == [3, 8] && digits.rows[1] == (0..<64).map { Double($0 % 17) })
  }

  @Test("A file that is missing is an error with all places that were looked at")
  func missing() throws {
    let folder = try TemporaryFolder()
    let error = try dataError { try UCITable.wine.load(from: folder.path) }
    guard case .missingFile(let paths) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(
      paths.map { String($0.dropFirst(folder.path.count)) } == [
        "/wine_data.csv", "/wine_data.csv.gz", "/uci-classification/wine_data.csv",
        "/uci-classification/wine_data.csv.gz",
      ])
  }

  @Test("Another number of columns is an error that says how many there are to be")
  func columns() throws {
    let folder = try TemporaryFolder()
    try folder.file("breast_cancer.csv", Self.flowers)
    let error = try dataError { try UCITable.breastCancer.load(from: folder.path) }
    #expect("\(error)".contains("30 features and a class in a row, found 5 cells"))
  }

  @Test(
    "A class that does not exist and numbers that are not finite are errors with their line",
    arguments: ["1,2,3,4,3", "1,2,3,4,-1", "1,2,3,4,0.5", "1,2,inf,4,0", "1,2,3,4,inf"])
  func lines(row: String) throws {
    let folder = try TemporaryFolder()
    try folder.file("iris.csv", Self.flowers + row + "\n")
    let error = try dataError { try UCITable.iris.load(from: folder.path) }
    guard case .malformedLine(let file, 6, "finite numbers and a class, 0 to 2", _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(file == folder.path + "/iris.csv")
  }

  @Test("Names and other words among the numbers are errors with line and column")
  func words() throws {
    let folder = try TemporaryFolder()
    try folder.file("iris.csv", Self.flowers + "1,2,x,4,0\n")
    guard
      case .nonNumericCell(let place, text: "x") = try dataError({ try UCITable.iris.load(from: folder.path) }
      )
    else {
      Issue.record("no such error")
      return
    }
    #expect(place.line == 6 && place.column == 3)
  }
}
