import Foundation
import HeklaArrays
import HeklaTensors

/// What a reduction of a matrix folds together.
enum ReductionAxis: String, CaseIterable {
  /// Each row, to one value a row.
  case rows
  /// Each column, to one value a column.
  case columns
  /// The whole matrix.
  case all
}

/// A reduction of a matrix.
struct RowReduction: Hashable, CaseIterable, Sendable {
  enum Fold: String, Sendable { case sum, max, softmax }

  let fold: Fold
  let axis: ReductionAxis

  static let allCases: [RowReduction] =
    ReductionAxis.allCases.map { RowReduction(fold: .sum, axis: $0) }
    + ReductionAxis.allCases.map { RowReduction(fold: .max, axis: $0) }
    + [ReductionAxis.rows, .columns].map { RowReduction(fold: .softmax, axis: $0) }

  /// Such as `sum-rows`.
  var name: String { "\(fold.rawValue)-\(axis.rawValue)" }

  fileprivate func build(_ x: Tensor) -> Tensor {
    let axes: [Int] =
      switch axis {
      case .rows: [1]
      case .columns: [0]
      case .all: [0, 1]
      }
    return switch fold {
    case .sum: x.sum(along: axes)
    case .max: x.maximum(along: axes)
    case .softmax: x.softmax(along: axes[0])
    }
  }

  /// Subtraction, exponential, sum and division for softmax, after the maximum.
  fileprivate var operationsPerElement: Int { fold == .softmax ? 5 : 1 }

  /// The lists of positions that are folded together, as first, step and count.
  fileprivate func groups(rows: Int, columns: Int) -> [StrideTo<Int>] {
    switch axis {
    case .rows: (0..<rows).map { stride(from: $0 * columns, to: ($0 + 1) * columns, by: 1) }
    case .columns: (0..<columns).map { stride(from: $0, to: rows * columns, by: columns) }
    case .all: [stride(from: 0, to: rows * columns, by: 1)]
    }
  }

  fileprivate func compare(
    _ output: [Double], at index: Int, with group: StrideTo<Int>, of x: [Double], count: Int,
    type: ElementType,
    in error: inout LargestError
  ) {
    let roundoff = type.arithmeticRoundoff
    switch fold {
    case .sum:
      var (sum, magnitude) = (CompensatedSum(), 0.0)
      for position in group {
        sum.add(x[position])
        magnitude += abs(x[position])
      }
      // In any order: Higham 2002, section 4.2.
      error.compare(output[index], with: sum.value, allowing: Double(count) * roundoff * magnitude)
    case .max:
      error.compare(output[index], with: group.lazy.map { x[$0] }.max() ?? .nan, allowing: 0)
    case .softmax:
      let shift = group.lazy.map { x[$0] }.max() ?? 0
      var sum = CompensatedSum()
      for position in group { sum.add(exp(x[position] - shift)) }
      // Relative to the value: the difference is off by a unit of at most 2, which exp passes on; Vulkan allows
      // exp 3 + 2 * 2 ulp of two units each and the division 2.5; the sum of positive terms, count units.
      let units = Double(count) + 2 + 14 + 5 + 2
      for position in group {
        let value = exp(x[position] - shift) / sum.value
        let allowed = units * roundoff * value + type.storageError(at: value)
        error.compare(output[position], with: value, allowing: allowed)
      }
    }
  }
}

extension CaseFamily {
  static let reduce = CaseFamily(
    "reduce",
    shape: CaseShape(
      "ROWSxCOLUMNS", rule: "It is ROWSxCOLUMNS, such as 4096x4096.", counts: 2...2, usual: "4096x4096",
      software: "1024x1024", arrays: { extents, _ in [extents] }),
    summary: "sum, max, softmax; of rows, columns, all", options: [.axis],
    members: RowReduction.allCases.map { reduction in
      Member(reduction.name, types: [.float32, .float64]) {
        $0.axis == nil || $0.axis == reduction.axis ? .reduction(reduction, $0) : nil
      }
    })
}

extension BenchmarkCase {
  /// `reduction` of a matrix.
  fileprivate static func reduction(_ reduction: RowReduction, _ parameters: CaseParameters) -> BenchmarkCase
  {
    let (rows, columns) = (parameters.extents[0], parameters.extents[1])
    let elementType = parameters.elementType
    return BenchmarkCase(
      reduction.name, shape: parameters.shape, elementType: elementType,
      inputs: [.numbers([rows, columns], elementType)],
      operationCount: Double(reduction.operationsPerElement) * Double(rows) * Double(columns),
      build: { [reduction.build($0[0])] },
      largestError: { inputs, outputs in
        let (x, y) = (inputs[0].doubles(), outputs[0].doubles())
        let groups = reduction.groups(rows: rows, columns: columns)
        var error = LargestError()
        for (index, group) in groups.enumerated() {
          reduction.compare(
            y, at: index, with: group, of: x, count: rows * columns / groups.count, type: elementType,
            in: &error)
        }
        return error.value
      })
  }
}
