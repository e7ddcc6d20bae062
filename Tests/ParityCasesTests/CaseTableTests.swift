import Foundation
import HeklaArrays
import HeklaData
import HeklaRuntime
import HeklaTensors
import TestSupport
import Testing

@testable import parity_cases

@Suite("Cases that are compared with a peer")
struct CaseTableTests {
  private static func runner() throws -> CaseRunner {
    CaseRunner(executor: try PlanExecutor(DeviceCatalog.shared.device(named: "cpu")))
  }

  @Test("Names differ, can be folders' names, and each has a case")
  func names() {
    let table = CaseTable.all
    #expect(table.repeatedNames.isEmpty)
    #expect(table.names.count > 200)
    for name in table.names {
      #expect(name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }, "\(name)")
      #expect(table[name] != nil)
    }
    #expect(table["no-such-case"] == nil)
  }

  /// Runs the case `name` on `files`, and returns the arrays that it writes by the names of their files.
  private static func results(_ name: String, _ files: [String: HostArray]) throws -> [String: HostArray] {
    let folder = try TemporaryFolder()
    for (file, array) in files { try NPYFile.write(array, to: "\(folder.path)/\(file).npy") }
    let body = try #require(CaseTable.all[name])
    try runner().run(body, in: folder.path)
    let written = try folder.contents.filter { !files.keys.contains(String($0.dropLast(4))) }
    var results: [String: HostArray] = [:]
    for file in written { results[String(file.dropLast(4))] = try NPYFile.read("\(folder.path)/\(file)") }
    return results
  }

  @Test("Outputs are written, and gradients of arguments along the upstream")
  func gradients() throws {
    let x = HostArray([1, 2, 3, 4] as [Float], shape: [2, 2])
    let y = HostArray([5, 6, 7, 8] as [Float], shape: [2, 2])
    let upstream = HostArray([1, 0, 0, 1] as [Float], shape: [2, 2])
    let results = try Self.results("matmul", ["argument-0": x, "argument-1": y, "upstream-0": upstream])
    #expect(results["output-0"] == HostArray([19, 22, 43, 50] as [Float], shape: [2, 2]))
    #expect(results["gradient-0"] == HostArray([5, 7, 6, 8] as [Float], shape: [2, 2]))
    #expect(results["gradient-1"] == HostArray([1, 3, 2, 4] as [Float], shape: [2, 2]))
    #expect(results.count == 3)
  }

  @Test("Constants get no gradient, and several outputs add up in one")
  func constants() throws {
    let x = HostArray([1, 2, 3, 4, 5, 6, 7] as [Float], shape: [1, 7])
    let upstreams = [[1, 2], [3], [4, 5, 6, 7]].map { HostArray($0 as [Float], shape: [1, $0.count]) }
    let several = try Self.results(
      "split",
      ["argument-0": x, "upstream-0": upstreams[0], "upstream-1": upstreams[1], "upstream-2": upstreams[2]])
    #expect(several["gradient-0"] == x)
    #expect(several["output-2"] == HostArray([4, 5, 6, 7] as [Float], shape: [1, 4]))
    let constant = try Self.results("floor", ["constant-0": HostArray([1.5, -0.5] as [Float])])
    #expect(constant == ["output-0": HostArray([1, -1] as [Float])])
  }

  @Test("A module's parameters take the last arguments as values")
  func parameters() throws {
    let weight = HostArray((0..<33 * 17).map { $0 % 17 == $0 / 17 ? Float(2) : 0 }, shape: [33, 17])
    let results = try Self.results(
      "linear",
      [
        "argument-0": HostArray((0..<33).map { Float($0) }, shape: [1, 33]), "argument-1": weight,
        "argument-2": HostArray([Float](repeating: 1, count: 17)),
        "upstream-0": HostArray([Float](repeating: 3, count: 17), shape: [1, 17]),
      ])
    #expect(results["output-0"]?.doubles() == (0..<17).map { Double(2 * $0 + 1) })
    #expect(results["gradient-2"]?.doubles() == [Double](repeating: 3, count: 17))
  }

  @Test("Training makes a step along each row, and what fails becomes a file")
  func training() throws {
    let start = HostArray([1, 2] as [Float])
    let rows = HostArray([1, 0, 0, 2] as [Float], shape: [2, 2])
    let results = try Self.results("sgd", ["constant-0": start, "constant-1": rows])
    #expect(results == ["output-0": HostArray([1 - 0.1, 2 - 0.1 * 2] as [Float])])

    let folder = try TemporaryFolder()
    let body = try #require(CaseTable.all["sgd"])
    try Self.runner().run(body, in: folder.path)
    #expect(try folder.contents == ["error.txt"])
    #expect(try folder.text(of: "error.txt").contains("not 0 arguments"))
  }
}
