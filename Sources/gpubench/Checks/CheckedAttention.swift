import Foundation

/// Attention whose rows, and those of its gradients, can be computed one by one, with bounds of what rounding does to
/// them, to the first order.
///
/// P = softmax(S), S = Q K^T / sqrt(D), O = P V; dV = P^T dO, dS = P (dP - delta) with dP = dO V^T and
/// delta = rowsum(dO O), dQ = dS K / sqrt(D), dK = dS^T Q / sqrt(D).
struct CheckedAttention: Sendable {
  /// The heads of all sequences, positions, and numbers to a head and position.
  let heads, length, width: Int
  /// The unit roundoff u of what is checked.
  let roundoff: Double

  private var scale: Double { 1 / Double(width).squareRoot() }
  /// Units of sums over positions and over the numbers of one.
  private var lengthUnits: Double { roundingUnits(ofSumOf: length) }
  private var widthUnits: Double { roundingUnits(ofSumOf: width) }

  /// The largest error of O among the rows that are looked at, for which some 2^22 products are summed.
  func largestError(of output: [Double], _ inputs: [[Double]]) -> Double {
    var rows: [Int: [Int]] = [:]
    for row in sampledPositions(of: heads * length, atMost: max((1 << 22) / (length * width), 64)) {
      rows[row / length, default: []].append(row % length)
    }
    var error = LargestError()
    for (head, rows) in rows.sorted(by: { $0.key < $1.key }) {
      let keys = Columns(inputs[1], head, self)
      let values = slice(inputs[2], head)
      for row in rows {
        let weights = weights(of: query(inputs[0], head, row), keys)
        let wanted = weighted(values, by: weights.values)
        let sizes = weighted(values.map { abs($0) }, by: weights.values)
        for column in 0..<width {
          error.compare(
            output[(head * length + row) * width + column], with: wanted[column],
            allowing: (weights.error + (lengthUnits + 4) * roundoff) * sizes[column])
        }
      }
    }
    return error.value
  }

  /// The largest error of dQ, dK and dV among the rows that are looked at.
  ///
  /// Rows of dK and dV need all weights of their head, so that there are few heads: some 2^28 products, but the
  /// first and the last in any case.
  func largestError(ofGradients outputs: [[Double]], _ inputs: [[Double]]) -> Double {
    var error = LargestError()
    let limit = max((1 << 27) / (length * length * width), 1)
    for head in sampledPositions(of: heads, atMost: limit) {
      compare(outputs, inputs, head, in: &error)
    }
    return error.value
  }

  private func compare(
    _ outputs: [[Double]], _ inputs: [[Double]], _ head: Int, in error: inout LargestError
  ) {
    let u = roundoff
    let (keys, values) = (Columns(inputs[1], head, self), Columns(inputs[2], head, self))
    let keyRows = slice(inputs[1], head)
    let rows = sampledPositions(of: length, atMost: 64)
    let isLookedAt = Set(rows)
    var dK = RowSums(rows, width: width)
    var dV = RowSums(rows, width: width)
    for row in 0..<length {
      let (q, upstream) = (query(inputs[0], head, row), query(inputs[3], head, row))
      let weights = weights(of: q, keys)
      let dP = products(of: upstream, values)
      let delta = zip(weights.values, dP).reduce(0) { $0 + $1.0 * $1.1 }
      // No sum of |dO V| exceeds that with the largest values; delta has the error of O, too.
      let reach = zip(upstream, values.largest).reduce(0) { $0 + abs($1.0) * $1.1 }
      let spreadError =
        (widthUnits + 2) * u * reach + (weights.error + (lengthUnits + widthUnits + 6) * u) * reach
      var (dS, errors) = ([Double](), [Double]())
      for (weight, dP) in zip(weights.values, dP) {
        dS.append(weight * (dP - delta))
        errors.append(weight * spreadError + (weights.error + (lengthUnits + 10) * u) * abs(dS[dS.count - 1]))
      }
      for (place, key) in rows.enumerated() {
        dK.add(q, times: scale * dS[key], error: scale * errors[key], to: place)
        dV.add(
          upstream, times: weights.values[key],
          error: (weights.error + (lengthUnits + 4) * u) * weights.values[key], to: place)
      }
      guard isLookedAt.contains(row) else { continue }
      let wanted = weighted(keyRows, by: dS)
      let allowed = weighted(keyRows.map { abs($0) }, by: errors)
      for column in 0..<width {
        error.compare(
          outputs[0][(head * length + row) * width + column], with: scale * wanted[column],
          allowing: scale * allowed[column])
      }
    }
    dK.compare(outputs[1], from: head * length * width, in: &error)
    dV.compare(outputs[2], from: head * length * width, in: &error)
  }

