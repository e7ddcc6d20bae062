import HeklaArrays
import HeklaData
import Testing

/// Files of the user's data folder, read where HEKLA_DATA names it; without it these tests are skipped
/// everywhere, since the project has no copy.
@Suite("Real files")
struct RealFileTests {
  static let folder = realDataFolder ?? ""

  @Test(
    "MNIST has 60,000 and 10,000 digits",
    .enabled(if: hasRealFile("mnist"), "HEKLA_DATA names no folder with mnist/"))
  func mnist() throws {
    let train = try MNIST.load(from: Self.folder)
    #expect(train.images.shape == [60_000, 28, 28])
    #expect(train.labels.elements(as: Int32.self).prefix(8) == [5, 0, 4, 1, 9, 2, 1, 3])
    #expect(train.countPerClass == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(try MNIST.load(.test, from: Self.folder).count == 10_000)
  }

  @Test(
    "Fashion-MNIST's test part has 1,000 images of each class",
    .enabled(if: hasRealFile("fashion-mnist"), "HEKLA_DATA names no folder with fashion-mnist/"))
  func fashion() throws {
    let test = try MNIST.load(.test, from: Self.folder, variant: .fashion)
    #expect(test.countPerClass == [Int](repeating: 1000, count: 10))
    #expect(test.labels.elements(as: Int32.self).prefix(8) == [9, 2, 1, 1, 6, 1, 4, 6])
  }

  @Test(
    "The first 3,000 images of CIFAR-10 are read",
    .enabled(if: hasRealFile("cifar10-subset"), "HEKLA_DATA names no folder with cifar10-subset/"))
  func cifar() throws {
    let train = try CIFAR10.load(from: Self.folder)
    #expect(train.images.shape == [3000, 3, 32, 32])
    #expect(train.countPerClass == [299, 287, 322, 285, 311, 279, 312, 297, 308, 300])
    #expect(train.labels.elements(as: Int32.self).prefix(2) == [6, 9])
  }

  @Test(
    "The tables that come with scikit-learn are read",
    .enabled(if: hasRealFile("uci-classification"), "HEKLA_DATA names no folder with uci-classification/"))
  func tables() throws {
    for (table, rows) in zip(UCITable.allCases, [569, 178, 150, 1797]) {
      let contents = try table.load(from: Self.folder)
      #expect(contents.rows.count == rows, "\(table)")
      #expect(Set(contents.labels) == Set(0..<table.classCount), "\(table)")
    }
  }

  @Test(
    "A long table of numbers is read",
    .enabled(
      if: hasRealFile("movielens-latest-small/ratings.csv.gz"),
      "HEKLA_DATA has no movielens-latest-small/ratings.csv.gz"))
  func ratings() throws {
    let table = try CSVFile(Self.folder + "/movielens-latest-small/ratings.csv.gz")
    #expect(table.columnNames == ["userId", "movieId", "rating", "timestamp"])
    let ratings = try table.numbers(named: ["rating", "timestamp"], as: Double.self)
    #expect(ratings.shape == [100_023, 2])
    // Ratings are halves, so their sum is exact.
    let numbers = ratings.elements(as: Double.self)
    #expect(stride(from: 0, to: numbers.count, by: 2).reduce(0) { $0 + numbers[$1] } == 349_216.5)
    #expect(numbers.prefix(4) == [2, 980_730_861, 3, 980_731_380])
  }

  @Test(
    "Titles with quoted commas are read",
    .enabled(
      if: hasRealFile("movielens-latest-small/movies.csv.gz"),
      "HEKLA_DATA has no movielens-latest-small/movies.csv.gz"))
  func titles() throws {
    let titles = try CSVFile(Self.folder + "/movielens-latest-small/movies.csv.gz").strings(in: 1)
    #expect(titles.count == 8570)
    #expect(titles[10] == "American President, The (1995)")
    #expect(titles[28] == "City of Lost Children, The (Cité des enfants perdus, La) (1995)")
  }

  @Test(
    "Adult, with spaces, question marks and a blank last line, is read with the options that name them",
    .enabled(
      if: hasRealFile("uci-classification/adult.data.gz"),
      "HEKLA_DATA has no uci-classification/adult.data.gz"))
  func adult() throws {
    let path = Self.folder + "/uci-classification/adult.data.gz"
    let table = try CSVFile(path, format: .init(hasHeader: false, skipsBlankLines: true, trimsSpaces: true))
    #expect(table.rowCount == 32_561 && table.columnCount == 15)
    #expect(try table.completeRows().count == 32_561 - 2399)
    let income = try table.categories(in: 14)
    #expect(income.names == ["<=50K", ">50K"])
    #expect(income.codes.elements(as: Int32.self).reduce(0, +) == 7841)
    #expect(try table.numbers(in: [0, 12]).doubles().prefix(2) == [39, 40])
  }

  @Test(
    "The embedded digits equal the published file",
    .enabled(
      if: hasRealFile("uci-classification/digits.csv.gz"),
      "HEKLA_DATA has no uci-classification/digits.csv.gz"))
  func digits() throws {
    let table = try CSVFile(
      Self.folder + "/uci-classification/digits.csv.gz", format: .init(hasHeader: false))
    let pixels = try table.numbers(in: Array(0..<64))
    #expect(pixels.doubles() == Digits.images.doubles())
    #expect(try table.numbers(in: [64]).doubles() == Digits.labels.doubles())
  }
}
