import CHostLoops
import HeklaDevices

/// Which thread computes what, of one product: fixed when the kernel is made.
///
/// A task is a rectangle of one `C`. It packs what it needs by itself, so tasks never wait for each other.
struct ProductSchedule: Sendable {
  let product: MatrixProduct
  let kernels: ProductKernels
  let pool: ThreadPool
  /// Pieces of the rows.
  let rowParts: Int
  /// Pieces of the columns.
  let columnParts: Int
  /// The number of rectangles, over the whole batch.
  var taskCount: Int { product.batch * rowParts * columnParts }
  /// Whether all is done by the calling thread, because threads would cost more than they do.
  let isSerial: Bool
  /// What computes the product instead of `kernels`.
  let library: BLASLibrary?

  /// A schedule for `product` on the threads of `pool`.
  ///
  /// The rule of choice: the host's own kernels wherever it has some for the processor's vector instructions;
  /// elsewhere a BLAS library, if one is installed and the product is large enough for its threads.
  /// Tests choose by giving `kernels`.
  init(_ product: MatrixProduct, pool: ThreadPool = .shared, kernels given: ProductKernels? = nil) {
    let kernels = given ?? ProductKernels(elementSize: product.elementType.byteCount)
    let product = product.folded
    self.product = product
    self.kernels = kernels
    self.pool = pool
    let operations = 2 * Double(product.rows) * Double(product.columns) * Double(product.depth)
    let wanted = Self.taskCount(operations: operations, batch: product.batch, threads: pool.threadCount)
    (rowParts, columnParts) = Self.parts(of: product, kernels: kernels, wanted: wanted)
    isSerial = operations * Double(product.batch) < 2 * Double(ProductBlocking.operationsPerTask)
    if given == nil, kernels.isBaseline, !isSerial, case .success(let library) = BLASLibrary.shared,
      library.canMultiply(product)
    {
      self.library = library
    } else {
      library = nil
    }
  }

  /// How many pieces each product of the batch should fall into.
  private static func taskCount(operations: Double, batch: Int, threads: Int) -> Int {
    // A large product gets several tasks per thread, so that a thread that is held up does not hold up all.
    let isLarge = operations * Double(batch) > 64 * Double(ProductBlocking.operationsPerTask * threads)
    let perProduct = (threads * (isLarge ? 2 : 1) + batch - 1) / max(batch, 1)
    return max(1, min(perProduct, Int(operations / Double(ProductBlocking.operationsPerTask))))
  }

  /// The grid of about `wanted` rectangles that packs the least.
  private static func parts(of product: MatrixProduct, kernels: ProductKernels, wanted: Int) -> (Int, Int) {
    let tiles = (product.rows + kernels.tileRows - 1) / kernels.tileRows
    let panels = (product.columns + 2 * kernels.lanes - 1) / (2 * kernels.lanes)
    var best = (rows: 1, columns: 1)
    var least = Double.infinity
    for rowParts in 1...max(wanted, 1) where rowParts <= max(tiles, 1) {
      let columnParts = min((wanted + rowParts - 1) / rowParts, max(panels, 1))
      // The time of the longest task in units of a multiplication per element; packing one takes about six.
      let tileRows = (tiles + rowParts - 1) / rowParts * kernels.tileRows
      let panelColumns = (panels + columnParts - 1) / columnParts * 2 * kernels.lanes
      let rounds = Double((rowParts * columnParts + wanted - 1) / wanted)
      let cost = rounds * (Double(tileRows) * Double(panelColumns) + 6 * Double(tileRows + panelColumns))
      if cost < least {
        least = cost
        best = (rowParts, columnParts)
      }
    }
    return best
  }
}

extension MatrixProduct {
  /// The same product as one, where the batch is a longer list of rows for one right factor.
  var folded: MatrixProduct {
    guard batch > 1, rightStride == 0, !transposesLeft, leftStride == rows * depth else { return self }
    return MatrixProduct(self, batch: 1, rows: batch * rows)
  }
}

extension ProductSchedule {
  /// Runs the product on the memory of `A`, `B` and `C`.
  func run(bindings: [UnsafeMutableRawBufferPointer]) throws(DeviceError) {
    guard bindings.count == (product.addsBias ? 4 : 3) else {
      throw MatrixProduct.invalid(
        "it binds A, B\(product.addsBias ? ", a bias" : "") and C, \(bindings.count) slices were given.")
    }
    try check(bindings[0], holds: product.leftByteCount, named: "A")
    try check(bindings[1], holds: product.rightByteCount, named: "B")
    let (last, size) = (bindings.count - 1, product.elementType.byteCount)
    try check(bindings[last], holds: product.productByteCount, named: "C")
    if product.addsBias { try check(bindings[2], holds: product.columns * size, named: "the bias") }
    let bias = product.addsBias ? bindings[2].baseAddress.map { UnsafeRawPointer($0) } : nil
    guard let c = bindings[last].baseAddress, let count = product.productByteCount, count > 0 else { return }
    guard let a = bindings[0].baseAddress, let b = bindings[1].baseAddress, product.depth > 0 else {
      c.initializeMemory(as: UInt8.self, repeating: 0, count: count)
      if let bias { spread(bias, over: c) }
      return
    }
    run(a, b, bias: bias, c)
  }

  /// Makes every row of `C` the bias.
  private func spread(_ bias: UnsafeRawPointer, over c: UnsafeMutableRawPointer) {
    let byteCount = product.columns * product.elementType.byteCount
    for row in 0..<product.batch * product.rows {
      (c + row * byteCount).copyMemory(from: bias, byteCount: byteCount)
    }
  }

  private func check(
    _ binding: UnsafeMutableRawBufferPointer, holds needed: Int?, named name: String
  ) throws(DeviceError) {
    guard let needed, binding.count >= needed else {
      throw MatrixProduct.invalid(
        "\(name) needs \(needed ?? .max) bytes, its slice has \(binding.count). Check the shapes.")
    }
  }

  /// Right factor `item` of those at `b`.
  func rightFactor(_ b: UnsafeRawPointer, of item: Int) -> StoredMatrix {
    StoredMatrix(
      b + item * product.rightStride * kernels.elementSize, rows: product.depth, columns: product.columns,
      isTransposed: product.transposesRight, elementSize: kernels.elementSize)
  }

  /// Runs a product that is not empty.
  ///
  /// - Parameters:
  ///   - b: The right factors, or what `FactorPacking` made of them.
  ///   - bias: What is added to every row.
  ///   - isRightPacked: Whether `b` is what `FactorPacking` made.
  func run(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, bias: UnsafeRawPointer?, _ c: UnsafeMutableRawPointer,
    isRightPacked: Bool = false
  ) {
    if let library {
      if let bias { spread(bias, over: c) }
      return library.multiply(product, a, b, into: c)
    }
    var call = ProductCall(schedule: self, a: a, b: b, bias: bias, c: c, isRightPacked: isRightPacked)
    withUnsafeMutablePointer(to: &call) { call in
      let runTask: @convention(c) (UnsafeMutableRawPointer, Int) -> Void = { context, index in
        context.assumingMemoryBound(to: ProductCall.self).pointee.runTask(index)
      }
      if isSerial {
        for index in 0..<taskCount { runTask(call, index) }
      } else {
        pool.parallel(count: taskCount, context: call, runTask)
      }
    }
  }
}
