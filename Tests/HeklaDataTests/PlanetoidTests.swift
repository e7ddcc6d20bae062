import Foundation
import HeklaArrays
import HeklaData
import Testing

@Suite("Planetoid")
struct PlanetoidTests {
  /// Five vertices, the last without features and class, and without edges.
  private static func write(
    nodes: String = "0 0 3 5\n1 6 0\n2 2 1432\n3 0 3\n4 -1\n", edges: String = "0 1\n1 2\n2 1\n3 3\n",
    split: String = "train 0..1\nval 2\ntest 3\n", suffix: String = "", to folder: borrowing TemporaryFolder
  ) throws {
    for (part, text) in [("nodes", nodes), ("edges", edges), ("split", split)] where !text.isEmpty {
      let bytes = Array(text.utf8)
      try folder.file(
        "planetoid/cora.\(part).txt\(suffix)", suffix == ".gz" ? Gzip.compressed(bytes) : bytes)
    }
  }

  private static func error(
    nodes: String = "0 0 3 5\n1 6 0\n2 2 1432\n3 0 3\n4 -1\n", edges: String = "0 1\n",
    split: String = "train 0..1\nval 2\ntest 3\n"
  ) throws -> DataError {
    let folder = try TemporaryFolder()
    try write(nodes: nodes, edges: edges, split: split, to: folder)
    return try dataError { try Planetoid.load(.cora, from: folder.path) }
  }

