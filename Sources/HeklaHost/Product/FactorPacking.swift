import CHostLoops
import HeklaDevices

/// A matrix product in two launches: one that packs the right factors, and one that multiplies by what it packed.
///
/// For products that have their right factor in common, such as the steps of a recurrent network, which then pack it
/// once. The sums and their order are those of the product in one launch, and so are the bits.
struct FactorPacking: Sendable {
  private let schedule: ProductSchedule

  /// For the product that `MatrixProduct.init(parameters:)` makes of `parameters`; nil where it makes none, or where
  /// it is by a vector or empty and nothing is packed.
  init?(_ parameters: [Int]) {
    guard let product = try? MatrixProduct(parameters: parameters) else { return nil }
    self.init(product)
  }

  init?(_ product: MatrixProduct, pool: ThreadPool = .shared, kernels: ProductKernels? = nil) {
    schedule = ProductSchedule(product, pool: pool, kernels: kernels)
    let folded = schedule.product
    guard folded.batch > 0, product.rows > 1, folded.columns > 1, folded.depth > 0 else { return nil }
  }

  /// The bytes that the packed factors take.
  var byteCount: Int {
    // A library takes the factors as they are.
    if schedule.library != nil { return schedule.product.rightByteCount ?? 0 }
    return PackedPanels.elementCount(schedule) * factorCount * schedule.kernels.elementSize
  }

  private var factorCount: Int { schedule.product.rightStride == 0 ? 1 : schedule.product.batch }

  /// The host kernel `pack_right_factor` for bindings `B` and the packed factors.
  var packing: HostSource {
    let name = "pack_right_factor"
    return HostSource(name: name, key: schedule.product.key) { arguments throws(DeviceError) in
      let b = try arguments.address(0, holding: schedule.product.rightByteCount ?? 0, kernel: name)
      pack(b, into: try arguments.address(1, holding: byteCount, kernel: name))
    }
  }

  /// The host kernel `product_by_packed` for bindings `A`, the packed factors, the bias where there is one, `C`.
  var product: HostSource {
    let name = "product_by_packed"
    return HostSource(name: name, key: schedule.product.key) { arguments throws(DeviceError) in
      let product = schedule.product
      let a = try arguments.address(0, holding: product.leftByteCount ?? 0, kernel: name)
      let packed = try arguments.address(1, holding: byteCount, kernel: name)
      let biasByteCount = product.columns * product.elementType.byteCount
      let bias = product.addsBias ? try arguments.address(2, holding: biasByteCount, kernel: name) : nil
      let c = try arguments.address(
        product.addsBias ? 3 : 2, holding: product.productByteCount ?? 0, kernel: name)
      schedule.run(a, packed, bias: bias.map { UnsafeRawPointer($0) }, c, isRightPacked: true)
    }
  }

  private func pack(_ b: UnsafeRawPointer, into packed: UnsafeMutableRawPointer) {
    if schedule.library != nil {
      packed.copyMemory(from: b, byteCount: byteCount)
      return
    }
    let width = 2 * schedule.kernels.lanes
    let panelCount = (schedule.product.columns + width - 1) / width
    schedule.pool.parallel(count: factorCount * panelCount) { index in
      let item = index / panelCount
      let first = index % panelCount * width
      let factor = schedule.rightFactor(b, of: item)
      PackedPanels(packed, of: item, schedule).pack(
        factor, columns: first..<min(first + width, schedule.product.columns), by: schedule.kernels)
    }
  }
}

/// One right factor in panels of two vectors' width, for each block of the depth panel after panel.
struct PackedPanels {
  private let elements: UnsafeRawPointer
  /// Elements of one row of all panels.
  private let step: Int
  private let depth: Int
  private let elementSize: Int

  /// Factor number `item` of those packed at `packed`.
  init(_ packed: UnsafeRawPointer, of item: Int, _ schedule: ProductSchedule) {
    step = Self.width(schedule)
    depth = schedule.product.depth
    elementSize = schedule.kernels.elementSize
    let number = schedule.product.rightStride == 0 ? 0 : item
    elements = packed + number * step * depth * elementSize
  }

  /// The elements of one packed factor.
  static func elementCount(_ schedule: ProductSchedule) -> Int { width(schedule) * schedule.product.depth }

  private static func width(_ schedule: ProductSchedule) -> Int {
    let lanes = schedule.kernels.lanes
    return (schedule.product.columns + lanes - 1) / lanes * lanes
  }

  /// The panels of `depth`, one of the ranges that `ProductBlocking.depthBlock` gives, from `firstColumn` on.
  func block(_ depth: Range<Int>, firstColumn: Int) -> HostProductRight {
    HostProductRight(elements: address(depth, firstColumn), step: 0, edge: nil)
  }

  /// Packs one panel of `factor`.
  func pack(_ factor: StoredMatrix, columns: Range<Int>, by kernels: ProductKernels) {
    for number in 0..<ProductBlocking.depthBlockCount(depth) {
      let block = ProductBlocking.depthBlock(number, of: depth)
      let target = UnsafeMutableRawPointer(mutating: address(block, columns.lowerBound))
      _ = kernels.packPanels(factor, block, columns, into: target)
    }
  }

  private func address(_ depth: Range<Int>, _ column: Int) -> UnsafeRawPointer {
    elements + (depth.lowerBound * step + column * depth.count) * elementSize
  }
}

extension HostArguments {
  /// Where binding `number` lies, checked to have at least `count` bytes.
  fileprivate func address(
    _ number: Int, holding count: Int, kernel: String
  ) throws(DeviceError) -> UnsafeMutableRawPointer {
    guard bindings.indices.contains(number), bindings[number].count >= count,
      let address = bindings[number].baseAddress
    else {
      throw .invalidArgument(
        call: kernel, reason: "binding \(number) has to be there with \(count) bytes. Check the shapes.")
    }
    return address
  }
}

extension ProductKernels {
  /// The panels of a right block, packed one after another, the last one filled up with zeros.
  func packPanels(
    _ right: StoredMatrix, _ depth: Range<Int>, _ columns: Range<Int>, into memory: UnsafeMutableRawPointer
  ) -> HostProductRight {
    let pack = right.isTransposed ? table.pointee.pack_across : table.pointee.pack_along
    let stretch = right.isTransposed ? depth.count : ProductBlocking.packedRows
    for start in stride(from: 0, to: depth.count, by: stretch) {
      for column in stride(from: 0, to: columns.count, by: 2 * lanes) {
        let count = min(columns.count - column, 2 * lanes)
        let width = panelWidth(count)
        let source = right.address(row: depth.lowerBound + start, column: columns.lowerBound + column)
        let offset = column * depth.count + start * width
        pack(
          memory + offset * elementSize, source, right.step, count, width,
          min(stretch, depth.count - start))
      }
    }
    return HostProductRight(elements: UnsafeRawPointer(memory), step: 0, edge: nil)
  }
}
