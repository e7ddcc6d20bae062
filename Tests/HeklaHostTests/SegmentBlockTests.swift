import CHostLoops
import HeklaArrays
import Testing

@testable import HeklaHost

/// Block functions over segments, indices and short rows, at every level of vector instructions.
@Suite struct SegmentBlockTests {
  /// What stands beyond an output.
  private static let guardWord: Float = 0x1.234p-60

  /// Rows of every width that has a path of its own, and one more.
  static let widths = Array(1...20) + [31, 32, 33, 40, 47, 48, 63, 64, 70]

  @Test("Sums over segments add the terms in order, and leave rows over the limit alone", arguments: widths)
  func sums(columns: Int) {
    var generator = Generator(seed: UInt64(columns))
    let lengths: [Int32] = [0, 1, 2, 3, 7, 0, 12, 5, 1, 4]
    let offsets = lengths.reduce(into: [Int32(0)]) { $0.append($0[$0.count - 1] + $1) }
    let (termCount, rowCount) = (Int(offsets[lengths.count]), 9)
    let order = (0..<Int32(termCount)).shuffled(using: &generator)
    let sources = (0..<termCount).map { _ in Int32.random(in: 0..<Int32(rowCount), using: &generator) }
    // Small whole numbers, so that sums are exact in any grouping: which terms are summed is what is tested.
    func whole() -> Float { Float(Int.random(in: -9...9, using: &generator)) }
    let weights = (0..<termCount).map { _ in whole() }
    let values = (0..<max(rowCount, termCount) * columns).map { _ in whole() }
    for library in OperationTests.levels {
      for isWeighted in [false, true] {
        var result = [Float](repeating: Self.guardWord, count: lengths.count * columns + 32)
        sources.withUnsafeBufferPointer { sources in
          weights.withUnsafeBufferPointer { weights in
            order.withUnsafeBufferPointer { order in
              guard let start = order.baseAddress else { return }
              var terms = HostTerms(
                order: start, sources: isWeighted ? sources.baseAddress : nil,
                weights: isWeighted ? weights.baseAddress : nil)
              library.segmentSums(&result, values, &terms, offsets, 0, lengths.count, 7, columns)
            }
          }
        }
        var expected = [Float](repeating: Self.guardWord, count: result.count)
        for row in lengths.indices where lengths[row] <= 7 {
          for column in 0..<columns {
            var total: Float = 0
            for place in offsets[row]..<offsets[row + 1] {
              let term = Int(order[Int(place)])
              let source = isWeighted ? Int(sources[term]) : term
              total += values[source * columns + column] * (isWeighted ? weights[term] : 1)
            }
            expected[row * columns + column] = total
          }
        }
        #expect(result == expected, "\(library.name), \(isWeighted ? "weighted" : "plain")")
      }
    }
  }

  @Test("The largest of indices counts negative ones as large", arguments: [0, 1, 15, 16, 17, 40])
  func largestIndex(count: Int) {
    for library in OperationTests.levels {
      let largest = library.indexChecks.largest_index
      var indices = (0..<Int32(count)).map { 3 * $0 % 50 }
      #expect(largest(indices, count) == UInt32(indices.max() ?? 0), "\(library.name)")
      for position in indices.indices {
        let kept = indices[position]
        indices[position] = -2
        #expect(largest(indices, count) == UInt32(bitPattern: -2), "\(library.name) at \(position)")
        indices[position] = kept
      }
    }
  }

  @Test("Offsets tell the longest segment, or that one falls", arguments: [0, 1, 15, 16, 17, 40])
  func longestSegment(segments: Int) {
    for library in OperationTests.levels {
      let longest = library.indexChecks.longest_segment
      let level = Array(repeating: Int32(4), count: segments + 1)
      #expect(longest(level, segments) == 0, "\(library.name)")
      for position in 0..<segments {
        let step = level.indices.map { Int32($0 <= position ? 4 : 9) }
        #expect(longest(step, segments) == 5, "\(library.name) after \(position)")
        let fall = level.indices.map { Int32($0 <= position ? 4 : 3) }
        #expect(longest(fall, segments) == -1, "\(library.name) after \(position)")
      }
    }
  }

  @Test("A value for each row fills it, and nothing beyond the last")
  func fills() {
    let source = (0..<40).map(Float.init)
    for library in OperationTests.levels {
      for (columns, rows) in (1...20).flatMap({ columns in [0, 1, 2, 3, 9, 40].map { (columns, $0) } }) {
        for stride in [0, 1] {
          var result = [Float](repeating: Self.guardWord, count: rows * columns + 32)
          library.fill(HOST_STORAGE_32)(&result, source, rows, columns, stride, 0)
          let expected = result.indices.map {
            $0 < rows * columns ? Float($0 / columns * stride) : Self.guardWord
          }
          #expect(result == expected, "\(library.name), \(rows) rows of \(columns), a stride of \(stride)")
        }
      }
    }
  }
}
