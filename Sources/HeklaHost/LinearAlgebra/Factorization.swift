import HeklaDevices

/// The factorizations of a batch of matrices that LAPACK computes and that come as several arrays.
///
/// Parameters: 1 for float64 (0 float32), batch, rows m, columns n. Bindings: the matrices, then the results:
/// - `lu_factorization`: permutation int32 [batch, n], its sign [batch], packed L and U [batch, n, n].
/// - `qr_factorization`: R [batch, n, n], Q [batch, m, n]; R's diagonal is not negative.
/// - `symmetric_eigen`: values ascending [batch, n], vectors in columns [batch, n, n]; the lower triangle is read.
/// - `singular_values`: values descending [batch, k], V^T [batch, k, n], U [batch, m, k], with k = min(m, n).
///
/// LAPACK stores columns one after the other. Where it does not converge, or an
/// element of a matrix to decompose is not finite, the results are NaN.
struct Factorization: Sendable {
  enum Kind: String, Sendable {
    case lu = "lu_factorization"
    case qr = "qr_factorization"
    case eigen = "symmetric_eigen"
    case singular = "singular_values"
  }

  let kind: Kind
  let isDouble: Bool
  let batch, m, n: Int

  init?(_ kind: Kind, _ parameters: [Int]) {
    guard parameters.count == 4, parameters.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      return nil
    }
    self.kind = kind
    isDouble = parameters[0] == 1
    batch = parameters[1]
    m = parameters[2]
    n = parameters[3]
    switch kind {
    case .lu, .eigen: guard m == n else { return nil }
    case .qr: guard m >= n else { return nil }
    case .singular: break
    }
  }

  var source: HostSource {
    HostSource(name: kind.rawValue, key: "\(isDouble) \(batch) \(m) \(n)") {
      (arguments: HostArguments) throws(DeviceError) in
      if isDouble { try run(arguments, as: Double.self) } else { try run(arguments, as: Float.self) }
    }
  }

  private func run<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ arguments: HostArguments, as type: Element.Type
  ) throws(DeviceError) {
    guard batch > 0, m > 0, n > 0 else { return }
    let library = try LAPACKLibrary.shared.get()
    let k = min(m, n)
    func elements(_ binding: Int, _ count: Int) throws(DeviceError) -> UnsafeMutablePointer<Element> {
      let buffer = try arguments.elements(binding, count: batch * count, as: type, kernel: kind.rawValue)
      // Never empty: all extents are positive here.
      guard let address = buffer.baseAddress else {
        throw .invalidArgument(call: kind.rawValue, reason: "binding \(binding) is empty.")
      }
      return address
    }
    let matrices = try elements(0, m * n)
    switch kind {
    case .lu:
      let orders = try arguments.elements(1, count: batch * n, as: Int32.self, kernel: kind.rawValue)
      let (signs, packed) = (try elements(2, 1), try elements(3, n * n))
      library.forEachMatrix(of: batch) { item in
        let order = UnsafeMutableBufferPointer(rebasing: orders[item * n..<(item + 1) * n])
        signs[item] = library.factorLU(
          matrices + item * n * n, n, order: order, packed: packed + item * n * n)
      }
    case .qr:
      let (r, q) = (try elements(1, n * n), try elements(2, m * n))
      library.forEachMatrix(of: batch) { item in
        library.factorQR(matrices + item * m * n, m, n, r: r + item * n * n, q: q + item * m * n)
      }
    case .eigen:
      let (values, vectors) = (try elements(1, n), try elements(2, n * n))
      library.forEachMatrix(of: batch) { item in
        library.decompose(
          symmetric: matrices + item * n * n, n, values: values + item * n, vectors: vectors + item * n * n)
      }
    case .singular:
      let (values, vt, u) = (try elements(1, k), try elements(2, k * n), try elements(3, m * k))
      library.forEachMatrix(of: batch) { item in
        library.decompose(
          matrices + item * m * n, m, n, values: values + item * k, vt: vt + item * k * n, u: u + item * m * k
        )
      }
    }
  }
}
