import HeklaArrays
import HeklaNN
import HeklaTensors

extension CaseFamily {
  static let layerNormalization = CaseFamily(
    "layer-normalization",
    shape: CaseShape(
      "ROWSxCOLUMNS", rule: "It is ROWSxCOLUMNS, such as 8192x1024: each row is normalized.", counts: 2...2,
      usual: "8192x1024", software: "512x256", arrays: { extents, _ in [extents] }),
    summary: """
      layer-norm of each row, with a factor and a term for each column;
      layer-norm-gradients, those of all three from one of the result
      """,
    members: [
      Member("layer-norm", types: [.float32]) { .layerNormalization($0, isGradient: false) },
      Member("layer-norm-gradients", types: [.float32]) { .layerNormalization($0, isGradient: true) },
    ])
}

extension BenchmarkCase {
  /// From x, gamma and beta the normalized rows; with dy in the end the gradients with respect to the three.
  fileprivate static func layerNormalization(
    _ parameters: CaseParameters, isGradient: Bool
  ) -> BenchmarkCase {
    let (rows, columns) = (parameters.extents[0], parameters.extents[1])
    let type = parameters.elementType
    let check = CheckedNormalization(rows: rows, columns: columns, roundoff: type.arithmeticRoundoff)
    let shapes: [Shape] = [[rows, columns], [columns], [columns]] + (isGradient ? [[rows, columns]] : [])
    return BenchmarkCase(
      isGradient ? "layer-norm-gradients" : "layer-norm", shape: parameters.shape, elementType: type,
      inputs: shapes.map { .numbers($0, type) },
      // Two sums, the difference and its square, three for the result; in the gradients those of the first two again,
      // three products with two sums, and two more sums over the rows.
      operationCount: (isGradient ? 17 : 7) * Double(rows) * Double(columns),
      build: { inputs in
        let y = Tensor.map(
          inputs[0].standardized(along: [-1], epsilon: CheckedNormalization.epsilon), inputs[1], inputs[2]
        ) { $0 * $1 + $2 }
        return isGradient ? gradients(of: y, withRespectTo: Array(inputs[0..<3]), upstream: inputs[3]) : [y]
      },
      largestError: { inputs, outputs in
        let (inputs, outputs) = (inputs.map { $0.doubles() }, outputs.map { $0.doubles() })
        return isGradient
          ? check.largestError(ofGradients: outputs, inputs) : check.largestError(of: outputs[0], inputs)
      })
  }
}

/// A layer normalization with bounds of what rounding does to it, to the first order.
///
/// Units of roundoff are two for an operation, since Vulkan lets it be rounded either way; for a division, which makes
/// a mean of a sum, 5 and for a reciprocal square root 4.
private struct CheckedNormalization: Sendable {
  static let epsilon = 1e-5

  let rows, columns: Int
  /// The unit roundoff u of what is checked.
  let roundoff: Double

  /// A row less its mean, the reciprocal r of its standard deviation, and what both may be off by.
  private struct Row {
    let centered: [Double]
    let reciprocal: Double
    /// What the mean may be off by.
    let meanError: Double
    /// What r may be off by, relative to itself.
    let reciprocalError: Double
    let roundoff: Double

    init(_ x: ArraySlice<Double>, _ check: CheckedNormalization) {
      let (u, n) = (check.roundoff, Double(x.count))
      let sumUnits = roundingUnits(ofSumOf: x.count)
      let mean = x.reduce(0, +) / n
      centered = x.map { $0 - mean }
      meanError = (sumUnits + 5) * u * x.reduce(0) { $0 + abs($1) } / n
      let variance = centered.reduce(0) { $0 + $1 * $1 } / n
      // Of the squares, which have what the difference is off by twice, and of their mean.
      let spread = centered.reduce(0) { $0 + abs($1) } / n
      let varianceError =
        (sumUnits + 5 + 6) * u * variance + 2 * meanError * spread + meanError * meanError
      reciprocal = 1 / (variance + CheckedNormalization.epsilon).squareRoot()
      reciprocalError = varianceError * reciprocal * reciprocal / 2 + 6 * u
      roundoff = u
    }

    /// What the difference from the mean may be off by in `column`.
    func centeredError(_ column: Int) -> Double { meanError + 2 * roundoff * abs(centered[column]) }

