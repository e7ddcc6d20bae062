/// One matrix at a time, stored by rows, through routines that store by columns.
extension LAPACKLibrary {
  /// Packs L and U into `packed` and gives the permutation's sign.
  func factorLU<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ matrix: UnsafeMutablePointer<Element>, _ n: Int, order: UnsafeMutableBufferPointer<Int32>,
    packed: UnsafeMutablePointer<Element>
  ) -> Element {
    var columns = [Element](repeating: 0, count: n * n)
    var exchanges = [Int32](repeating: 0, count: n)
    var status: Int32 = 0
    let counts = [Int32(n)]
    transpose(matrix, n, n, into: &columns)
    luFactor.routine(byteCount: MemoryLayout<Element>.size)(
      counts, counts, &columns, counts, &exchanges, &status)
    transpose(&columns, n, n, into: packed)
    var sign: Element = 1
    for row in 0..<n { order[row] = Int32(row) }
    // Row i was exchanged with row exchanges[i], counted from 1, one after the other.
    for (row, exchange) in exchanges.enumerated() where Int(exchange) != row + 1 {
      order.swapAt(row, Int(exchange) - 1)
      sign = -sign
    }
    return sign
  }

  func factorQR<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ matrix: UnsafeMutablePointer<Element>, _ m: Int, _ n: Int, r: UnsafeMutablePointer<Element>,
    q: UnsafeMutablePointer<Element>
  ) {
    let size = MemoryLayout<Element>.size
    var columns = [Element](repeating: 0, count: m * n)
    var factors = [Element](repeating: 0, count: n)
    // What LAPACK recommends: blocks of 32 and more.
    var work = [Element](repeating: 0, count: n * 64)
    var status: Int32 = 0
    let (rows, width, room) = ([Int32(m)], [Int32(n)], [Int32(work.count)])
    transpose(matrix, m, n, into: &columns)
    qrFactor.routine(byteCount: size)(rows, width, &columns, rows, &factors, &work, room, &status)
    for row in 0..<n {
      for column in 0..<n { r[row * n + column] = column < row ? 0 : columns[column * m + row] }
    }
    formQ.routine(byteCount: size)(rows, width, width, &columns, rows, &factors, &work, room, &status)
    transpose(&columns, n, m, into: q)
    // A reflection may give either sign to the diagonal of R.
    for row in 0..<n where r[row * n + row] < 0 {
      for column in row..<n { r[row * n + column] = -r[row * n + column] }
      for i in 0..<m { q[i * n + row] = -q[i * n + row] }
    }
  }

  func decompose<Element: BinaryFloatingPoint & BitwiseCopyable>(
    symmetric matrix: UnsafeMutablePointer<Element>, _ n: Int, values: UnsafeMutablePointer<Element>,
    vectors: UnsafeMutablePointer<Element>
  ) {
    // What routines do with NaN depends on their version.
    guard (0..<n).allSatisfy({ row in (0...row).allSatisfy { matrix[row * n + $0].isFinite } }) else {
      values.update(repeating: .nan, count: n)
      return vectors.update(repeating: .nan, count: n * n)
    }
    // Rows here are columns there, and so the lower triangle is the upper.
    var columns = [Element](UnsafeBufferPointer(start: matrix, count: n * n))
    var work = [Element](repeating: 0, count: 1 + 6 * n + 2 * n * n)
    var integers = [Int32](repeating: 0, count: 3 + 5 * n)
    var status: Int32 = 0
    let (order, room, more) = ([Int32(n)], [Int32(work.count)], [Int32(integers.count)])
    eigenDecompose.routine(byteCount: MemoryLayout<Element>.size)(
      "V", "U", order, &columns, order, values, &work, room, &integers, more, &status, 1, 1)
    guard status == 0 else {
      values.update(repeating: .nan, count: n)
      return vectors.update(repeating: .nan, count: n * n)
    }
    for vector in 0..<n {
      let range = vector * n..<(vector + 1) * n
      let sign: Element = largest(columns[range]) < 0 ? -1 : 1
      for i in 0..<n { vectors[i * n + vector] = sign * columns[range.lowerBound + i] }
    }
  }

  func decompose<Element: BinaryFloatingPoint & BitwiseCopyable>(
    _ matrix: UnsafeMutablePointer<Element>, _ m: Int, _ n: Int, values: UnsafeMutablePointer<Element>,
    vt: UnsafeMutablePointer<Element>, u: UnsafeMutablePointer<Element>
  ) {
    let k = min(m, n)
    guard (0..<m * n).allSatisfy({ matrix[$0].isFinite }) else {
      values.update(repeating: .nan, count: k)
      vt.update(repeating: .nan, count: k * n)
      return u.update(repeating: .nan, count: m * k)
    }
    // The transpose, n x m there, is V diag(s) U^T: its left vectors lie as the rows of V^T, its right ones as U.
    var columns = [Element](UnsafeBufferPointer(start: matrix, count: m * n))
    var work = [Element](repeating: 0, count: 4 * k * k + 7 * k + max(m, n) + 64 * (m + n))
    var integers = [Int32](repeating: 0, count: 8 * k)
    var status: Int32 = 0
    let (rows, width, both, room) = ([Int32(n)], [Int32(m)], [Int32(k)], [Int32(work.count)])
    singularDecompose.routine(byteCount: MemoryLayout<Element>.size)(
      "S", rows, width, &columns, rows, values, vt, rows, u, both, &work, room, &integers, &status, 1)
    guard status == 0 else {
      values.update(repeating: .nan, count: k)
      vt.update(repeating: .nan, count: k * n)
      return u.update(repeating: .nan, count: m * k)
    }
    for vector in 0..<k where largest((0..<m).map { u[$0 * k + vector] }) < 0 {
      for i in 0..<m { u[i * k + vector] = -u[i * k + vector] }
      for j in 0..<n { vt[vector * n + j] = -vt[vector * n + j] }
    }
  }

  /// The element of largest absolute value, the first of equals.
  private func largest<Element: BinaryFloatingPoint>(_ elements: some Sequence<Element>) -> Element {
    elements.reduce(0) { abs($1) > abs($0) ? $1 : $0 }
  }

  /// The transpose of `[rows, columns]`, in blocks that stay in the first cache.
  private func transpose<Element: BitwiseCopyable>(
    _ source: UnsafePointer<Element>, _ rows: Int, _ columns: Int, into target: UnsafeMutablePointer<Element>
  ) {
    let block = 32
    for firstRow in stride(from: 0, to: rows, by: block) {
      for firstColumn in stride(from: 0, to: columns, by: block) {
        for row in firstRow..<min(firstRow + block, rows) {
          for column in firstColumn..<min(firstColumn + block, columns) {
            target[column * rows + row] = source[row * columns + column]
          }
        }
      }
    }
  }
}
