import Foundation
import HeklaArrays
import HeklaTensors

extension CaseFamily {
  /// Movement of rows by index, as in graph networks and embeddings.
  static let scatter = CaseFamily(
    "scatter",
    shape: CaseShape(
      "EDGESxCOLUMNSxROWS",
      rule:
        "It is EDGESxCOLUMNSxROWS, such as 262144x64x32768: EDGES rows of COLUMNS elements, each with an index "
        + "below ROWS.",
      counts: 3...3, usual: "262144x64x32768", software: "16384x32x2048",
      arrays: { extents, _ in [[extents[0], extents[1]], [extents[2], extents[1]]] }),
    summary: """
      scatter-sum and gather of EDGES rows of COLUMNS elements, at indices
      below ROWS; segment-softmax over the edges of one index
      """,
    members: [
      Member("scatter-sum", types: [.float32]) { .scatterSum($0) },
      Member("gather", types: [.float32, .float16, .bfloat16, .float64]) { .gather($0) },
      Member("segment-softmax", types: [.float32]) { .segmentSoftmax($0) },
    ])
}

extension BenchmarkCase {
  /// Rows summed into the places that random indices name.
  fileprivate static func scatterSum(_ parameters: CaseParameters) -> BenchmarkCase {
    let (edges, columns, rows) = (parameters.extents[0], parameters.extents[1], parameters.extents[2])
    let type = parameters.elementType
    return BenchmarkCase(
      "scatter-sum", shape: parameters.shape, elementType: type,
      inputs: [.numbers([edges, columns], type), .indices(edges, below: rows)],
      operationCount: Double(edges) * Double(columns),
      build: { [.scatterSum($0[0], at: $0[1], rows: rows)] },
      largestError: { inputs, outputs in
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
        for (position, element) in outputs[0].doubles().enumerated() {
          let allowed = Double(counts[position / columns]) * type.arithmeticRoundoff * magnitudes[position]
          error.compare(element, with: sums[position], allowing: allowed)
        }
        return error.value
      })
  }

  /// The rows that random indices name.
  fileprivate static func gather(_ parameters: CaseParameters) -> BenchmarkCase {
    let (edges, columns, rows) = (parameters.extents[0], parameters.extents[1], parameters.extents[2])
    let type = parameters.elementType
    let rowByteCount = Double(columns * type.byteCount)
    return BenchmarkCase(
      "gather", shape: parameters.shape, elementType: type,
      inputs: [.numbers([rows, columns], type), .indices(edges, below: rows)],
      operationCount: 0,
      // Rows that nobody asks for need not be read.
      byteCount: Double(edges) * (rowByteCount + 4) + Double(min(edges, rows)) * rowByteCount,
      build: { [$0[0].gathered(at: $0[1])] },
      largestError: { inputs, outputs in
        let (values, indices) = (inputs[0].doubles(), inputs[1].elements(as: Int32.self))
        var error = LargestError()
        for (position, element) in outputs[0].doubles().enumerated() {
          let source = Int(indices[position / columns]) * columns + position % columns
          error.compare(element, with: values[source], allowing: 0)
        }
        return error.value
      })
  }

  /// Softmax over the edges of each random index, column by column.
  fileprivate static func segmentSoftmax(_ parameters: CaseParameters) -> BenchmarkCase {
    let (edges, columns, rows) = (parameters.extents[0], parameters.extents[1], parameters.extents[2])
    let type = parameters.elementType
    return BenchmarkCase(
      "segment-softmax", shape: parameters.shape, elementType: type,
      inputs: [.numbers([edges, columns], type), .indices(edges, below: rows)],
      // Subtraction, exponential, sum and division, after the maximum.
      operationCount: 5 * Double(edges) * Double(columns), primitive: "segment-reduction",
      build: { [$0[0].segmentSoftmax(Segments(at: $0[1], count: rows))] },
      largestError: { inputs, outputs in
        let (values, indices) = (inputs[0].doubles(), inputs[1].elements(as: Int32.self).map(Int.init))
        // Numbers from -1 to 1 need no shift against overflow.
        var sums = [Double](repeating: 0, count: rows * columns)
        var counts = [Int](repeating: 0, count: rows)
        for (edge, index) in indices.enumerated() {
          counts[index] += 1
          for column in 0..<columns { sums[index * columns + column] += exp(values[edge * columns + column]) }
        }
        var error = LargestError()
        for (position, element) in outputs[0].doubles().enumerated() {
          let (row, column) = (indices[position / columns], position % columns)
          let value = exp(values[position]) / sums[row * columns + column]
          // As of the softmax of rows, with as many terms as the index has edges.
          let units = Double(counts[row]) + 2 + 14 + 5 + 2
          error.compare(
            element, with: value,
            allowing: units * type.arithmeticRoundoff * value + type.storageError(at: value))
        }
        return error.value
      })
  }
}
