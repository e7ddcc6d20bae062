import CHostLoops
import HeklaArrays
import Testing

@testable import HeklaHost

/// Extremes over segments at every level of vector instructions.
@Suite struct SegmentExtremesTests {
  /// Segments of 0, 1, 2 and many of 50 terms, in no order; some terms are in two.
  private let offsets: [Int32] = [0, 0, 1, 3, 40, 40, 60]
  private let order: [Int32] = (0..<60).map { ($0 * 37) % 50 }

  private func check<Element: BitwiseCopyable & Comparable>(
    _ type: HostType, empty: Element, _ value: (Int) -> Element, isSame: (Element, Element) -> Bool,
    isMissing: (Element) -> Bool
  ) throws {
    for columns in [1, 2, 3, 5, 8, 13, 16, 17, 40] {
      let values = (0..<50 * columns).map(value)
      for library in OperationTests.levels {
        for fold in [HOST_FOLD_MAXIMUM, HOST_FOLD_MINIMUM] {
          let function = try #require(library.segmentExtremes(fold, type))
          var result = [Element](repeating: empty, count: (offsets.count - 1) * columns)
          withUnsafePointer(to: empty) { empty in
            values.withUnsafeBytes { values in
              result.withUnsafeMutableBytes { result in
                guard let result = result.baseAddress, let values = values.baseAddress else { return }
                // In two calls, as two threads would.
                function(result, values, order, offsets, 0, 2, columns, empty)
                function(result, values, order, offsets, 2, offsets.count - 1, columns, empty)
              }
            }
          }
          for segment in 0..<offsets.count - 1 {
            for column in 0..<columns {
              let terms = order[Int(offsets[segment])..<Int(offsets[segment + 1])].map {
                values[Int($0) * columns + column]
              }
              let extreme = fold == HOST_FOLD_MAXIMUM ? terms.max() : terms.min()
              let wanted = terms.first(where: isMissing) ?? extreme ?? empty
              #expect(
                isSame(result[segment * columns + column], wanted),
                "\(library.name), \(fold) of \(type), segment \(segment), column \(column) of \(columns)")
            }
          }
        }
      }
    }
  }

  @Test(
    "Every segment has its columns' extremes, NaN where there is one, and the given number where it is empty")
  func extremes() throws {
    func number(_ index: Int) -> Double {
      index % 91 == 7 ? .nan : index % 83 == 5 ? -.infinity : Double((index * 7919) % 1009) - 500
    }
    try check(
      HOST_FLOAT32, empty: Float(-3), { Float(number($0)) }, isSame: { $0 == $1 || $0.isNaN && $1.isNaN },
      isMissing: { $0.isNaN })
    try check(
      HOST_FLOAT64, empty: -3.0, number, isSame: { $0 == $1 || $0.isNaN && $1.isNaN }, isMissing: { $0.isNaN }
    )
    try check(
      HOST_INT32, empty: Int32(-3), { Int32(($0 * 7919) % 1009 - 500) }, isSame: { $0 == $1 },
      isMissing: { _ in false })
  }

  @Test("Types without extremes have none")
  func types() {
    #expect(BlockLibrary.best.segmentExtremes(HOST_SUM, HOST_FLOAT32) == nil)
    #expect(BlockLibrary.best.segmentExtremes(HOST_FOLD_MAXIMUM, HOST_BOOL) == nil)
  }
}
