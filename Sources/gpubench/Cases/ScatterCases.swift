import HeklaArrays
import HeklaTensors

/// Movement of rows by index, as in graph networks and embeddings.
enum ScatterOperation: String, CaseIterable {
  /// Rows summed into the places that indices name.
  case scatterSum = "scatter-sum"
  /// The rows that indices name.
  case gather
}

extension BenchmarkCase {
  /// `operation` with EDGES random indices below ROWS, and COLUMNS elements a row.
  static func scatter(
    _ operation: ScatterOperation, extents: [Int], shape: String, elementType: ElementType
  ) -> BenchmarkCase {
    switch operation {
    case .scatterSum: scatterSum(extents, shape, elementType)
    case .gather: gather(extents, shape, elementType)
    }
  }

  private static func scatterSum(_ extents: [Int], _ shape: String, _ type: ElementType) -> BenchmarkCase {
    let (edges, columns, rows) = (extents[0], extents[1], extents[2])
    return BenchmarkCase(
      ScatterOperation.scatterSum.rawValue, shape: shape, elementType: type,
      inputs: [.numbers([edges, columns], type), .indices(edges, below: rows)],
      operationCount: Double(edges) * Double(columns),
      build: { .scatterSum($0[0], at: $0[1], rows: rows) },
      largestError: { inputs, output in
        let (values, indices) = (inputs[0].doubles(), inputs[1].elements(as: Int32.self))
        var sums = [Double](repeating: 0, count: rows * columns)
        var magnitudes = sums
        var counts = [Int](repeating: 0, count: rows)
        for (edge, index) in indices.enumerated() {
          counts[Int(index)] += 1
          for column in 0..<columns {
            let value = values[edge * columns + column]
            sums[Int(index) * columns + column] += value
            magnitudes[Int(index) * columns + column] += abs(value)
          }
        }
        // A sum of as many terms as the row has edges, in any order; a row without edges is exactly 0.
        var error = LargestError()
        for (position, element) in output.doubles().enumerated() {
          let allowed = Double(counts[position / columns]) * type.arithmeticRoundoff * magnitudes[position]
          error.compare(element, with: sums[position], allowing: allowed)
        }
        return error.value
      })
  }

  private static func gather(_ extents: [Int], _ shape: String, _ type: ElementType) -> BenchmarkCase {
    let (edges, columns, rows) = (extents[0], extents[1], extents[2])
    let rowByteCount = Double(columns * type.byteCount)
    return BenchmarkCase(
      ScatterOperation.gather.rawValue, shape: shape, elementType: type,
      inputs: [.numbers([rows, columns], type), .indices(edges, below: rows)],
      operationCount: 0,
      // Rows that nobody asks for need not be read.
      byteCount: Double(edges) * (rowByteCount + 4) + Double(min(edges, rows)) * rowByteCount,
      build: { $0[0].gathered(at: $0[1]) },
      largestError: { inputs, output in
        let (values, indices) = (inputs[0].doubles(), inputs[1].elements(as: Int32.self))
        var error = LargestError()
        for (position, element) in output.doubles().enumerated() {
          let source = Int(indices[position / columns]) * columns + position % columns
          error.compare(element, with: values[source], allowing: 0)
        }
        return error.value
      })
  }
}
