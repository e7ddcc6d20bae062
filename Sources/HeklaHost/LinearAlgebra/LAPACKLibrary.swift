import Glibc
import HeklaDevices
import Synchronization

/// The factorizations of LAPACK, as OpenBLAS brings them, found on this machine at run time.
///
/// Every routine takes all of its arguments by address, so one Swift type serves its float and its double form.
/// The lengths of character arguments come last, as Fortran compilers pass them.
struct LAPACKLibrary: Sendable {
  /// The library of the process, or what is missing; loaded when first asked for.
  static let shared = Result { () throws(DeviceError) in try LAPACKLibrary() }

  typealias Matrix = UnsafeMutableRawPointer
  typealias Count = UnsafePointer<Int32>
  typealias Letter = UnsafePointer<CChar>
  typealias Status = UnsafeMutablePointer<Int32>

  typealias CholeskyRoutine = @Sendable @convention(c) (Letter, Count, Matrix, Count, Status, Int) -> Void
  typealias TriangularRoutine =
    @Sendable @convention(c) (
      Letter, Letter, Letter, Letter, Count, Count, UnsafeRawPointer, Matrix, Count, Matrix, Count, Int, Int,
      Int, Int
    ) -> Void

  typealias LURoutine = @Sendable @convention(c) (Count, Count, Matrix, Count, Status, Status) -> Void
  typealias QRRoutine =
    @Sendable @convention(c) (Count, Count, Matrix, Count, Matrix, Matrix, Count, Status) -> Void
  typealias FormQRoutine =
    @Sendable @convention(c) (Count, Count, Count, Matrix, Count, Matrix, Matrix, Count, Status) -> Void
  typealias EigenRoutine =
    @Sendable @convention(c) (
      Letter, Letter, Count, Matrix, Count, Matrix, Matrix, Count, Status, Count, Status, Int, Int
    ) -> Void
  typealias SingularRoutine =
    @Sendable @convention(c) (
      Letter, Count, Count, Matrix, Count, Matrix, Matrix, Count, Matrix, Count, Matrix, Count, Status,
      Status, Int
    ) -> Void

  /// A routine for each element type.
  struct Pair<Routine: Sendable>: Sendable {
    let float, double: Routine

    /// That for elements of `byteCount` bytes.
    func routine(byteCount: Int) -> Routine { byteCount == 8 ? double : float }
  }

  let choleskyFactor: Pair<CholeskyRoutine>
  let triangularSolve: Pair<TriangularRoutine>
  let luFactor: Pair<LURoutine>
  let qrFactor: Pair<QRRoutine>
  let formQ: Pair<FormQRoutine>
  let eigenDecompose: Pair<EigenRoutine>
  let singularDecompose: Pair<SingularRoutine>
  private let setThreadCount: (@Sendable @convention(c) (Int32) -> Void)?
  private let threadCount: (@Sendable @convention(c) () -> Int32)?

  /// One caller at a time: the number of the library's threads is the process's.
  private static let calls = Mutex(())

  /// Loads the library from `file`.
  /// - Throws: `DeviceError.unavailable` with the package to install.
  init(file: String = "libopenblas.so.0") throws(DeviceError) {
    // OpenBLAS chooses its kernels as it is loaded, and the products' loader tells it which.
    _ = BLASLibrary.shared
    guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else { throw Self.missing(file) }
    func pair<Routine: Sendable>(_ name: String, as type: Routine.Type) throws(DeviceError) -> Pair<Routine> {
      guard let float = dlsym(library, "s\(name)_"), let double = dlsym(library, "d\(name)_") else {
        throw Self.missing("the routine \(name) in \(file)")
      }
      return Pair(float: unsafeBitCast(float, to: type), double: unsafeBitCast(double, to: type))
    }
    choleskyFactor = try pair("potrf", as: CholeskyRoutine.self)
    triangularSolve = try pair("trsm", as: TriangularRoutine.self)
    luFactor = try pair("getrf", as: LURoutine.self)
    qrFactor = try pair("geqrf", as: QRRoutine.self)
    formQ = try pair("orgqr", as: FormQRoutine.self)
    eigenDecompose = try pair("syevd", as: EigenRoutine.self)
    singularDecompose = try pair("gesdd", as: SingularRoutine.self)
    setThreadCount = dlsym(library, "openblas_set_num_threads").map {
      unsafeBitCast($0, to: (@Sendable @convention(c) (Int32) -> Void).self)
    }
    threadCount = dlsym(library, "openblas_get_num_threads").map {
      unsafeBitCast($0, to: (@Sendable @convention(c) () -> Int32).self)
    }
  }

  private static func missing(_ what: String) -> DeviceError {
    .unavailable(
      device: "cpu", reason: "Linear algebra needs LAPACK, but \(what) was not found.",
      remedy: "Install OpenBLAS, package libopenblas0 on Debian and Ubuntu.")
  }

  /// Calls `body` with each of `0..<batch`.
  ///
  /// Several matrices are divided between the pool's threads, with the library on one thread in each; a single one
  /// is left to the library's own threads. The choice depends on the batch alone, so the bits do not vary.
  func forEachMatrix(of batch: Int, _ body: (Int) -> Void) {
    Self.calls.withLock { _ in
      guard batch > 1 else { return body(0) }
      let before = threadCount?()
      setThreadCount?(1)
      ThreadPool.shared.parallel(count: batch, body)
      if let before { setThreadCount?(before) }
    }
  }
}
