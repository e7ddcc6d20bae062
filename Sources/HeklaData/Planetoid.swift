import HeklaArrays

/// Citation graphs with the fixed parts of the Planetoid benchmark: 20 documents of each class to learn from, 500 to
/// choose by, 1,000 to judge by. A document's features are the words that it has.
///
/// Sources: Sen et al. 2008, "Collective classification in network data"; Yang, Cohen & Salakhutdinov 2016,
/// "Revisiting semi-supervised learning with graph embeddings".
public enum Planetoid {
  /// Which of the graphs.
  public enum Variant: String, Sendable, Hashable, Codable, CaseIterable {
    /// 2,708 documents about machine learning in seven classes; 1,433 words.
    case cora
    /// 3,327 documents of computer science in six classes, 15 of them without words and class; 3,703 words.
    case citeseer

    /// The name of the set.
    public var title: String { self == .cora ? "Cora" : "CiteSeer" }

    var featureCount: Int { self == .cora ? 1_433 : 3_703 }
    var classCount: Int { self == .cora ? 7 : 6 }
  }

  /// The graph `variant`, from text files in `folder`, in its folder `planetoid` or in `planetoid/plain`.
  ///
  /// Three files, plain or with `.gz`: `cora.nodes.txt` has a line for each vertex, with its number, from 0 on, its
  /// class or -1, and its features; `cora.edges.txt` two vertices in a line; `cora.split.txt` lines that begin with
  /// `train`, `val` and `test`, followed by vertices or, as `0..139`, by stretches of them. Lines end as on Unix or
  /// as on Windows.
  ///
  /// The pickles that the authors publish are not read: a pickle is a program.
  /// - Throws: `DataError`, with file and line, for files that are missing or do not have this form, for vertices
  ///   that do not exist, for a vertex in two parts, and for a part without vertices.
  public static func load(_ variant: Variant, from folder: String) throws(DataError) -> LabeledGraph {
    try DataFolder.check(folder)
    var lookedFor: [String] = []
    for folder in DataFolder.candidates(in: folder, named: ["planetoid", "planetoid/plain"]) {
      guard let nodes = file("nodes", of: variant, in: folder, &lookedFor) else { continue }
      lookedFor = []
      guard let edges = file("edges", of: variant, in: folder, &lookedFor),
        let split = file("split", of: variant, in: folder, &lookedFor)
      else { throw .missingFile(lookedFor: lookedFor) }
      return try graph(variant, nodes: nodes, edges: edges, split: split)
    }
    throw .missingFile(lookedFor: lookedFor)
  }

  /// The path of a file of the set, plain before compressed; the paths where it is not go to `lookedFor`.
  private static func file(
    _ part: String, of variant: Variant, in folder: String, _ lookedFor: inout [String]
  ) -> String? {
    let paths = ["", ".gz"].map { DataFolder.path(folder, "\(variant.rawValue).\(part).txt\($0)") }
    lookedFor += paths
    return paths.first(where: FileContents.isFile)
  }

  private static func graph(
    _ variant: Variant, nodes: String, edges: String, split: String
  ) throws(DataError) -> LabeledGraph {
    var (labels, features): ([Int32], [[Int32]]) = ([], [])
    for line in try TextLines(nodes) {
      let expected =
        "the number of the vertex, \(labels.count), its class below \(variant.classCount) or -1, and its "
        + "features, each below \(variant.featureCount)"
      let numbers = try line.numbers(expected)
      guard numbers.count >= 2, Int(numbers[0]) == labels.count,
        (-1..<Int32(variant.classCount)).contains(numbers[1]),
        numbers.dropFirst(2).allSatisfy({ (0..<Int32(variant.featureCount)).contains($0) })
      else { throw line.malformed(expected) }
      labels.append(numbers[1])
      features.append(Array(numbers.dropFirst(2)))
    }
    var pairs: [(Int32, Int32)] = []
    for line in try TextLines(edges) {
      let expected = "two vertices that an edge joins, such as 0 633"
      let numbers = try line.numbers(expected)
      guard numbers.count == 2 else { throw line.malformed(expected) }
      for vertex in numbers { try line.check(vertex, in: labels) }
      pairs.append((numbers[0], numbers[1]))
    }
    var parts: [String: [Int32]] = ["train": [], "val": [], "test": []]
    var partOf: [Int32: String] = [:]
    for line in try TextLines(split) {
      guard let name = line.words.first, parts[name] != nil else {
        throw line.malformed("train, val or test, followed by its vertices, such as train 0..139 150")
      }
      for word in line.words.dropFirst() {
        for vertex in try line.stretch(word) {
          try line.check(vertex, in: labels)
          guard labels[Int(vertex)] >= 0 else {
            throw line.malformed("vertices with a class; \(vertex) has none")
          }
          if let other = partOf.updateValue(name, forKey: vertex) {
            throw .overlappingParts(file: split, line: line.number, item: Int(vertex), parts: [other, name])
          }
          parts[name, default: []].append(vertex)
        }
      }
    }
    let empty = parts.filter(\.value.isEmpty).keys.sorted()
    guard empty.isEmpty else {
      throw .wrongContents(
        file: split, expected: "vertices in each of train, val and test, such as train 0..139",
        found: "none in \(empty.joined(separator: " and "))")
    }
    return LabeledGraph(
      name: variant.title, featureCount: variant.featureCount, classCount: variant.classCount, edges: pairs,
      features: features, labels: labels, train: parts["train"] ?? [], validation: parts["val"] ?? [],
      test: parts["test"] ?? [])
  }
}

/// The lines of a text file that are not empty, with their numbers.
private struct TextLines: Sequence, IteratorProtocol {
  struct Line {
    let file: String
    let number: Int
    let words: [String]

    func malformed(_ expected: String) -> DataError {
      .malformedLine(file: file, line: number, expected: expected, found: words.joined(separator: " "))
    }

    func numbers(_ expected: String) throws(DataError) -> [Int32] {
      let numbers = words.compactMap { Int32($0) }
      guard numbers.count == words.count else { throw malformed(expected) }
      return numbers
    }

    /// The numbers that `word` means: one, or with two points in the middle all from the first to the last.
    func stretch(_ word: String) throws(DataError) -> ClosedRange<Int32> {
      let ends = word.split(separator: "..", omittingEmptySubsequences: false).map { Int32($0) }
      guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, first <= last else {
        throw malformed("vertices, or stretches of them such as 0..139")
      }
      return first...last
    }

    func check(_ vertex: Int32, in labels: [Int32]) throws(DataError) {
      guard labels.indices.contains(Int(vertex)) else {
        throw .vertexOutOfRange(file: file, line: number, vertex: Int(vertex), count: labels.count)
      }
    }
  }

  private let file: String
  private var rest: ArraySlice<ArraySlice<UInt8>>
  private var number = 0

  init(_ file: String) throws(DataError) {
    self.file = file
    // Bytes, of which a carriage return before the line feed is white space; as a Character both are one.
    rest = try FileContents.read(file).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[
      ...]
  }

  mutating func next() -> Line? {
    while let bytes = rest.popFirst() {
      number += 1
      let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(
        String.init)
      if !words.isEmpty { return Line(file: file, number: number, words: words) }
    }
    return nil
  }
}
