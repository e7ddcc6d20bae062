import HeklaArrays

/// The 1,797 handwritten digits of 8 x 8 pixels that need no file: a first real data set, and one for tests.
///
/// 13 people wrote the digits; each pixel counts the ink in a 4 x 4 block of a 32 x 32 scan. This is the test
/// part of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak (1998), UCI Machine
/// Learning Repository, <https://doi.org/10.24432/C50P49>, as scikit-learn distributes it, unchanged but for
/// its encoding here. License: Creative Commons Attribution 4.0 International (CC BY 4.0).
public enum Digits {
  /// The pixels, 0 for paper to 16 for ink: uint8 of shape `[1797, 8, 8]`.
  public static let images = HostArray(decoded.pixels, shape: [decoded.labels.count, 8, 8])

  /// The digits that were written, 0 to 9: int32 of shape `[1797]`.
  public static let labels = HostArray(decoded.labels)

  /// Images and labels together.
  public static let labeledImages = LabeledImages(
    name: "UCI digits", images: images, labels: labels, classNames: (0..<10).map(String.init))

  private static let decoded: (pixels: [UInt8], labels: [Int32]) = {
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    table.withUTF8Buffer { text in
      for line in text.split(separator: UInt8(ascii: "\n")) {
        labels.append(Int32(line[line.startIndex] - UInt8(ascii: "0")))
        pixels += line.dropFirst(2).map { $0 - UInt8(ascii: "A") }
      }
    }
    return (pixels, labels)
  }()
}