    /// The normalized element of `column`, and what it may be off by.
    func normalized(_ column: Int) -> (value: Double, error: Double) {
      let value = centered[column] * reciprocal
      return (
        value, centeredError(column) * reciprocal + abs(value) * (reciprocalError + 2 * roundoff)
      )
    }
  }

  /// The largest error of y = gamma c r + beta, of every element.
  func largestError(of y: [Double], _ inputs: [[Double]]) -> Double {
    let (x, gamma, beta) = (inputs[0], inputs[1], inputs[2])
    var error = LargestError()
    for start in stride(from: 0, to: rows * columns, by: columns) {
      let row = Row(x[start..<(start + columns)], self)
      for column in 0..<columns {
        let normalized = row.normalized(column)
        let scaled = normalized.value * gamma[column]
        error.compare(
          y[start + column], with: scaled + beta[column],
          allowing: abs(gamma[column]) * normalized.error
            + 2 * roundoff * (abs(scaled) + abs(scaled + beta[column])))
      }
    }
    return error.value
  }

  /// The largest error of the gradients with respect to x, gamma and beta, of every element.
  func largestError(ofGradients outputs: [[Double]], _ inputs: [[Double]]) -> Double {
    let (x, gamma, dy) = (inputs[0], inputs[1], inputs[3])
    let rowUnits = roundingUnits(ofSumOf: rows)
    var error = LargestError()
    // Sums over rows, and what they may be off by.
    var (factors, terms) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
    var (factorErrors, termErrors) = (factors, terms)
    for start in stride(from: 0, to: rows * columns, by: columns) {
      let row = Row(x[start..<(start + columns)], self)
      let upstream = dy[start..<(start + columns)]
      compare(outputs[0], from: start, row, zip(upstream, gamma).map { $0 * $1 }, in: &error)
      for (column, upstream) in upstream.enumerated() {
        let normalized = row.normalized(column)
        factors[column] += upstream * normalized.value
        terms[column] += upstream
        factorErrors[column] +=
          abs(upstream) * (normalized.error + (rowUnits + 2) * roundoff * abs(normalized.value))
        termErrors[column] += rowUnits * roundoff * abs(upstream)
      }
    }
    for column in 0..<columns {
      error.compare(outputs[1][column], with: factors[column], allowing: factorErrors[column])
      error.compare(outputs[2][column], with: terms[column], allowing: termErrors[column])
    }
    return error.value
  }

  /// Compares a row of the gradient with respect to x, given g = dy gamma: d - mean d, where
  /// d = r g - c r^3 mean(g c), whose two terms have bounds of their own.
  private func compare(
    _ dx: [Double], from start: Int, _ row: Row, _ g: [Double], in error: inout LargestError
  ) {
    let (u, r, n) = (roundoff, row.reciprocal, Double(columns))
    let sumUnits = roundingUnits(ofSumOf: columns)
    let cube = r * r * r
    var (product, magnitude, productError) = (0.0, 0.0, 0.0)
    for (column, g) in g.enumerated() {
      product += g * row.centered[column] / n
      magnitude += abs(g * row.centered[column]) / n
      productError += abs(g) * row.centeredError(column) / n
    }
    // g is off by two units, its product with c by two more, the mean by the sum's and five.
    productError += (sumUnits + 5 + 4) * u * magnitude
    var (values, errors) = ([Double](), [Double]())
    var (mean, size) = (0.0, 0.0)
    for (column, g) in g.enumerated() {
      let c = row.centered[column]
      let (first, second) = (r * g, c * cube * product)
      values.append(first - second)
      // r^3 is r three times, by three products or a power; two more products give the second term.
      errors.append(
        abs(first) * (row.reciprocalError + 4 * u) + cube * abs(c) * productError
          + cube * row.centeredError(column) * magnitude
          + cube * abs(c) * magnitude * (3 * row.reciprocalError + 16 * u)
          + 2 * u * abs(first - second))
      mean += values[column] / n
      size += abs(values[column]) / n
    }
    let meanError = errors.reduce(0, +) / n + (sumUnits + 5) * u * size
    for column in 0..<columns {
      let value = values[column] - mean
      error.compare(
        dx[start + column], with: value, allowing: errors[column] + meanError + 2 * u * abs(value))
    }
  }
}
