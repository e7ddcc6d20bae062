import Glibc
import HeklaDevices

/// OpenBLAS, or another BLAS with the C interface, as found on this machine at run time.
///
/// The host's own kernels are as fast where they know the processor. The library takes over where only the
/// baseline kernels run, and is what they are measured against.
public struct BLASLibrary: Sendable {
  /// The library of the process, or what is missing; loaded when first asked for.
  public static let shared = Result { () throws(DeviceError) in try BLASLibrary() }

  /// The file that was loaded.
  public let name: String
  /// The name OpenBLAS gives to the kernels it chose, such as `SkylakeX`; nil for another library.
  public let coreName: String?

  private typealias FloatProduct =
    @Sendable @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafeRawPointer, Int32, UnsafeRawPointer, Int32,
      Float,
      UnsafeMutableRawPointer, Int32
    ) -> Void
  private typealias DoubleProduct =
    @Sendable @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafeRawPointer, Int32, UnsafeRawPointer, Int32,
      Double,
      UnsafeMutableRawPointer, Int32
    ) -> Void

  private let multiplyFloats: FloatProduct
  private let multiplyDoubles: DoubleProduct

  /// Loads the library and has it use `threadCount` threads.
  ///
  /// OpenBLAS picks its kernels while it is loaded; releases older than a processor pick slow ones.
  /// So its variable `OPENBLAS_CORETYPE` is set first where the processor has AVX-512, unless it has a value.
  ///
  /// - Throws: `DeviceError.unavailable` with the package to install.
  public init(threadCount: Int = ThreadPool.shared.threadCount) throws(DeviceError) {
    if ProductKernels(elementSize: 4, level: .avx512) != nil { setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0) }
    for name in ["libopenblas.so.0", "libblas.so.3"] {
      guard let library = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
      guard let floats = dlsym(library, "cblas_sgemm"), let doubles = dlsym(library, "cblas_dgemm") else {
        dlclose(library)
        continue
      }
      self.name = name
      multiplyFloats = unsafeBitCast(floats, to: FloatProduct.self)
      multiplyDoubles = unsafeBitCast(doubles, to: DoubleProduct.self)
      if let symbol = dlsym(library, "openblas_set_num_threads") {
        unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(Int32(clamping: threadCount))
      }
      coreName = dlsym(library, "openblas_get_corename").flatMap { symbol in
        unsafeBitCast(symbol, to: (@convention(c) () -> UnsafePointer<CChar>?).self)().map(
          String.init(cString:))
      }
      return
    }
    throw .unavailable(
      device: "cpu", reason: "No BLAS library with the C interface was found.",
      remedy: "Install OpenBLAS, package libopenblas0 on Debian and Ubuntu.")
  }

  /// Whether the library's 32-bit integers hold the sizes of `product`, and all of them are positive.
  func canMultiply(_ product: MatrixProduct) -> Bool {
    [product.rows, product.columns, product.depth].allSatisfy { $0 > 0 && $0 <= Int(Int32.max) }
  }

  /// Computes `product`, one after another where it is a batch.
  /// - Precondition: `canMultiply(product)`, and every row of `c` is the bias where there is one.
  func multiply(
    _ product: MatrixProduct, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into c: UnsafeMutableRawPointer
  ) {
    let size = product.elementType.byteCount
    let (m, n, k) = (Int32(product.rows), Int32(product.columns), Int32(product.depth))
    // The values of CBLAS_ORDER and CBLAS_TRANSPOSE.
    let (rowMajor, plain, transposed): (Int32, Int32, Int32) = (101, 111, 112)
    let leftForm = product.transposesLeft ? transposed : plain
    let rightForm = product.transposesRight ? transposed : plain
    let leftStep = product.transposesLeft ? m : k
    let rightStep = product.transposesRight ? k : n
    let kept: Double = product.addsBias ? 1 : 0
    for item in 0..<product.batch {
      let a = a + item * product.leftStride * size
      let b = b + item * product.rightStride * size
      let c = c + item * product.rows * product.columns * size
      if product.elementType == .float32 {
        multiplyFloats(
          rowMajor, leftForm, rightForm, m, n, k, 1, a, leftStep, b, rightStep, Float(kept), c, n)
      } else {
        multiplyDoubles(rowMajor, leftForm, rightForm, m, n, k, 1, a, leftStep, b, rightStep, kept, c, n)
      }
    }
  }
}
