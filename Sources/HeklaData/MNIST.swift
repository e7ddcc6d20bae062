import HeklaArrays

/// The handwritten digits of MNIST, and Fashion-MNIST, which comes in the same form: grey images of 28 x 28
/// pixels in ten classes, 60,000 to train on and 10,000 to test on.
///
/// Sources: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
/// recognition"; Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST" (arXiv:1708.07747).
public enum MNIST {
  /// Which of the sets that come in MNIST's form.
  public enum Variant: String, Sendable, Hashable, Codable, CaseIterable {
    /// Handwritten digits.
    case digits
    /// Pieces of clothing.
    case fashion

    /// The name of the set.
    public var title: String { self == .digits ? "MNIST" : "Fashion-MNIST" }

    /// What each class is called.
    public var classNames: [String] {
      switch self {
      case .digits: (0..<10).map(String.init)
      case .fashion:
        [
          "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
          "ankle boot",
        ]
      }
    }

    var folderName: String { self == .digits ? "mnist" : "fashion-mnist" }
  }

  /// One part of the set.
  ///
  /// The files, such as `train-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, plain or with `.gz`, are
  /// looked for in `folder` and then in its folder `mnist` or `fashion-mnist`; images and labels have to lie
  /// side by side. How many there are is not checked, so that parts of the set can be used.
  /// - Parameters:
  ///   - part: Training or test images.
  ///   - folder: The user's data folder or that of the set.
  ///   - variant: Digits or clothing.
  /// - Returns: Images of shape `[count, 28, 28]`, 0 for background to 255, and labels 0 to 9.
  public static func load(
    _ part: DataPart = .train, from folder: String, variant: Variant = .digits
  ) throws(DataError) -> LabeledImages {
    try DataFolder.check(folder)
    let prefix = part == .train ? "train" : "t10k"
    let folders = DataFolder.candidates(in: folder, named: [variant.folderName])
    let imagesFile = try firstFile("\(prefix)-images-idx3-ubyte", in: folders)
    let labelsFile = try firstFile("\(prefix)-labels-idx1-ubyte", in: [imagesFile.folder])
    let images = try IDXFile.read(imagesFile.path)
    guard images.elementType == .uint8, images.shape.rank == 3, images.shape[1] == 28, images.shape[2] == 28
    else {
      throw .wrongContents(
        file: imagesFile.path, expected: "uint8 images of shape [count, 28, 28]",
        found: "\(images.elementType) of shape \(images.shape)")
    }
    let labels = try IDXFile.read(labelsFile.path)
    guard labels.elementType == .uint8, labels.shape.rank == 1 else {
      throw .wrongContents(
        file: labelsFile.path, expected: "uint8 labels of shape [count]",
        found: "\(labels.elementType) of shape \(labels.shape)")
    }
    guard images.shape[0] == labels.count else {
      throw .countMismatch(
        imagesFile: imagesFile.path, imageCount: images.shape[0], labelsFile: labelsFile.path,
        labelCount: labels.count)
    }
    let classes = labels.elements(as: UInt8.self)
    let classNames = variant.classNames
    if let index = classes.firstIndex(where: { $0 >= classNames.count }) {
      // A header of magic and one extent has 8 bytes.
      throw .labelOutOfRange(
        file: labelsFile.path, index: index, byteOffset: 8 + index, label: Int(classes[index]),
        classCount: classNames.count)
    }
    return LabeledImages(
      name: "\(variant.title) \(part.rawValue)", images: images, labels: HostArray(classes.map(Int32.init)),
      classNames: classNames)
  }

  /// The first file in `folders` called `name`, plain before compressed.
  private static func firstFile(
    _ name: String, in folders: [String]
  ) throws(DataError) -> (folder: String, path: String) {
    var lookedFor: [String] = []
    for folder in folders {
      for file in [name, name + ".gz"] {
        let path = DataFolder.path(folder, file)
        if FileContents.isFile(path) { return (folder, path) }
        lookedFor.append(path)
      }
    }
    throw .missingFile(lookedFor: lookedFor)
  }
}
