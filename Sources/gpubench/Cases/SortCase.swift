import HeklaArrays
import HeklaTensors

extension CaseFamily {
  static let sort = CaseFamily(
    "sort",
    shape: CaseShape(
      "ROWSxCOLUMNS", rule: "It is ROWSxCOLUMNS, such as 1024x4096: each row is sorted.", counts: 2...2,
      usual: "1024x4096", software: "64x256", arrays: { extents, _ in [extents] }),
    summary: "each row ascending, values only",
    members: [Member("sort", types: [.float32]) { .sort($0) }])
}

extension BenchmarkCase {
  fileprivate static func sort(_ parameters: CaseParameters) -> BenchmarkCase {
    let (rows, columns) = (parameters.extents[0], parameters.extents[1])
    return BenchmarkCase(
      "sort", shape: parameters.shape, elementType: parameters.elementType,
      inputs: [.numbers([rows, columns], parameters.elementType)],
      // Elements only move, and how often they are compared is the kernel's affair.
      operationCount: 0, primitive: "sort",
      build: { [$0[0].sorted(along: 1)] },
      largestError: { inputs, outputs in
        let (x, y) = (inputs[0].elements(as: Float.self), outputs[0].elements(as: Float.self))
        var error = LargestError()
        for row in sampledPositions(of: rows, atMost: max((1 << 22) / columns, 4)) {
          let range = (row * columns)..<((row + 1) * columns)
          for (element, value) in zip(y[range], x[range].sorted()) {
            error.compare(Double(element), with: Double(value), allowing: 0)
          }
        }
        return error.value
      })
  }
}
