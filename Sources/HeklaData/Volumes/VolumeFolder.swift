import HeklaArrays

/// Volumes with labels from NIfTI files in the folders of the Medical Segmentation Decathlon: `imagesTr/NAME.nii` of
/// shape channels, depth, height, width, or without channels, and `labelsTr/NAME.nii`; each may be `.nii.gz`.
///
/// Source of the layout: Antonelli et al. 2022, "The Medical Segmentation Decathlon".
public enum VolumeFolder {
  /// All volumes in `folder`, in the order of their names, each standardized.
  ///
  /// - Parameters:
  ///   - folder: What holds `imagesTr` and `labelsTr`.
  ///   - values: The files' labels of class 1, 2, ..., from the outermost region in; 0 is the background. Numbers need
  ///     not be in order: those of BraTS are 2, 1, 4.
  /// - Throws: `DataError`, naming the file, where one is missing or damaged, where labels and channels have other
  ///   extents, where volumes differ in their number of channels, and where a label is none of `values`.
  public static func load(from folder: String, labelValues values: [Int]) throws(DataError) -> [LabeledVolume]
  {
    let images = DataFolder.path(folder, "imagesTr")
    guard FileContents.isFolder(images) else { throw .missingFolder(path: images) }
    var volumes: [LabeledVolume] = []
    // Archives hold files of macOS, whose names begin with a dot.
    for name in try FileContents.names(in: images) where !name.hasPrefix(".") && stem(name) != name {
      let file = DataFolder.path(images, name)
      let paths = [".nii.gz", ".nii"].map { DataFolder.path(folder, "labelsTr/\(stem(name))\($0)") }
      guard let labelsFile = paths.first(where: FileContents.isFile) else {
        throw .missingFile(lookedFor: paths)
      }
      let volume = try self.volume(stem(name), image: file, labels: labelsFile, values)
      if let first = volumes.first, first.channelCount != volume.channelCount {
        throw .wrongContents(
          file: file, expected: "\(first.channelCount) channels, as \(first.name) has",
          found: "\(volume.channelCount)")
      }
      volumes.append(volume)
    }
    guard !volumes.isEmpty else {
      throw .missingFile(lookedFor: ["nii.gz", "nii"].map { DataFolder.path(images, "*.\($0)") })
    }
    return volumes
  }

  private static func volume(
    _ name: String, image imageFile: String, labels labelsFile: String, _ values: [Int]
  ) throws(DataError) -> LabeledVolume {
    let (image, stored) = (try NIfTIFile.read(imageFile), try NIfTIFile.read(labelsFile))
    guard (3...4).contains(image.shape.rank) else {
      throw .wrongContents(file: imageFile, expected: "3 axes, or 4 with channels", found: "\(image.shape)")
    }
    let channels = image.shape.rank == 4 ? image : image.reshaped(to: Shape([1] + image.shape.extents))
    // Some writers give labels a fourth axis of extent 1.
    let wanted = Array(channels.shape.extents.dropFirst())
    let extents =
      stored.shape.rank == 4 && stored.shape[0] == 1
      ? Array(stored.shape.extents.dropFirst())
      : stored.shape.extents
    guard extents == wanted else {
      throw .wrongContents(
        file: labelsFile, expected: "labels \(Shape(wanted)), as the image has", found: "\(stored.shape)")
    }
    var labels: [UInt8] = []
    labels.reserveCapacity(stored.count)
    for value in stored.doubles() {
      guard let place = value == 0 ? 0 : values.firstIndex(where: { Double($0) == value }).map({ $0 + 1 })
      else {
        let known = ([0] + values).map(String.init).joined(separator: ", ")
        throw .wrongContents(file: labelsFile, expected: "labels \(known)", found: "\(value)")
      }
      labels.append(UInt8(place))
    }
    let pixels = channels.converted(to: .float32)
    guard pixels.elements(as: Float.self).allSatisfy(\.isFinite) else {
      throw .wrongContents(file: imageFile, expected: "finite numbers", found: "NaN or infinity")
    }
    return LabeledVolume(name: name, image: pixels, labels: HostArray(labels, shape: Shape(wanted)))
      .standardized()
  }

  /// The name without `.nii` or `.nii.gz`; the name itself where it has neither.
  private static func stem(_ name: String) -> String {
    for ending in [".nii.gz", ".nii"] where name.hasSuffix(ending) {
      return String(name.dropLast(ending.count))
    }
    return name
  }
}
