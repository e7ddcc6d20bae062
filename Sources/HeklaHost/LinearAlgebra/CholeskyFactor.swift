import HeklaDevices

/// The lower triangular `L` with `L L^T = A`, for each matrix of a batch; zeros above the diagonal.
///
/// Parameters: 1 for float64 (0 float32), batch, n. Bindings: `A` [batch, n, n], `L` [batch, n, n].
/// Where `A` is not positive definite, `L` is NaN from the first column on whose pivot is not positive.
struct CholeskyFactor: Sendable {
  static let name = "cholesky"

  private let isDouble: Bool
  private let batch, n: Int

  init?(_ parameters: [Int]) {
    guard parameters.count == 3, parameters.allSatisfy({ $0 >= 0 }), parameters[2] <= Int(Int32.max) else {
      return nil
    }
    isDouble = parameters[0] == 1
    batch = parameters[1]
    n = parameters[2]
  }

  var source: HostSource {
    HostSource(name: Self.name, key: "\(isDouble) \(batch) \(n)") {
      (arguments: HostArguments) throws(DeviceError) in
      if isDouble { try run(arguments, as: Double.self) } else { try run(arguments, as: Float.self) }
    }
  }

  private func run<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ arguments: HostArguments, as type: Element.Type
  ) throws(DeviceError) {
    let input = try arguments.elements(0, count: batch * n * n, as: type, kernel: Self.name)
    let output = try arguments.elements(1, count: batch * n * n, as: type, kernel: Self.name)
    guard batch > 0, n > 0, let from = input.baseAddress, let to = output.baseAddress else { return }
    let library = try LAPACKLibrary.shared.get()
    let factor = library.choleskyFactor.routine(byteCount: MemoryLayout<Element>.size)
    let (order, step) = (Int32(n), Int32(n))
    library.forEachMatrix(of: batch) { item in
      let matrix = to + item * n * n
      matrix.update(from: from + item * n * n, count: n * n)
      // Rows here are columns there: the upper factor of the same symmetric matrix.
      var status: Int32 = 0
      withUnsafePointer(to: order) { order in
        withUnsafePointer(to: step) { step in factor("U", order, matrix, step, &status, 1) }
      }
      // The library stops at the first pivot that is not positive.
      let firstBad = status > 0 ? Int(status) - 1 : n
      for row in 0..<n {
        if row >= firstBad {
          (matrix + row * n + firstBad).update(repeating: .nan, count: row - firstBad + 1)
        }
        (matrix + row * n + row + 1).update(repeating: 0, count: n - row - 1)
      }
    }
  }
}
