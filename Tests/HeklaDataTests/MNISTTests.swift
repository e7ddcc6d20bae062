import Foundation
import HeklaArrays
import HeklaData
import Testing

@Suite("MNIST")
struct MNISTTests {
  /// Images of which every pixel of image `i` is `i`.
  static func images(_ count: Int, height: Int = 28) -> HostArray {
    HostArray((0..<(count * height * 28)).map { UInt8($0 / (height * 28)) }, shape: [count, height, 28])
  }

  static func write(
    _ images: HostArray, _ labels: [UInt8], part: String = "train", suffix: String = "", to folder: String
  ) throws {
    try IDXFile.write(images, to: "\(folder)/\(part)-images-idx3-ubyte\(suffix)")
    try IDXFile.write(HostArray(labels), to: "\(folder)/\(part)-labels-idx1-ubyte\(suffix)")
  }

  @Test("MNIST's files are found plain and compressed, in the folder itself and in that of the set")
  func mnist() throws {
    let folder = try TemporaryFolder()
    try folder.file("mnist/.keep", "")
    try folder.file("fashion-mnist/.keep", "")
    try Self.write(Self.images(3), [7, 0, 9], suffix: ".gz", to: folder.path + "/mnist")
    try Self.write(Self.images(2), [1, 2], part: "t10k", to: folder.path + "/mnist")
    try Self.write(Self.images(1), [5], to: folder.path + "/fashion-mnist")
    let train = try MNIST.load(from: folder.path)
    #expect(train.images == Self.images(3))
    #expect(train.labels == HostArray([7, 0, 9] as [Int32]))
    #expect(train.classCount == 10 && train.imageShape == [28, 28] && train.name == "MNIST train")
    #expect(try MNIST.load(.test, from: folder.path + "/mnist/").labels == HostArray([1, 2] as [Int32]))
    let fashion = try MNIST.load(from: folder.path, variant: .fashion)
    #expect(fashion.labels == HostArray([5] as [Int32]))
    #expect(fashion.classNames[5] == "sandal" && fashion.classCount == 10)
  }

  @Test("Missing files are named with every place that was searched")
  func missing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    #expect(
      try dataError { try MNIST.load(.test, from: path) }
        == .missingFile(
          lookedFor: [
            "\(path)/t10k-images-idx3-ubyte", "\(path)/t10k-images-idx3-ubyte.gz",
            "\(path)/mnist/t10k-images-idx3-ubyte", "\(path)/mnist/t10k-images-idx3-ubyte.gz",
          ]))
    // Labels of another folder are not taken for those of these images.
    try Self.write(Self.images(1), [5], to: path)
    try folder.file("mnist/train-images-idx3-ubyte", IDXFile.encoded(Self.images(1), named: "i"))
    try FileManager.default.removeItem(atPath: "\(path)/train-images-idx3-ubyte")
    #expect(
      try dataError { try MNIST.load(from: path) }
        == .missingFile(
          lookedFor: ["\(path)/mnist/train-labels-idx1-ubyte", "\(path)/mnist/train-labels-idx1-ubyte.gz"]))
    #expect(
      try dataError { try MNIST.load(from: path + "/none") }
        == .missingFolder(path: path + "/none"))
  }

  @Test("Files that do not fit together or do not hold the set are errors")
  func wrongContents() throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    let imagesFile = path + "/train-images-idx3-ubyte"
    let labelsFile = path + "/train-labels-idx1-ubyte"
    func error() throws -> DataError { try dataError { try MNIST.load(from: path) } }
    try Self.write(Self.images(2), [1, 2, 3], to: path)
    #expect(
      try error()
        == .countMismatch(imagesFile: imagesFile, imageCount: 2, labelsFile: labelsFile, labelCount: 3))
    try Self.write(Self.images(2), [1, 10], to: path)
    #expect(
      try error() == .labelOutOfRange(file: labelsFile, index: 1, byteOffset: 9, label: 10, classCount: 10))
    try Self.write(Self.images(2, height: 27), [1, 2], to: path)
    #expect(
      try error()
        == .wrongContents(
          file: imagesFile, expected: "uint8 images of shape [count, 28, 28]",
          found: "uint8 of shape [2, 27, 28]"))
    try IDXFile.write(HostArray([1, 2] as [UInt8]), to: imagesFile)
    guard case .wrongContents(imagesFile, _, "uint8 of shape [2]") = try error() else {
      Issue.record("labels were read as images")
      return
    }
    try Self.write(Self.images(2), [1, 2], to: path)
    try IDXFile.write(HostArray([1, 2] as [Int32]), to: labelsFile)
    guard case .wrongContents(labelsFile, _, "int32 of shape [2]") = try error() else {
      Issue.record("int32 labels were accepted")
      return
    }
  }
}
