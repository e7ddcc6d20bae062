import HeklaDevices

/// The host bodies that are written by hand, by name: what `ShaderLibrary` is to other devices.
public enum HostKernels {
  /// The kernel `name` with `parameters`, or nil when there is none of this name or their number is wrong.
  ///
  /// What the parameters and bindings are stands with each kernel.
  public static func source(named name: String, parameters: [Int]) -> HostSource? {
    table[name]?(parameters)
  }

  /// The names of all kernels, sorted.
  public static var names: [String] { table.keys.sorted() }

  private static let table: [String: @Sendable ([Int]) -> HostSource?] = [
    "attention": { AttentionForward($0)?.source },
    "attention_gradient": { AttentionBackward($0)?.source },
    "cholesky": { CholeskyFactor($0)?.source },
    "convolution": { Convolution($0)?.source },
    "fourier": { FourierTransform($0)?.source },
    "gather_rows": { GatherRows($0)?.source },
    "linear_recurrence": { LinearRecurrence($0)?.source },
    "lu_factorization": { Factorization(.lu, $0)?.source },
    "matrix_product": { (try? MatrixProduct(parameters: $0))?.source },
    "pack_right_factor": { FactorPacking($0)?.packing },
    "product_by_packed": { FactorPacking($0)?.product },
    "qr_factorization": { Factorization(.qr, $0)?.source },
    "scan": { Scan($0)?.source },
    "scatter_sum": { ScatterSum($0)?.source },
    "search_sorted": { SearchSorted($0)?.source },
    "segment_fold": { SegmentFold($0)?.source },
    "segment_order": { SegmentOrder($0)?.source },
    "singular_values": { Factorization(.singular, $0)?.source },
    "sort_rows": { SortRows($0)?.source },
    "sparse_product": { SparseProduct($0)?.source },
    "symmetric_eigen": { Factorization(.eigen, $0)?.source },
    "triangular_solve": { TriangularSolution($0)?.source },
  ]
}

extension HostArguments {
  /// Binding `number`, checked to have at least `count` elements of `type`.
  func elements<Element: BitwiseCopyable>(
    _ number: Int, count: Int, as type: Element.Type, kernel: String
  ) throws(DeviceError) -> UnsafeMutableBufferPointer<Element> {
    guard bindings.indices.contains(number) else {
      throw .invalidArgument(
        call: kernel, reason: "binding \(number) is missing; \(bindings.count) buffers are bound.")
    }
    let needed = count * MemoryLayout<Element>.stride
    guard bindings[number].count >= needed else {
      throw .invalidArgument(
        call: kernel,
        reason: "binding \(number) has \(bindings[number].count) bytes where the kernel uses \(needed).")
    }
    return UnsafeMutableBufferPointer(rebasing: bindings[number].bindMemory(to: type)[..<count])
  }
}
