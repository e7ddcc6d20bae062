import HeklaArrays

/// Images with the class of each.
public struct LabeledImages: Sendable, Equatable {
  /// What the images are, for logs and reports.
  public let name: String
  /// The pixels: uint8 of shape `[count, height, width]` or `[count, channels, height, width]`.
  public let images: HostArray
  /// The class of each image, in `0..<classCount`: int32 of shape `[count]`.
  public let labels: HostArray
  /// What each class is called.
  public let classNames: [String]

  /// Images and labels that belong together.
  /// - Precondition: `images` is uint8 of rank 3 or 4, `labels` is int32 of rank 1, both have the same count,
  ///   and every label is an index of `classNames`.
  public init(name: String, images: HostArray, labels: HostArray, classNames: [String]) {
    require(
      images.elementType == .uint8 && (3...4).contains(images.shape.rank),
      "LabeledImages: images must be uint8 of rank 3 or 4, found \(images.elementType) \(images.shape)")
    require(
      labels.elementType == .int32 && labels.shape == [images.shape[0]],
      "LabeledImages: images \(images.shape) cannot have labels \(labels.elementType) \(labels.shape)"
    )
    require(
      labels.elements(as: Int32.self).allSatisfy { classNames.indices.contains(Int($0)) },
      "LabeledImages: a label is outside 0..<\(classNames.count)")
    self.name = name
    self.images = images
    self.labels = labels
    self.classNames = classNames
  }

  /// The number of images.
  public var count: Int { images.shape[0] }

  /// The number of classes, those without an image among them.
  public var classCount: Int { classNames.count }

  /// The shape of one image: `[height, width]` or `[channels, height, width]`.
  public var imageShape: Shape { Shape(Array(images.shape.extents.dropFirst())) }

  /// The number of images of each class.
  public var countPerClass: [Int] {
    labels.elements(as: Int32.self).reduce(into: [Int](repeating: 0, count: classCount)) { $0[Int($1)] += 1 }
  }

  /// The images that `rows` names with their labels, in that order.
  /// - Precondition: Every entry of `rows` is in `0..<count`.
  public func selecting(rows: [Int]) -> LabeledImages {
    LabeledImages(
      name: name, images: images.gatheringRows(rows), labels: labels.gatheringRows(rows),
      classNames: classNames)
  }

  /// Disjoint random parts with `counts` images each; see `DataSplit.rows(of:counts:key:)`.
  public func split(counts: [Int], key: RandomKey) throws(DataError) -> [LabeledImages] {
    try DataSplit.rows(of: count, counts: counts, key: key).map(selecting(rows:))
  }
}
