import HeklaDevices

/// The `X` with `op(T) X = B`, for each triangular matrix of a batch.
///
/// Parameters: 1 for float64 (0 float32), batch, n, columns, T is lower triangular, op transposes, unit diagonal.
/// Bindings: `T` [batch, n, n], `B` [batch, n, columns], `X` as `B`.
struct TriangularSolution: Sendable {
  static let name = "triangular_solve"

  private let parameters: [Int]
  private var batch: Int { parameters[1] }
  private var n: Int { parameters[2] }
  private var columns: Int { parameters[3] }

  init?(_ parameters: [Int]) {
    guard parameters.count == 7, parameters.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      return nil
    }
    self.parameters = parameters
  }

  var source: HostSource {
    let key = parameters.map(String.init).joined(separator: " ")
    return HostSource(name: Self.name, key: key) { (arguments: HostArguments) throws(DeviceError) in
      if parameters[0] == 1 {
        try run(arguments, as: Double.self)
      } else {
        try run(arguments, as: Float.self)
      }
    }
  }

  private func run<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ arguments: HostArguments, as type: Element.Type
  ) throws(DeviceError) {
    let matrices = try arguments.elements(0, count: batch * n * n, as: type, kernel: Self.name)
    let sides = try arguments.elements(1, count: batch * n * columns, as: type, kernel: Self.name)
    let output = try arguments.elements(2, count: batch * n * columns, as: type, kernel: Self.name)
    guard output.count > 0, let matrix = matrices.baseAddress, let from = sides.baseAddress,
      let to = output.baseAddress
    else { return }
    let library = try LAPACKLibrary.shared.get()
    let solve = library.triangularSolve.routine(byteCount: MemoryLayout<Element>.size)
    // Rows here are columns there: X^T op(T)^T = B^T, and the triangle changes sides.
    let triangle = parameters[4] == 1 ? "U" : "L"
    let form = parameters[5] == 1 ? "T" : "N"
    let diagonal = parameters[6] == 1 ? "U" : "N"
    let (order, width, one) = (Int32(n), Int32(columns), Element(1))
    library.forEachMatrix(of: batch) { item in
      let solution = to + item * n * columns
      solution.update(from: from + item * n * columns, count: n * columns)
      withUnsafePointer(to: order) { order in
        withUnsafePointer(to: width) { width in
          withUnsafePointer(to: one) { one in
            solve(
              "R", triangle, form, diagonal, width, order, one, matrix + item * n * n, order, solution, width,
              1, 1, 1, 1)
          }
        }
      }
    }
  }
}
