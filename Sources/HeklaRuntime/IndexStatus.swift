import HeklaArrays
import HeklaDevices
import HeklaTensors

/// What a step's index checks have recorded on the device; `check_indices.comp` has its form.
///
/// It lies in the step's arena, where nothing else shares its bytes, and outlasts runs: of several runs that nobody
/// waited for, the first that met an index out of range is the one that is heard of.
struct IndexStatus: Sendable {
  /// Position, number of the check, index, bound; all ones while nothing is wrong, which is also what
  /// `CompiledStep.poison` writes.
  static let signature = Signature([4], .uint32)

  private let slice: BufferSlice
  private let operations: [String]
  private let executor: PlanExecutor

  /// The record at `slice`, made clean, of the checks that belong to `operations`.
  init(_ slice: BufferSlice, of operations: [String], on executor: PlanExecutor) throws(DeviceError) {
    self.slice = slice
    self.operations = operations
    self.executor = executor
    try clear()
  }

  private func clear() throws(DeviceError) {
    try executor.write(HostArray([UInt32](repeating: .max, count: 4)), to: slice)
  }

  /// Waits for everything submitted, and makes the record clean for what is submitted next.
  /// - Throws: `DeviceError.indexOutOfRange` for the index that was recorded.
  func check() throws(DeviceError) {
    let words = try executor.read(slice, signature: Self.signature).elements(as: UInt32.self)
    guard let operation = Int(exactly: words[1]), operations.indices.contains(operation) else { return }
    try clear()
    throw .indexOutOfRange(
      operation: operations[operation], index: Int(Int32(bitPattern: words[2])), bound: Int(words[3]))
  }
}
