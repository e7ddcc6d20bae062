import HeklaArrays
import HeklaData
import Testing

@Suite("CIFAR-10")
struct CIFAR10Tests {
  /// A CIFAR-10 record of `label`, whose pixels count up from it.
  static func record(_ label: UInt8) -> [UInt8] {
    [label] + (0..<3072).map { UInt8(truncatingIfNeeded: $0 + Int(label)) }
  }

  @Test("CIFAR-10's files are joined in their order, planes of red, green and blue apart")
  func cifar() throws {
    let folder = try TemporaryFolder()
    try folder.file("cifar-10-batches-bin/data_batch_2.bin", Self.record(4))
    try folder.file(
      "cifar-10-batches-bin/data_batch_1_first2.bin.gz", Gzip.compressed(Self.record(9) + Self.record(0)))
    try folder.file("cifar-10-batches-bin/test_batch.bin", Self.record(3))
    try folder.file("cifar-10-batches-bin/data_batch_10.bin", Self.record(3))
    let train = try CIFAR10.load(from: folder.path)
    #expect(train.images.shape == [3, 3, 32, 32])
    #expect(train.labels == HostArray([9, 0, 4] as [Int32]))
    let pixels = [9, 0, 4].flatMap { Self.record($0).dropFirst() }
    #expect(train.images.elements(as: UInt8.self) == pixels)
    #expect(train.name == "CIFAR-10 train (data_batch_1_first2.bin.gz, data_batch_2.bin)")
    #expect(try CIFAR10.load(.test, from: folder.path).labels == HostArray([3] as [Int32]))
  }

  @Test("CIFAR-10's damaged and conflicting files are errors")
  func wrongCIFAR() throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    func error() throws -> DataError {
      try dataError { try CIFAR10.load(from: path) }
    }
    let file = try folder.file("data_batch_1.bin", Self.record(1) + Self.record(2).dropLast(10))
    #expect(try error() == .partialRecord(file: file, recordByteCount: 3073, foundByteCount: 6136))
    try folder.file("data_batch_1.bin", Self.record(1) + Self.record(10))
    #expect(
      try error() == .labelOutOfRange(file: file, index: 1, byteOffset: 3073, label: 10, classCount: 10))
    let other = try folder.file("data_batch_1.bin.gz", Gzip.compressed(Self.record(1)))
    #expect(try error() == .conflictingFiles([file, other]))
  }

  @Test("A folder without the set is an error that names where it was looked for")
  func missing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    guard
      case .missingFile(let lookedFor) = try dataError({ try CIFAR10.load(from: path) })
    else {
      Issue.record("CIFAR-10 was found in an empty folder")
      return
    }
    #expect(lookedFor.contains("\(path)/cifar-10-batches-bin/data_batch_1.bin"))
  }
}