  @Test("Vertices, edges and parts are read; edges count once, loops not, and a vertex may stand alone")
  func graph() throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    try Self.check(folder)
  }

  @Test("Compressed files hold the same graph, and so do files with Windows' line ends")
  func forms() throws {
    let packed = try TemporaryFolder()
    try Self.write(suffix: ".gz", to: packed)
    try Self.check(packed)
    let foreign = try TemporaryFolder()
    try Self.write(
      nodes: "0 0 3 5\r\n1 6 0\r\n2 2 1432\r\n3 0 3\r\n4 -1\r\n", edges: "0 1\r\n1 2\r\n\r\n2 1\r\n3 3",
      split: "train 0..1\r\nval 2\r\ntest 3\r\n", to: foreign)
    try Self.check(foreign)
  }

  @Test("Of a plain file and a compressed one the plain one is read, and one that is not gzip is named")
  func precedence() throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    let packed = try folder.file("planetoid/cora.split.txt.gz", "no gzip")
    try Self.check(folder)
    try FileManager.default.removeItem(atPath: folder.path + "/planetoid/cora.split.txt")
    let error = try dataError { try Planetoid.load(.cora, from: folder.path) }
    guard case .notGzip(packed, _) = error else {
      Issue.record("\(error)")
      return
    }
  }

  /// That the folder holds the graph that `write` writes where it is told nothing else.
  private static func check(_ folder: borrowing TemporaryFolder) throws {
    for path in [folder.path, folder.path + "/planetoid"] {
      let graph = try Planetoid.load(.cora, from: path)
      #expect(graph.name == "Cora" && graph.vertexCount == 5)
      #expect(graph.featureCount == 1_433 && graph.classCount == 7)
      #expect(graph.edges.map { [$0.0, $0.1] } == [[0, 1], [1, 2]])
      #expect(graph.features == [[3, 5], [0], [1432], [3], []])
      #expect(graph.labels == [0, 6, 2, 0, -1])
      #expect(graph.train == [0, 1] && graph.validation == [2] && graph.test == [3])
      let matrix = graph.normalizedFeatures
      #expect(matrix.rows == [0, 0, 1, 2, 3] && matrix.columns == [3, 5, 0, 1432, 3])
      #expect(matrix.values == [0.5, 0.5, 1, 1, 1])
      #expect(graph.homophily == 0)
    }
  }

  @Test("An edge to a vertex that does not exist is named with its file and line", arguments: ["5", "-1"])
  func edge(vertex: String) throws {
    let error = try Self.error(edges: "0 1\n\n2 \(vertex)\n")
    guard case .vertexOutOfRange(let file, 3, let found, 5) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(file.hasSuffix("planetoid/cora.edges.txt") && "\(found)" == vertex)
    #expect("\(error)".contains("line 3: there is no vertex \(vertex); the graph has 0 to 4"))
  }

  @Test("A part with a vertex that does not exist is named with file and line", arguments: ["5", "4..5"])
  func splitVertex(word: String) throws {
    let error = try Self.error(
      nodes: "0 0\n1 6\n2 2\n3 0\n4 1\n", split: "train 0..1\nval 2\ntest 3 \(word)\n")
    guard case .vertexOutOfRange(let file, 3, 5, 5) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(file.hasSuffix("planetoid/cora.split.txt"))
  }

  @Test(
    "A part without vertices is named with what a part looks like",
    arguments: [
      ("train 0..1\nval 2\n", "test"), ("train\nval 2\ntest 3\n", "train"), ("test 3\n", "train and val"),
      ("\n", "test and train and val"),
    ])
  func emptyPart(split: String, parts: String) throws {
    let error = try Self.error(split: split)
    guard case .wrongContents(let file, _, "none in \(parts)") = error else {
      Issue.record("\(error)")
      return
    }
    #expect(file.hasSuffix("planetoid/cora.split.txt"))
    #expect("\(error)".contains("train 0..139"))
  }

  @Test("A wrong line of a file from Windows has its number, and no carriage return")
  func foreignLine() throws {
    let error = try Self.error(edges: "0 1\r\n\r\n0 x\r\n")
    guard case .malformedLine(_, 3, _, "0 x") = error else {
      Issue.record("\(error)")
      return
    }
    #expect("\(error)".contains("expected two vertices that an edge joins, such as 0 633"))
  }

  @Test("A vertex in two parts is named with both")
  func overlap() throws {
    let error = try Self.error(split: "train 0..1\nval 2 1\ntest 3\n")
    guard case .overlappingParts(let file, 2, 1, ["train", "val"]) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(file.hasSuffix("planetoid/cora.split.txt"))
  }

  @Test("A file that is missing is named", arguments: ["nodes", "edges", "split"])
  func missing(part: String) throws {
    let error = try Self.error(
      nodes: part == "nodes" ? "" : "0 0\n", edges: part == "edges" ? "" : "0 0\n",
      split: part == "split" ? "" : "train 0\n")
    guard case .missingFile(let lookedFor) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(lookedFor.contains { $0.hasSuffix("planetoid/cora.\(part).txt") })
    #expect(lookedFor.contains { $0.hasSuffix("planetoid/cora.\(part).txt.gz") })
  }

  @Test(
    "A line that does not have the form is named with what it should be",
    arguments: [
      ("0 0\n2 0\n", "0 0\n", "train 0\n", "nodes", 2), ("0 7\n", "0 0\n", "train 0\n", "nodes", 1),
      ("0 0 1433\n", "0 0\n", "train 0\n", "nodes", 1), ("0 zero\n", "0 0\n", "train 0\n", "nodes", 1),
      ("0\n", "0 0\n", "train 0\n", "nodes", 1), ("0 0\n", "0 0 0\n", "train 0\n", "edges", 1),
      ("0 0\n", "0 x\n", "train 0\n", "edges", 1), ("0 0\n", "0 0\n", "rest 0\n", "split", 1),
      ("0 0\n", "0 0\n", "train 1..0\n", "split", 1), ("0 0\n", "0 0\n", "train 0..0..0\n", "split", 1),
      ("0 0\n1 -1\n", "0 1\n", "train 0\ntest 1\n", "split", 2),
    ])
  func malformed(nodes: String, edges: String, split: String, part: String, line: Int) throws {
    let error = try Self.error(nodes: nodes, edges: edges, split: split)
    guard case .malformedLine(let file, line, _, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(file.hasSuffix("cora.\(part).txt"))
  }

  @Test(
    "Cora has its 2,708 documents, and 15 of CiteSeer's are blank",
    .enabled(if: hasRealFile("planetoid/plain"), "HEKLA_DATA names no folder with planetoid/plain/"))
  func real() throws {
    let cora = try Planetoid.load(.cora, from: RealFileTests.folder)
    #expect(cora.vertexCount == 2_708 && cora.edges.count == 5_278)
    #expect(cora.features.reduce(0) { $0 + $1.count } == 49_216)
    let citeseer = try Planetoid.load(.citeseer, from: RealFileTests.folder)
    #expect(citeseer.vertexCount == 3_327 && citeseer.edges.count == 4_552)
    #expect(citeseer.labels.count { $0 < 0 } == 15 && citeseer.features.count(where: \.isEmpty) == 15)
    #expect(abs(cora.homophily - 0.81) < 0.01)
    for graph in [cora, citeseer] {
      #expect(graph.train.count == 20 * graph.classCount)
      #expect(graph.validation.count == 500 && graph.test.count == 1_000)
      #expect(Set(graph.train + graph.validation + graph.test).count == 20 * graph.classCount + 1_500)
    }
  }
}
