import CHostLoops

/// The block functions of one level of vector instructions, looked up by operation and type.
///
/// `@unchecked Sendable`: a pointer to a constant table.
struct BlockLibrary: @unchecked Sendable {
  private let table: OpaquePointer

  /// The library of the best level that this processor has.
  static let best: BlockLibrary = {
    // The baseline level is always there.
    BlockLibrary(level: host_best_level()) ?? BlockLibrary(baseline: ())
  }()

  /// The library of `level`, or nil where this processor lacks it.
  init?(level: HostLevel) {
    guard let table = host_block_library(level) else { return nil }
    self.table = table
  }

  private init(baseline: Void) { table = host_baseline_library() }

  /// What the level is called.
  var name: String { String(cString: host_library_name(table)) }

  /// The function of `operation` on operands of `type`, those in the mask `uniform` being one element.
  func function(_ operation: HostOperation, _ type: HostType, uniform: Int) -> HostBlockFunction? {
    host_find_operation(table, operation, type, Int32(uniform))
  }

  func conversion(from: HostType, to: HostType) -> HostBlockFunction? {
    host_find_conversion(table, from, to)
  }

  /// The function of `operation` where `operand` is one element per row or column; nil where there is none.
  func function(_ operation: HostOperation, _ type: HostType, _ operand: HostRowOperand) -> HostBlockFunction?
  {
    host_find_row_operation(table, operation, type, operand)
  }

  func splat(_ type: HostType) -> HostBlockFunction { host_find_splat(table, type) }
  func spread(_ type: HostType) -> HostBlockFunction { host_find_spread(table, type) }
  func fill(_ storage: HostStorage) -> HostFillFunction { host_find_fill(table, storage) }
  func spill(_ storage: HostStorage) -> HostSpillFunction { host_find_spill(table, storage) }
  func fold(_ kind: HostFoldKind, _ type: HostType) -> HostFold { host_find_fold(table, kind, type).pointee }
  func rounding(_ storage: HostStorage) -> HostBlockFunction? { host_find_rounding(table, storage) }

  /// What attention needs besides matrix products.
  var attention: HostAttentionKernels { host_attention_kernels(table).pointee }

  /// Sums over segments, of this level.
  var segmentSums: HostSegmentSums { host_segment_sums(table) }

  /// What indices are checked with, of this level.
  var indexChecks: HostIndexChecks { host_index_checks(table) }

  /// Extremes over segments, of this level; nil where there are none of the type.
  func segmentExtremes(_ kind: HostFoldKind, _ type: HostType) -> HostSegmentExtremes? {
    host_segment_extremes(table, kind, type)
  }

  /// Fourier transforms of float, or of double.
  func fourier(isDouble: Bool) -> HostFourier { host_fourier(table, isDouble ? 1 : 0) }
}
