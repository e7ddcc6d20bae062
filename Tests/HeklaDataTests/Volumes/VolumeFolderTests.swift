import HeklaArrays
import HeklaData
import Testing

@Suite("Folders of volumes")
final class VolumeFolderTests {
  private let folder: TemporaryFolder

  /// Two volumes of 2 channels, labels with the numbers of BraTS, one of each compressed.
  init() throws {
    folder = try TemporaryFolder()
    for (name, ending) in [("b", ".nii.gz"), ("a", ".nii")] {
      try write(HostArray((0..<24).map { Float($0 + 1) }, shape: [2, 1, 3, 4]), "imagesTr/\(name)\(ending)")
      try write(
        HostArray([0, 2, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0] as [UInt8], shape: [1, 3, 4]), "labelsTr/\(name).nii")
    }
    try folder.file("imagesTr/._a.nii", [0])
    try folder.file("imagesTr/notes.txt", [0])
  }

  private func write(_ array: HostArray, _ name: String) throws {
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    let bytes = try NIfTIFile.encoded(array, named: plain)
    try folder.file(name, name.hasSuffix(".gz") ? Gzip.compressed(bytes) : bytes)
  }

  private func load(_ values: [Int] = [2, 1, 4]) throws -> [LabeledVolume] {
    try VolumeFolder.load(from: folder.path, labelValues: values)
  }

  @Test("Images find their labels, whose values become classes from the outermost in")
  func classes() throws {
    let volumes = try load()
    #expect(volumes.map(\.name) == ["a", "b"])
    #expect(
      volumes[0].labels == HostArray([0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0] as [UInt8], shape: [1, 3, 4]))
    #expect(volumes[0].image.shape == [2, 1, 3, 4] && volumes[0].image == volumes[1].image)
    #expect(volumes[0] == volumes[0].standardized())
  }

  @Test("An image without channels has one, and labels may have a fourth axis of extent 1")
  func axes() throws {
    for name in ["a.nii", "b.nii.gz"] {
      try write(HostArray((0..<12).map { Int32($0) }, shape: [1, 3, 4]), "imagesTr/\(name)")
    }
    try write(HostArray([Double](repeating: 2, count: 12), shape: [1, 1, 3, 4]), "labelsTr/b.nii")
    let volumes = try load()
    #expect(volumes[1].image.shape == [1, 1, 3, 4])
    #expect(volumes[1].labels.elements(as: UInt8.self) == [UInt8](repeating: 1, count: 12))
  }

  @Test("A label that is no class is named with its file")
  func labels() throws {
    let path = folder.path + "/labelsTr/a.nii"
    #expect(
      try dataError { try load([1, 2, 3]) }
        == .wrongContents(file: path, expected: "labels 0, 1, 2, 3", found: "4.0"))
    try write(HostArray([0.5] + [Double](repeating: 0, count: 11), shape: [1, 3, 4]), "labelsTr/a.nii")
    #expect(
      try dataError { try load() } == .wrongContents(file: path, expected: "labels 0, 2, 1, 4", found: "0.5"))
  }

  @Test("Files that are missing, damaged or do not belong together are named")
  func wrongFiles() throws {
    let image = folder.path + "/imagesTr/b.nii.gz"
    try write(HostArray((0..<36).map { Float($0) }, shape: [3, 1, 3, 4]), "imagesTr/b.nii.gz")
    #expect(
      try dataError { try load() }
        == .wrongContents(file: image, expected: "2 channels, as a has", found: "3"))
    try write(HostArray([Float](repeating: .nan, count: 24), shape: [2, 1, 3, 4]), "imagesTr/b.nii.gz")
    #expect(
      try dataError { try load() }
        == .wrongContents(file: image, expected: "finite numbers", found: "NaN or infinity"))
    try write(HostArray((0..<12).map { Float($0) }, shape: [3, 4]), "imagesTr/b.nii.gz")
    #expect(
      try dataError { try load() }
        == .wrongContents(file: image, expected: "3 axes, or 4 with channels", found: "[3, 4]"))
    try write(HostArray((0..<24).map { Float($0) }, shape: [2, 3, 1, 4]), "imagesTr/b.nii.gz")
    #expect(
      try dataError { try load() }
        == .wrongContents(
          file: folder.path + "/labelsTr/b.nii", expected: "labels [3, 1, 4], as the image has",
          found: "[1, 3, 4]"))
    try folder.file("imagesTr/a.nii", [0x5c, 1, 0, 0])
    guard case .truncated(folder.path + "/imagesTr/a.nii", _, _) = try dataError({ try load() }) else {
      Issue.record("a file of four bytes was read")
      return
    }
    try folder.file("imagesTr/0.nii", [0])
    #expect(
      try dataError { try load() }
        == .missingFile(lookedFor: ["0.nii.gz", "0.nii"].map { "\(folder.path)/labelsTr/\($0)" }))
    let empty = try TemporaryFolder()
    #expect(
      try dataError { try VolumeFolder.load(from: empty.path, labelValues: [1]) }
        == .missingFolder(path: empty.path + "/imagesTr"))
    try empty.file("imagesTr/notes.txt", [0])
    #expect(
      try dataError { try VolumeFolder.load(from: empty.path, labelValues: [1]) }
        == .missingFile(lookedFor: ["nii.gz", "nii"].map { "\(empty.path)/imagesTr/*.\($0)" }))
  }
}
