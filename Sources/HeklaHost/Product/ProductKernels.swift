import CHostLoops

/// The innermost parts of the matrix product for one element size and one set of machine instructions.
///
/// `@unchecked Sendable`: a pointer to a constant table of functions without state.
struct ProductKernels: @unchecked Sendable {
  /// A set of machine instructions that the kernels come in, the fastest last.
  enum Level: Int, Sendable, CaseIterable {
    case baseline, avx2, avx512
  }

  /// Packs, computes tiles and multiplies by vectors.
  let table: UnsafePointer<HostProductKernels>
  /// Bytes of an element.
  let elementSize: Int
  /// Elements of a vector.
  let lanes: Int
  /// The most rows of a tile.
  let tileRows: Int

  /// Whether these know nothing of the processor but its architecture.
  let isBaseline: Bool

  /// The kernels for elements of `elementSize` bytes at `level`; nil where the processor lacks it.
  init?(elementSize: Int, level: Level) {
    let code = HostLevel(UInt32(level.rawValue))
    guard let table = host_product_kernels(elementSize, code) else { return nil }
    self.init(table, elementSize: elementSize, isBaseline: level == .baseline)
  }

  /// The fastest kernels for elements of `elementSize` bytes that this processor runs.
  init(elementSize: Int) {
    self.init(
      host_best_product_kernels(elementSize), elementSize: elementSize,
      isBaseline: host_best_level() == HOST_BASELINE)
  }

  private init(_ table: UnsafePointer<HostProductKernels>, elementSize: Int, isBaseline: Bool) {
    self.table = table
    self.elementSize = elementSize
    self.isBaseline = isBaseline
    lanes = table.pointee.lanes
    tileRows = table.pointee.tile_rows
  }

  /// Columns of a panel that holds `count` columns or the first of them.
  func panelWidth(_ count: Int) -> Int { count > lanes ? 2 * lanes : lanes }
}
