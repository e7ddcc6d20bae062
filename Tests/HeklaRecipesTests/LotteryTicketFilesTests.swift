import Foundation
import Hekla
import HeklaExperiments
import TestSupport
import Testing

@testable import HeklaRecipes

/// The recipe on files in MNIST's form.
@Suite struct LotteryTicketFilesTests {
  private let folder: TemporaryFolder

  /// A set whose classes are told apart by which rows are white: 80 images to train on, 20 to test.
  init() throws {
    folder = try TemporaryFolder()
    for (prefix, count) in [("train", 80), ("t10k", 20)] {
      let labels = (0..<count).map { UInt8($0 % 10) }
      let pixels = labels.flatMap { label in
        (0..<784).map { UInt8($0 / 56 == Int(label) ? 255 : ($0 * 7) % 32) }
      }
      try write(HostArray(pixels, shape: [count, 28, 28]), "\(prefix)-images-idx3-ubyte")
      try write(HostArray(labels), "\(prefix)-labels-idx1-ubyte")
    }
  }

  private func write(_ array: HostArray, _ name: String) throws {
    try IDXFile.write(array, to: folder.path + "/" + name)
  }

  private func run(_ assignments: String...) throws -> RunRecord {
    let base = ["rounds=-1", "repetitions=1", "iterations=30", "batch=10", "interval=10"]
    return try LotteryTicket(applying: base + assignments).run(
      RunContext(
        device: DeviceCatalog.shared.device(named: "cpu"), dataFolder: URL(fileURLWithPath: folder.path)))
  }

  private func message() -> String {
    do {
      _ = try run()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: ["auto", "mnist"])
  func `A data folder with the four files trains the network that goes with them`(data: String) throws {
    let record = try run("data=\(data)")
    #expect(record.losses.count == 30)
    #expect(record.losses[29] < record.losses[0] / 2)
    #expect(record.metrics["mnist.accuracy.dense"] == 1)
  }

  @Test func `The digits are used where they are asked for, folder or not`() throws {
    #expect(try run("data=digits").metrics["digits.accuracy.dense"] != nil)
  }

  @Test func `A missing file is named`() throws {
    try FileManager.default.removeItem(atPath: folder.path + "/t10k-labels-idx1-ubyte")
    #expect(message().contains(folder.path + "/t10k-labels-idx1-ubyte"))
  }

  @Test func `A folder is needed for MNIST`() throws {
    let error = #expect(throws: ExperimentError.self) {
      try LotteryTicket(applying: ["data=mnist"]).run(RunContext(device: NamedDevice("none")))
    }
    #expect(error == .dataFolderNeeded(owner: "lottery-ticket", contents: "the files of MNIST"))
  }

  @Test func `A file that is cut short is named with its sizes`() throws {
    let path = folder.path + "/train-images-idx3-ubyte"
    let whole = try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
    try whole.dropLast(100).write(to: URL(fileURLWithPath: path))
    let said = message()
    #expect(said.contains("'\(path)' is cut short") && said.contains("found \(whole.count - 100)"), "\(said)")
  }

  @Test func `Images of another size are named with their shape`() throws {
    try write(HostArray(zeros: [80, 14, 14], of: .uint8), "train-images-idx3-ubyte")
    let said = message()
    #expect(said.contains("train-images-idx3-ubyte") && said.contains("[80, 14, 14]"), "\(said)")
  }

  @Test func `A batch larger than the set is refused`() {
    // A tenth of the 80 is held out.
    #expect(throws: ExperimentError.self) { try run("batch=73") }
    #expect(throws: Never.self) { try run("batch=72", "iterations=1") }
  }

  @Test func `A set too small to hold images out for validation is refused`() throws {
    try write(HostArray(zeros: [9, 28, 28], of: .uint8), "train-images-idx3-ubyte")
    try write(HostArray(zeros: [9], of: .uint8), "train-labels-idx1-ubyte")
    #expect(message().contains("of training, validation and test images, one has none"))
  }
}