  /// The weights of all positions for a query, and what each may be off by, relative to itself.
  private func weights(of query: [Double], _ keys: Columns) -> (values: [Double], error: Double) {
    let scores = products(of: query.map { $0 * scale }, keys)
    let (top, bottom) = (scores.max() ?? 0, scores.min() ?? 0)
    let exponentials = scores.map { exp($0 - top) }
    let sum = exponentials.reduce(0, +)
    let reach = zip(query, keys.largest).reduce(0) { $0 + abs($1.0) * $1.1 } * scale
    // A score is off by its sum's units, which the exponential makes relative, in the weight and in the sum; so is
    // the largest, which cancels. Vulkan allows an exponential 3 + 2 |x| ulp of two units, x itself is rounded, and a
    // kernel that finds larger scores as it goes corrects what it has by further exponentials: ten are allowed for,
    // since of random scores the largest so far changes about log T times. Backward, the logarithm of the sum is
    // kept, and off by two units of itself.
    let scoreError = (widthUnits + 6) * reach
    let exponentialError = 10 * (6 + 6 * (top - bottom))
    let logarithmError = 4 * abs(top + log(sum))
    return (
      exponentials.map { $0 / sum },
      (2 * scoreError + exponentialError + logarithmError + lengthUnits + 8) * roundoff
    )
  }

  /// The products of a row with each position of a head.
  private func products(of row: [Double], _ columns: Columns) -> [Double] {
    var result = [Double](repeating: 0, count: length)
    result.withUnsafeMutableBufferPointer { result in
      columns.elements.withUnsafeBufferPointer { elements in
        for (column, factor) in row.enumerated() {
          let start = column * length
          for position in 0..<length { result[position] += factor * elements[start + position] }
        }
      }
    }
    return result
  }

  /// The sum of the rows of a head, each times its weight.
  private func weighted(_ rows: [Double], by weights: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: width)
    for (position, weight) in weights.enumerated() {
      for column in 0..<width { result[column] += weight * rows[position * width + column] }
    }
    return result
  }

  private func slice(_ array: [Double], _ head: Int) -> [Double] {
    Array(array[(head * length * width)..<((head + 1) * length * width)])
  }

  private func query(_ array: [Double], _ head: Int, _ row: Int) -> [Double] {
    let start = (head * length + row) * width
    return Array(array[start..<(start + width)])
  }

  /// The rows of a head, columns first, so that loops run along positions.
  private struct Columns {
    let elements: [Double]
    /// The largest absolute value of each column.
    let largest: [Double]

    init(_ array: [Double], _ head: Int, _ check: CheckedAttention) {
      let (length, width) = (check.length, check.width)
      let start = head * length * width
      elements = (0..<width).flatMap { column in
        (0..<length).map { array[start + $0 * width + column] }
      }
      largest = (0..<width).map { column in
        (0..<length).reduce(0) { max($0, abs(array[start + $1 * width + column])) }
      }
    }
  }

  /// Sums of rows for some positions, and what they may be off by.
  private struct RowSums {
    private let positions: [Int]
    private let width: Int
    private var values, errors: [Double]

    init(_ positions: [Int], width: Int) {
      self.positions = positions
      self.width = width
      values = [Double](repeating: 0, count: positions.count * width)
      errors = values
    }

    /// Adds a row times `factor` to the sum of the position at `place`.
    mutating func add(_ row: [Double], times factor: Double, error: Double, to place: Int) {
      for column in 0..<width {
        values[place * width + column] += factor * row[column]
        errors[place * width + column] += error * abs(row[column])
      }
    }

    func compare(_ output: [Double], from start: Int, in error: inout LargestError) {
      for (place, position) in positions.enumerated() {
        for column in 0..<width {
          error.compare(
            output[start + position * width + column], with: values[place * width + column],
            allowing: errors[place * width + column])
        }
      }
    }
  }
}
