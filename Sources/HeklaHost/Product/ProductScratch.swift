import Synchronization

/// Memory in which one task of a product packs its factors, lent from a list that keeps it for the next.
///
/// The list grows to the number of tasks that ever ran at once; after that a product allocates nothing.
///
/// `@unchecked Sendable`: the memory is used by the one task that holds it.
final class ProductScratch: @unchecked Sendable {
  /// Where the left factor's tiles go.
  let left: UnsafeMutableRawPointer
  /// Where the right factor's panels go.
  let right: UnsafeMutableRawPointer

  private static let idle = Mutex<[ProductScratch]>([])

  private init() {
    // Pages that no product touches cost nothing, so one size serves all shapes.
    left = .allocate(byteCount: ProductBlocking.leftByteCount, alignment: 4096)
    right = .allocate(byteCount: ProductBlocking.rightByteCount, alignment: 4096)
  }

  deinit {
    left.deallocate()
    right.deallocate()
  }

  /// Lends memory to `body`.
  static func with(_ body: (ProductScratch) -> Void) {
    let scratch = idle.withLock { $0.popLast() } ?? ProductScratch()
    body(scratch)
    idle.withLock { $0.append(scratch) }
  }
}
