import HeklaArrays

/// The photographs of CIFAR-10: 32 x 32 pixels in red, green and blue, ten classes, 50,000 to train on in
/// five files and 10,000 to test on.
///
/// Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".
public enum CIFAR10 {
  /// What each class is called.
  public static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// The folders of the data folder that are searched, the one in the authors' archive first.
  static let folderNames = ["cifar-10-batches-bin", "cifar-10", "cifar10", "cifar10-subset"]

  /// One label byte, then red, green and blue planes of 32 x 32 bytes.
  private static let recordByteCount = 1 + 3 * 32 * 32

  /// One part of the set, from files of its "binary version".
  ///
  /// Training images are all files `data_batch_N.bin`, N from 1 to 5, plain or with `.gz`, in `folder` or
  /// else in one of its folders `cifar-10-batches-bin`, `cifar-10`, `cifar10` and `cifar10-subset`; a piece
  /// of such a file may have a word after N, as in `data_batch_1_first3000.bin`. Two files with one N are an
  /// error. Test images are `test_batch.bin`. Files that are not there are not missed; `name` says which ones
  /// there were.
  /// - Returns: Images of shape `[count, 3, 32, 32]`, 0 to 255, and labels 0 to 9, files in the order of N.
  public static func load(_ part: DataPart = .train, from folder: String) throws(DataError) -> LabeledImages {
    try DataFolder.check(folder)
    let files = try batchFiles(part, in: DataFolder.candidates(in: folder, named: folderNames))
    var batches: [[UInt8]] = []
    for file in files { batches.append(try records(in: file)) }
    let count = batches.reduce(0) { $0 + $1.count / recordByteCount }
    var labels: [Int32] = []
    labels.reserveCapacity(count)
    var images = HostArray(zeros: [count, 3, 32, 32], of: .uint8)
    let imageByteCount = recordByteCount - 1
    images.withUnsafeMutableBytes { pixels in
      for batch in batches {
        for start in stride(from: 0, to: batch.count, by: recordByteCount) {
          let target = pixels[(labels.count * imageByteCount)..<((labels.count + 1) * imageByteCount)]
          UnsafeMutableRawBufferPointer(rebasing: target).copyBytes(
            from: batch[(start + 1)..<(start + recordByteCount)])
          labels.append(Int32(batch[start]))
        }
      }
    }
    let names = files.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
    return LabeledImages(
      name: "CIFAR-10 \(part.rawValue) (\(names.joined(separator: ", ")))", images: images,
      labels: HostArray(labels), classNames: classNames)
  }

  /// The whole records of one file, their labels checked.
  private static func records(in file: String) throws(DataError) -> [UInt8] {
    let bytes = try FileContents.read(file)
    guard bytes.count % recordByteCount == 0 else {
      throw .partialRecord(file: file, recordByteCount: recordByteCount, foundByteCount: bytes.count)
    }
    for offset in stride(from: 0, to: bytes.count, by: recordByteCount)
    where bytes[offset] >= classNames.count {
      throw .labelOutOfRange(
        file: file, index: offset / recordByteCount, byteOffset: offset, label: Int(bytes[offset]),
        classCount: classNames.count)
    }
    return bytes
  }

  /// The files of `part` in the first of `folders` that has any.
  private static func batchFiles(_ part: DataPart, in folders: [String]) throws(DataError) -> [String] {
    for folder in folders where FileContents.isFolder(folder) {
      let names = try FileContents.names(in: folder)
      var files: [String] = []
      switch part {
      case .test:
        let matches = names.filter { $0 == "test_batch.bin" || $0 == "test_batch.bin.gz" }
        files += try atMostOne(matches, in: folder)
      case .train:
        for number in 1...5 {
          files += try atMostOne(names.filter { isBatch($0, number: number) }, in: folder)
        }
      }
      if !files.isEmpty { return files.map { DataFolder.path(folder, $0) } }
    }
    let name = part == .train ? "data_batch_1.bin" : "test_batch.bin"
    throw .missingFile(
      lookedFor: folders.flatMap { [DataFolder.path($0, name), DataFolder.path($0, name + ".gz")] })
  }

  /// Whether `name` is that of training file `number` or of a piece of it.
  private static func isBatch(_ name: String, number: Int) -> Bool {
    let stem = "data_batch_\(number)"
    guard name.hasPrefix(stem), name.hasSuffix(".bin") || name.hasSuffix(".bin.gz") else { return false }
    let rest = name.dropFirst(stem.count)
    return rest == ".bin" || rest == ".bin.gz" || rest.hasPrefix("_")
  }

  /// `names`, unless they are several.
  private static func atMostOne(_ names: [String], in folder: String) throws(DataError) -> [String] {
    guard names.count <= 1 else { throw .conflictingFiles(names.map { DataFolder.path(folder, $0) }) }
    return names
  }
}
