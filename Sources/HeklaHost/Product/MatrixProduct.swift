import HeklaArrays
import HeklaDevices

/// The host device's batched matrix product: `C[b] = op(A[b]) * op(B[b])`, perhaps plus one row for all rows.
///
/// Matrices are dense and row-major. `op(A)` is `[rows, depth]` and `op(B)` is `[depth, columns]`; a
/// transposed factor is stored as `[depth, rows]`, respectively `[columns, depth]`. `C` is
/// `[batch, rows, columns]`, is overwritten and never read. NaN and infinity propagate as the sum says.
///
/// Each element is a sum over `depth` in an order that depends on the shape only, so the same input gives the
/// same bits on any number of threads. (Where `BLASLibrary` takes over, on processors for which there are
/// only baseline kernels, the number of threads must be the same as well.)
public struct MatrixProduct: Sendable, Hashable {
  /// `float32` or `float64`; sums are kept in the same type.
  public let elementType: ElementType
  /// The number of products.
  public let batch: Int
  /// Rows of `op(A)` and of `C`.
  public let rows: Int
  /// Columns of `op(B)` and of `C`.
  public let columns: Int
  /// Columns of `op(A)`, rows of `op(B)`; where it is 0, `C` becomes 0.
  public let depth: Int
  /// Whether `A` is stored as `[depth, rows]`.
  public let transposesLeft: Bool
  /// Whether `B` is stored as `[columns, depth]`.
  public let transposesRight: Bool
  /// Elements from one `A` to the next; 0 where all products share one.
  public let leftStride: Int
  /// Elements from one `B` to the next; 0 where all products share one.
  public let rightStride: Int
  /// Whether a bias of `columns` numbers is added to every row of `C`.
  public let addsBias: Bool

  /// The product described by a list of nine or ten numbers.
  ///
  /// They are the type (0 for `float32`, 1 for `float64`), `batch`, `rows`, `columns`, `depth`,
  /// `transposesLeft` and `transposesRight` (0 or 1), `leftStride`, `rightStride`, and `addsBias` (0 or 1), which is 0
  /// where it is missing.
  ///
  /// - Throws: `DeviceError.invalidArgument` for a list of another form, a negative number, or sizes whose
  ///   product no memory could hold.
  public init(parameters: [Int]) throws(DeviceError) {
    guard (9...10).contains(parameters.count) else {
      throw Self.invalid("it takes 9 or 10 parameters, \(parameters.count) were given.")
    }
    let parameters = parameters.count == 9 ? parameters + [0] : parameters
    guard parameters.allSatisfy({ $0 >= 0 }), [0, 5, 6, 9].allSatisfy({ parameters[$0] <= 1 }) else {
      throw Self.invalid(
        "\(parameters) is not [type, batch, rows, columns, depth, flag, flag, stride, stride, flag]: "
          + "the type and the flags are 0 or 1, and none is negative."
      )
    }
    elementType = parameters[0] == 0 ? .float32 : .float64
    batch = parameters[1]
    rows = parameters[2]
    columns = parameters[3]
    depth = parameters[4]
    transposesLeft = parameters[5] == 1
    transposesRight = parameters[6] == 1
    leftStride = parameters[7]
    rightStride = parameters[8]
    addsBias = parameters[9] == 1
    guard [leftByteCount, rightByteCount, productByteCount].allSatisfy({ $0 != nil }) else {
      throw Self.invalid("the sizes \(parameters) overflow the address space. Check the shapes.")
    }
  }

  /// `other` with another number of products and rows in each.
  init(_ other: MatrixProduct, batch: Int, rows: Int) {
    elementType = other.elementType
    self.batch = batch
    self.rows = rows
    columns = other.columns
    depth = other.depth
    transposesLeft = other.transposesLeft
    transposesRight = other.transposesRight
    leftStride = other.leftStride
    rightStride = other.rightStride
    addsBias = other.addsBias
  }

  /// The bytes that `A` takes, the last of the batch included; nil where the number overflows.
  var leftByteCount: Int? { byteCount(rows, depth, stride: leftStride) }

  /// The bytes that `B` takes, the last of the batch included; nil where the number overflows.
  var rightByteCount: Int? { byteCount(depth, columns, stride: rightStride) }

  /// The bytes that `C` takes; nil where the number overflows.
  var productByteCount: Int? {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    return overflow ? nil : byteCount(rows, columns, stride: count)
  }

  private func byteCount(_ rows: Int, _ columns: Int, stride: Int) -> Int? {
    guard batch > 0, rows > 0, columns > 0 else { return 0 }
    let (one, firstOverflow) = rows.multipliedReportingOverflow(by: columns)
    let (others, secondOverflow) = stride.multipliedReportingOverflow(by: batch - 1)
    let (count, thirdOverflow) = one.addingReportingOverflow(others)
    let (bytes, fourthOverflow) = count.multipliedReportingOverflow(by: elementType.byteCount)
    return firstOverflow || secondOverflow || thirdOverflow || fourthOverflow ? nil : bytes
  }

  static func invalid(_ reason: String) -> DeviceError {
    .invalidArgument(call: "matrix_product", reason: reason)
  }
}

extension MatrixProduct {
  /// What tells products apart.
  var key: String {
    let forms = (transposesLeft ? "T" : "N") + (transposesRight ? "T" : "N")
    let sizes = "\(batch)x\(rows)x\(columns)x\(depth)"
    return "\(elementType) \(sizes) \(forms) \(leftStride) \(rightStride)\(addsBias ? " bias" : "")"
  }

  /// The host kernel `matrix_product` for bindings `A`, `B`, the bias where there is one, `C`.
  ///
  /// Its body throws `DeviceError.invalidArgument` where a binding is missing or too small.
  public var source: HostSource {
    let schedule = ProductSchedule(self)
    return HostSource(name: "matrix_product", key: key) { arguments throws(DeviceError) in
      try schedule.run(bindings: arguments.bindings)
    }
  }

  /// The host kernel `matrix_product` for a list of parameters as `init(parameters:)` takes it.
  public static func source(parameters: [Int]) throws(DeviceError) -> HostSource {
    try MatrixProduct(parameters: parameters).source
  }
}
